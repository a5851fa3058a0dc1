"""The flags of the server's program, and what they ask for."""

from pathlib import Path

from absl import flags

from serving.models import ModelConfig, models_config
from serving.service import BearerToken, Certificates


def define_flags() -> None:
    # In a function, so that importing this module leaves a program's flags alone.
    define_shared_flags()
    flags.DEFINE_string("tls_certificate", None, "The server's certificate, PEM.")
    flags.DEFINE_string("tls_key", None, "Its private key, PEM.")
    flags.DEFINE_string("client_ca", None, "Authority that certifies clients, PEM.")
    flags.DEFINE_string("token_file", None, "File of the token clients must send.")
    flags.DEFINE_integer(
        "metrics_port", 0, "Port for Prometheus on 127.0.0.1; 0 is none.", 0, 65535
    )


def define_shared_flags() -> None:
    """Defines the flags of every host of the servicer."""
    flags.DEFINE_string("model_base_path", None, "Directory of one model's versions.")
    flags.DEFINE_string("model_name", "textvae", "The name that clients ask for.")
    flags.DEFINE_string(
        "models_config",
        None,
        "File that lists several models, as TensorFlow Serving's.",
    )
    flags.DEFINE_float(
        "poll_seconds", 1.0, "How often to look for new versions; 0 is never.", 0.0
    )
    flags.DEFINE_bool(
        "verify", False, "Load only what passes the gate of export/verify.py."
    )
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
    flags.DEFINE_integer(
        "port", 8500, "Port to listen on; 0 is any free one.", 0, 65535
    )
    flags.DEFINE_integer("grpc_max_message_mib", 16, "Largest request, MiB.", 1, 2047)
    flags.DEFINE_integer(
        "max_calls_in_flight", 64, "Predict calls that may run at the same time.", 1
    )
    flags.DEFINE_bool("reflection", False, "Let clients list the methods.")
    flags.DEFINE_bool("log_calls", False, "Write one JSON line a call to stderr.")


def models(values) -> list[ModelConfig]:
    """What the flags say is to be served."""
    if (values.model_base_path is None) == (values.models_config is None):
        raise ValueError("give one of --model_base_path and --models_config")
    if values.models_config is None:
        return [ModelConfig(values.model_name, Path(values.model_base_path).absolute())]
    if values["model_name"].present:
        raise ValueError("--model_name goes with --model_base_path only")
    return models_config.read(values.models_config)


def certificates(values) -> Certificates | None:
    """The certificates that the flags name."""
    if (values.tls_certificate is None) != (values.tls_key is None):
        raise ValueError("--tls_certificate and --tls_key go together")
    if values.tls_certificate is None:
        if values.client_ca is not None:
            raise ValueError("--client_ca needs --tls_certificate and --tls_key")
        return None
    return Certificates(values.tls_certificate, values.tls_key, values.client_ca)


def token(values) -> BearerToken | None:
    """The token that the flags name."""
    return BearerToken(values.token_file) if values.token_file else None
