"""The embedded server as a process of its own."""

import contextlib
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

PROGRAM = pathlib.Path(__file__).with_name("server.py")
STOPPING = 30.0  # seconds, more than the server's own grace


@contextlib.contextmanager
def server_process(*flags: str, **options) -> Iterator[tuple[subprocess.Popen, str]]:
    """Starts `server.py` on a free port; yields its process and its address.

    It is stopped at the end of the block, and killed if that takes too long.

    Args:
        *flags: of the server, such as `--model_base_path=exported/textvae`.
        **options: of `subprocess.Popen`.

    Raises:
        ValueError: if the server does not start, which has said why on stderr.
    """
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "--port=0", *flags],
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        ready = re.search(r" on (\S+:\d+)$", process.stdout.readline())
        if not ready:
            raise ValueError("the server did not start")
        yield process, ready[1]
    finally:
        process.terminate()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=STOPPING)
        finally:  # after a second Ctrl-C too
            process.kill()
            process.communicate()
