"""Calls a served text VAE.

    python serving/client sample --count=5 --seed=0 --temperature=0.8
    python serving/client interpolate --start="it rains" --end="he sang" --steps=8
    python serving/client reconstruct --text="it rains" --text="he sang"
    python serving/client impute --text="she punched the cell _ _"
    python serving/client encode --text="it rains" --json
    python serving/client decode < vectors.jsonl
    python serving/client score < sentences.txt
    python serving/client classify --text="what a day"
    python serving/client call --signature=sample --input=seed=3 --input=top_k=9

reconstruct, impute, encode, score and classify read one text a line where there is no
--text. decode reads one JSON list of numbers a line, or the lines that `encode --json`
prints. Rows are sent --rows_per_call at a time; answers are printed as they come. A row
that is at fault, such as a text that is too long, is named on standard error, and the
others are answered.

call is for any signature that the model has. --input=NAME=VALUE gives a row, or an
option: a text as it is, anything else in JSON. All its rows go in one call.

TLS: --tls for a server with a public certificate, --tls_ca for one with your own;
--tls_certificate and --tls_key where the server asks for the client's certificate.
--token_file needs TLS, unless the server is on this machine.

A server that cannot be reached is tried again until --timeout; nothing else is.
Exit code 1: the call failed, or a row was refused; 2: a mistake on the command line.
"""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
# gRPC would log what an error says already.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from absl import app, flags

from serving.client import TextVAEClient, tls_credentials
from serving.client.commands import COMMANDS
from serving.client.rows import Refused

# Exit codes; the last two are what a shell says of a program that a signal ended.
FAILURE = 1
MISTAKE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def define_flags() -> None:
    """Defines the flags of the server and the output, and all others."""
    flags.DEFINE_string("address", "127.0.0.1:8500", "host:port of the server.")
    flags.DEFINE_string("model_name", "textvae", "The name the server gives the model.")
    flags.DEFINE_integer("version", None, "The model's version (default: the newest).")
    flags.DEFINE_string("label", None, "The version by its label instead.")
    flags.DEFINE_float("timeout", 10.0, "Seconds that a call and its retries may take.")
    flags.DEFINE_integer("rows_per_call", 256, "The most rows of one call.")
    flags.DEFINE_bool("json", False, "Print JSON lines.")
    define_security_flags()
    define_command_flags()


def define_security_flags() -> None:
    """Defines the flags of TLS and the token."""
    flags.DEFINE_bool("tls", False, "Use TLS; --tls_ca and --tls_certificate imply it.")
    flags.DEFINE_string("tls_ca", None, "PEM: the server's certificate authority.")
    flags.DEFINE_string("tls_certificate", None, "PEM: the client's certificate.")
    flags.DEFINE_string("tls_key", None, "PEM: its private key.")
    flags.DEFINE_string("token_file", None, "File of the bearer token.")


def define_command_flags() -> None:
    """Defines the flags of single commands."""
    own = "(default: the model's)."
    flags.DEFINE_multi_string("text", None, "A text (default: standard input).")
    flags.DEFINE_integer("count", 5, "sample: how many texts.", 1)
    flags.DEFINE_integer("seed", None, "sample: of the first text; score (default: 0).")
    flags.DEFINE_float("temperature", None, f"sample: below 1, likelier texts {own}")
    flags.DEFINE_integer("top_k", None, f"sample: from the k likeliest; 0 is all {own}")
    flags.DEFINE_float("top_p", None, f"sample: from the likeliest of this sum {own}")
    flags.DEFINE_bool("fitted", None, f"sample: from the fitted density {own}")
    flags.DEFINE_integer("max_pieces", None, f"impute: subwords of a word {own}")
    flags.DEFINE_string("start", None, "interpolate: the first text; must be given.")
    flags.DEFINE_string("end", None, "interpolate: the last text; must be given.")
    flags.DEFINE_integer("steps", None, f"interpolate: texts, ends included {own}")
    flags.DEFINE_bool("spherical", None, f"interpolate: along an arc {own}")
    flags.DEFINE_string("signature", "", "call: its name; must be given.")
    flags.DEFINE_multi_string(
        "input", [], "call: NAME=VALUE, a row of it or an option."
    )


def parse_flags(argv: list[str]) -> list[str]:
    """Parses flags; a wrong one ends the program with one line, `--help` with 0."""
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(_fail(error, MISTAKE))
    except SystemExit:  # absl's own --help ends with 1
        sys.exit(0)


def connect(options) -> TextVAEClient:
    """A client as the flags say."""
    files = options.tls_ca, options.tls_certificate, options.tls_key
    tls = options.tls or any(file is not None for file in files)
    token = None
    if options.token_file is not None:
        token = pathlib.Path(options.token_file).read_text().strip()
    return TextVAEClient(
        options.address,
        options.model_name,
        options.timeout,
        version=options.version,
        label=options.label,
        credentials=tls_credentials(*files) if tls else None,
        token=token,
        rows_per_call=options.rows_per_call,
    )


def run(command: str, options) -> int:
    """Runs a command, and prints each batch's answers as they come.

    Returns:
        The exit code: `FAILURE` if a row was refused, each of which has a line on
        standard error.
    """
    show = json.dumps if options.json else readable
    code = 0
    with connect(options) as client:
        for answer in COMMANDS[command](client, options):
            if isinstance(answer, Refused):
                code = _fail(f"{answer.place}: {answer.reason}", FAILURE)
                continue
            for row in zip(*answer.values(), strict=True):
                print(show(dict(zip(answer, row, strict=True))))
            sys.stdout.flush()
    return code


def readable(record: dict) -> str:
    """A text where that is the answer, otherwise every value with its name."""
    *_, answer = record.values()
    if isinstance(answer, str):
        return answer
    return "\t".join(f"{name}: {value}" for name, value in record.items())


def main(argv: list[str]) -> int:
    """Runs the command of `argv`; returns the exit code, an error's after its line."""
    if len(argv) != 2 or argv[1] not in COMMANDS:
        return _fail(f"expected one command of {', '.join(COMMANDS)}", MISTAKE)
    try:
        return run(argv[1], flags.FLAGS)
    except grpc.RpcError as error:
        return _fail(f"{error.code().name}: {error.details()}", FAILURE)
    except BrokenPipeError:  # whoever reads the output, as `head`, has had enough
        _drop_output()
        return BROKEN_PIPE
    except OSError as error:
        _drop_output()
        place = error.filename or "standard output"
        return _fail(f"{place}: {error.strerror}", MISTAKE)
    except (ValueError, OverflowError) as error:
        return _fail(error, MISTAKE)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)


def _drop_output() -> None:
    """Lets Python's own flush at the end succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _fail(message, code: int) -> int:
    line = " ".join(str(message).split())  # a server's details may have several
    print(f"client: {line}", file=sys.stderr)
    return code


if __name__ == "__main__":
    define_flags()
    app.run(main, flags_parser=parse_flags)
