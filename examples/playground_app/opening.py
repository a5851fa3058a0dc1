"""Where the playground gets its space: one that is served, or one that it serves."""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import grpc

from examples.playground_app.explorer import Explorer, reason
from export.export_saved_model import export
from keras_textvae import TextSpace
from serving.client import TextVAEClient

ROOT = pathlib.Path(__file__).parents[2]
ROWS_PER_CALL = 64  # so that no call takes long
STOPPING = 30.0  # seconds, more than the server's own grace


@contextlib.contextmanager
def served(space: TextSpace) -> Iterator[str]:
    """Exports a space into a temporary folder, and serves it; yields the address.

    The server is a process of its own on a free port of this machine. It and the folder
    go with the block.

    Raises:
        ValueError: if the server does not start, which has said why on stderr.
    """
    with tempfile.TemporaryDirectory(prefix="playground-") as folder:
        export(space, folder)
        # In a session of its own, Ctrl-C ends it no sooner than the page.
        process = subprocess.Popen(
            [
                *(sys.executable, str(ROOT / "serving" / "server.py")),
                *(f"--model_base_path={folder}", "--port=0", "--poll_seconds=0"),
            ],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            ready = re.search(r" on (\S+:\d+)$", process.stdout.readline())
            if not ready:
                raise ValueError("the server did not start")
            yield ready[1]
        finally:
            process.terminate()
            try:
                process.communicate(timeout=STOPPING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


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
    with TextVAEClient(address, model, timeout, rows_per_call=ROWS_PER_CALL) as client:
        try:
            yield Explorer(client)
        except grpc.RpcError as error:
            raise ValueError(f"{address}, {model}: {reason(error)}") from None
