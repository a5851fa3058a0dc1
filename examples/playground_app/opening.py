"""Where the playground gets its space: one that is served, or one that it serves."""

import contextlib
import tempfile
from collections.abc import Iterator

import grpc

from examples.playground_app.explorer import Explorer, reason
from export.export_saved_model import export
from keras_textvae import TextSpace
from serving.client import TextVAEClient
from serving.server_process import server_process

ROWS_PER_CALL = 64  # so that no call takes long
PATIENCE = 1.0  # seconds, with a server that is not there


@contextlib.contextmanager
def served(space: TextSpace, model: str) -> Iterator[str]:
    """Exports a space into a temporary folder, and serves it; yields the address.

    The server is a process of its own on a free port of this machine. It and the folder
    go with the block.

    Args:
        space: `TextSpace`.
        model: the name the server gives it.

    Raises:
        ValueError: if the server does not start, which has said why on stderr.
    """
    with tempfile.TemporaryDirectory(prefix="playground-") as folder:
        export(space, folder)
        model_flags = f"--model_base_path={folder}", f"--model_name={model}"
        # In a session of its own, Ctrl-C ends it no sooner than the page.
        with server_process(
            *model_flags, "--poll_seconds=0", start_new_session=True
        ) as (_, address):
            yield address


@contextlib.contextmanager
def explored(address: str, model: str, timeout: float) -> Iterator[Explorer]:
    """Connects to a model that is served; yields an `Explorer` of it.

    Args:
        address: `host:port`.
        model: the name the server gives it.
        timeout: float, seconds that an answer may take.

    Raises:
        ValueError: if there is no such server or model; and for an RpcError of the
            block.
    """
    options = {"rows_per_call": ROWS_PER_CALL, "patience": PATIENCE}
    with TextVAEClient(address, model, timeout, **options) as client:
        try:
            yield Explorer(client)
        except grpc.RpcError as error:
            raise ValueError(f"{address}, {model}: {reason(error)}") from None
