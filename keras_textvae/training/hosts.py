"""The processes of one training on several hosts: how they meet, agree and end.

Keras computes on several hosts on JAX alone. What started the processes tells each in
its environment how many there are, which it is, and where the first one listens. Each
computes its rows of every batch; process 0 alone reads and writes the run's folder.
"""

import atexit
import contextlib
import hashlib
import io
import itertools
import logging
import os
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from typing import BinaryIO

import keras
import numpy as np

from keras_textvae import command_line
from keras_textvae.training import last_words
from keras_textvae.training.place import place

HEARTBEAT = 25  # seconds without a sign of life, after which a process has ended
WAIT = 300  # seconds for all processes to come
DAY = 86_400
LINE = 1000  # bytes of a line that is told to the other processes
PIECE = 1 << 26  # bytes of a file that are sent at once


@contextlib.contextmanager
def joined(seconds: int = WAIT) -> Generator[None]:
    """Meets the other processes, if the environment says that there are others.

    Inside, one that ends too early ends all of them: within a minute, with one line
    that names it. At the end each waits for the others.

    Args:
        seconds: to wait for all of them to come.

    Raises:
        ValueError: if they do not come, or the backend is not JAX.
    """
    here = place()
    if here is None:
        yield
        return
    if keras.backend.backend() != "jax":
        raise ValueError(
            f"{here.count} processes train together on JAX alone: KERAS_BACKEND=jax."
        )
    import jax

    logging.getLogger("jax").setLevel(logging.WARNING)
    # It would catch SIGTERM, for a program that asks it at each step whether to save.
    jax.config.update("jax_enable_preemption_service", False)
    _pass_on_last_words(here, seconds)
    if len(os.sched_getaffinity(0)) == 1:
        # Where threads take turns on one core, each exchange would otherwise wait for
        # the end of a turn, 4 ms.
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        # Keras's own `initialize` leaves JAX's patience with silent processes at 100 s.
        jax.distributed.initialize(
            here.address,
            here.count,
            here.index,
            initialization_timeout=seconds,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=DAY,
        )
    except (RuntimeError, ValueError) as error:
        _leave_at_exit()
        taken = "; is the port taken?" if "start RPC server" in str(error) else ""
        raise ValueError(
            f"process {here.index} of {here.count} (the first at {here.address}) "
            f"cannot begin: {error}{taken}"
        ) from error
    try:
        _name_all()
        with together():
            if here.count != count():
                raise ValueError(
                    f"{count()} processes train together; this one was told that "
                    f"there are {here.count}."
                )
        yield
    except BaseException as error:
        if _is_of_others(error):
            # JAX finds out which process it was, and ends this one.
            time.sleep(2 * HEARTBEAT)
        _leave_at_exit()
        raise
    jax.distributed.shutdown()


def _is_of_others(error):
    """Whether an error is that another process did not answer."""
    return "Gloo" in str(error) or "NCCL" in str(error)


def _leave_at_exit():
    """Has the process exit without waiting for the others, who wait for it."""

    def leave():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(command_line.MISTAKE)

    atexit.register(leave)


def _pass_on_last_words(here, seconds):
    """Has a program of its own make one line of what JAX prints when it ends us.

    JAX aborts the process from a thread of its own, with a trace of its stack.
    """
    absent = (
        f"not all of {here.count} processes came in {seconds} s; this is process "
        f"{here.index}, the first is at {here.address}"
    )
    read, write = os.pipe()
    subprocess.Popen([sys.executable, "-S", last_words.__file__, absent], stdin=read)
    os.dup2(write, 2)
    os.close(read)
    os.close(write)


def _name_all():
    names = _told(socket.gethostname())
    names = [f"process {i} of {len(names)} ({name})" for i, name in enumerate(names)]
    os.write(2, f"{last_words.NAMES}{last_words.NAMES.join(names)}\n".encode())


def index() -> int:
    """Returns which process this is, from 0 on."""
    if keras.backend.backend() != "jax":
        return 0
    import jax

    return jax.process_index()


def count() -> int:
    """Returns how many processes train together."""
    if keras.backend.backend() != "jax":
        return 1
    import jax

    return jax.process_count()


@contextlib.contextmanager
def together() -> Generator[None]:
    """Has a mistake of one process end all of them, with a line that names it.

    All processes must come here, and do nothing together inside.

    Raises:
        ValueError: if another process has made a mistake; and what is raised inside.
    """
    if count() == 1:
        yield
        return
    mistake = None
    try:
        yield
    except (ValueError, OSError, ImportError) as error:
        mistake = error
    lines = _told(command_line.line(mistake) if mistake else "")
    if mistake:
        raise mistake
    for number, line in enumerate(lines):
        if line:
            raise ValueError(f"process {number}: {line}")


def require_same(described: Mapping[str, object]):
    """Requires a description, and all code, to be process 0's on all processes.

    Raises:
        ValueError: if it is another one anywhere; it names what differs.
    """
    if count() == 1:
        return
    described = {**described, **_versions()}
    ours = [f"{name} is {described[name]!r}" for name in sorted(described)]
    theirs = bytes_of_first("\n".join(ours).encode()).decode().split("\n")
    with together():
        for here, there in itertools.zip_longest(ours, theirs, fillvalue="nothing"):
            if here != there:
                raise ValueError(f"{here}; on process 0 {there}.")


def _versions():
    import jax

    code = hashlib.sha256()
    for path in sorted(pathlib.Path(__file__).parents[1].rglob("*.py")):
        code.update(path.read_bytes())
    versions = {"Keras": keras.version(), "JAX": jax.__version__}
    return versions | {"the code of keras_textvae": code.hexdigest()[:12]}


def file_of_first(path: str) -> str | BinaryIO | None:
    """Returns a file that process 0 has; None if it has none.

    Args:
        path: of the file, which is returned where there is one process.
    """
    if count() == 1:
        return path if os.path.exists(path) else None
    content = b""
    with together():
        if index() == 0 and os.path.exists(path):
            content = pathlib.Path(path).read_bytes()
    return io.BytesIO(content) if (content := bytes_of_first(content)) else None


def bytes_of_first(content: bytes) -> bytes:
    """Returns process 0's bytes on all processes."""
    from jax.experimental import multihost_utils

    size = int(_told(str(len(content)))[0])
    pieces = []
    for start in range(0, size, PIECE):
        piece = np.zeros(min(PIECE, size - start), "uint8")
        if index() == 0:
            piece[:] = np.frombuffer(content, "uint8", len(piece), start)
        pieces.append(np.asarray(multihost_utils.broadcast_one_to_all(piece)))
    return b"".join(piece.tobytes() for piece in pieces)


def arrays_of_first(arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Returns process 0's arrays on all processes; the others' say their shapes."""
    if count() == 1:
        return arrays
    from jax.experimental import multihost_utils

    return [np.asarray(multihost_utils.broadcast_one_to_all(x)) for x in arrays]


def _told(line):
    """Returns what each process tells the others: a line of text."""
    from jax.experimental import multihost_utils

    padded = np.zeros(LINE, "uint8")
    told = np.frombuffer(line.encode()[:LINE], "uint8")
    padded[: len(told)] = told
    lines = multihost_utils.process_allgather(padded)
    return [
        np.asarray(line).tobytes().rstrip(b"\0").decode(errors="ignore")
        for line in lines
    ]
