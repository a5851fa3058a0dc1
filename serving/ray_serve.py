"""Serves exported models with Ray Serve: `server.py`'s servicer, in several processes.

    python serving/ray_serve.py --model_base_path=exported/textvae --replicas=2

Each replica is a process with all models; Ray starts another for one that dies, and
HAProxy, which Ray brings along, hands the calls out. One line says that it is ready.
SIGTERM and SIGINT let the calls in flight finish, then end all of it.

Flags, answers and status codes are those of `server.py`, but limits hold for each
replica, `--grpc_max_message_mib` is for answers too, and `--log_calls` writes to Ray's
logs. There is no TLS, no token, no `--metrics_port`: Ray Serve has no place for them.

Needs `pip install keras_textvae[ray]`, and a private network: see serving/README.md.
"""

import contextlib
import io
import logging
import os
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from serving import server_flags
    from serving.models import ModelConfig, ModelVersions
    from serving.server import ANSWERING, GRACE, SPARE_THREADS, usable_port

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAME = "textvae"  # of the deployment, in Ray's logs
# Ray's own objects need next to nothing, and it would take a third of the memory.
OBJECT_STORE_BYTES = 100 * 2**20
LOGGING = {"log_level": "WARNING", "enable_access_log": False}  # else a line a call
# What Ray listens on besides, with ports that other programs have, too.
PORTS = (
    "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT",
    "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT",
    "RAY_SERVE_HAPROXY_METRICS_PORT",
    "RAY_SERVE_HAPROXY_STATS_PORT",
)


def define_flags() -> None:
    server_flags.define_shared_flags()
    flags.DEFINE_integer("replicas", 1, "Processes that answer calls.", 1)
    flags.DEFINE_string(
        "ray_address",
        "local",
        "Address of a running Ray cluster; local starts Ray on this machine.",
    )


def settings(grpc_max_message_mib: int) -> dict[str, str]:
    """The environment that every process of Ray must see; what is set already stays."""
    defaults = {
        "RAY_USAGE_STATS_ENABLED": "0",
        # `Replica.drain` has been waited for before Ray stops a replica.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
        **{name: str(usable_port("0.0.0.0", 0)) for name in PORTS},
    }
    return {name: os.environ.get(name, value) for name, value in defaults.items()} | {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_ENABLE_DIRECT_INGRESS": "1",
        "RAY_SERVE_GRPC_MAX_MESSAGE_SIZE": str(grpc_max_message_mib * 2**20),
        "PYTHONPATH": os.pathsep.join(
            [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }


@contextlib.contextmanager
def ray_serve(values, port: int):
    """Starts Ray Serve with nothing to serve yet; yields `ray.serve`.

    Args:
        values: the flags.
        port: the port to listen on.

    Raises:
        ValueError: if Ray is missing or does not start.
    """
    environment = settings(values.grpc_max_message_mib)
    os.environ.update(environment)  # before the import, which reads it
    try:
        import ray
        from ray import serve

        import serving.replicas.replica  # noqa: F401  (the extra's health service is there)
    except ImportError:
        raise ValueError("needs: pip install keras_textvae[ray]") from None
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    local = values.ray_address == "local"
    try:
        ray.init(
            address=values.ray_address,
            runtime_env={"env_vars": environment},
            include_dashboard=False if local else None,
            object_store_memory=OBJECT_STORE_BYTES if local else None,
            logging_level="ERROR",
            log_to_driver=False,
        )
    except Exception as error:  # Ray has none of its own for this
        raise ValueError(f"Ray does not start: {error}") from error
    try:
        serve.start(
            http_options={"host": values.host, "port": usable_port(values.host, 0)},
            grpc_options={
                "port": port,
                "grpc_servicer_functions": ["serving.replicas.services.add_services"],
                "enable_reflection": values.reflection,
            },
            logging_config=LOGGING,
        )
        yield serve
    finally:
        # Ray prints that calls to its controller fail, which it ends itself.
        with contextlib.redirect_stdout(io.StringIO()):
            serve.shutdown()
            ray.shutdown()


def deploy(serve, configs: list[ModelConfig], values):
    """Starts the replicas, and waits for them; returns Ray's handle of them.

    Raises:
        ValueError: if a replica does not start.
    """
    from serving.replicas.replica import Replica

    deployment = serve.deployment(
        Replica,
        name=NAME,
        num_replicas=values.replicas,
        # Those beyond the limit come in, to be refused.
        max_ongoing_requests=values.max_calls_in_flight + SPARE_THREADS,
        max_constructor_retry_count=1,
        # TensorFlow shares the cores; Ray would wait for one of its own a replica.
        ray_actor_options={"num_cpus": 0},
        logging_config=LOGGING,
    )
    application = deployment.bind(
        configs,
        values.max_calls_in_flight,
        values.poll_seconds,
        values.verify,
        values.log_calls,
    )
    try:
        return serve.run(application)
    except RuntimeError:  # says that it failed; the last line of a traceback says why
        (application,) = serve.status().applications.values()
        reason = application.deployments[NAME].message.splitlines()[-1]
        raise ValueError(reason.removeprefix("ValueError: ")) from None


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise ValueError(f"unexpected argument {argv[1]!r}")
    values = flags.FLAGS
    configs = server_flags.models(values)
    for config in configs:
        ModelVersions(config).on_disk()  # here a mistake is told in a moment
    port = usable_port(values.host, values.port)
    stopping = threading.Event()
    with ray_serve(values, port) as serve:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        replicas = deploy(serve, configs, values)
        versions = ", ".join(
            f"{name} version {version}"
            for name, version in replicas.versions.remote().result().items()
        )
        print(f"serving {versions} on {values.host}:{port}", flush=True)
        stopping.wait()
        # Ray would end HAProxy first, and with it the calls in flight.
        drained = replicas.broadcast("drain", GRACE)
        drained.results(timeout_s=GRACE + ANSWERING, return_exceptions=True)


if __name__ == "__main__":
    run(main, define_flags)
