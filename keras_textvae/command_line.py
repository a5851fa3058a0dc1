"""What all programs do: load TensorFlow, read flags, and exit.

    from keras_textvae.command_line import quiet_imports, run

    with quiet_imports():
        import tensorflow_text

    if __name__ == "__main__":
        run(main, define_flags)

`main` receives the arguments that are not flags, the program's name first. For what the
user can fix it may raise ValueError, OSError, ImportError or one of `tf.errors`: the
program then prints one line on stderr and exits with code 2. Ctrl-C prints one line and
exits with 130; `--help` exits with 0.

The package loads itself in `quiet_imports`, since TensorFlow comes with it; a program's
own block is for what else it imports.
"""

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Generator

from absl import app, flags

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# On a CPU without AVX-512 VNNI or AMX, TensorFlow would leave these kernels off, and a
# training step take 1.1 to 1.4 times as long (benchmarks/README.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# Of Keras, on which the package computes; programs, unless they say so, on the first.
BACKENDS = ("tensorflow", "jax")

# Exit codes; the last two are what a shell says of a program that a signal ended.
MISTAKE = 2
INTERRUPTED = 130
BROKEN_PIPE = 141

# Columns of a terminal in which absl can wrap its --help.
NARROWEST = 20

# What TensorFlow 2.21 writes while it is loaded, whatever its log level.
GREETINGS = re.compile(rb"(I\d{4} .*|WARNING: All log messages before absl.*)\n")


@contextlib.contextmanager
def quiet_imports() -> Generator[None]:
    """Holds stderr back during imports, then shows it without TensorFlow's greetings.

    It is shown even if an import fails. Ctrl-C ends the program, but not a Python
    prompt.
    """
    try:
        with _without_greetings():
            yield
    except KeyboardInterrupt:
        if hasattr(sys, "ps1"):
            raise
        sys.exit(INTERRUPTED)


@contextlib.contextmanager
def _without_greetings():
    if sys.stderr is None or not hasattr(os, "memfd_create"):  # closed, or not Linux
        yield
        return
    terminal = os.dup(2)
    with os.fdopen(os.memfd_create("stderr"), "w+b") as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            os.write(2, GREETINGS.sub(b"", held.read()))


def load_keras():
    """Loads Keras; on another backend than ours that is the end, with one line.

    A program ends with exit code 2; at a Python prompt it is an ImportError.
    """
    try:
        import keras

        backend = keras.backend.backend()
        if backend in BACKENDS:
            return
        reason = f"Received: KERAS_BACKEND={backend}"
    except (
        ImportError,
        ValueError,
    ) as error:  # a backend that is not installed, or none
        reason = f"Keras cannot be loaded: {line(error)}"
    message = f"keras_textvae needs Keras on {' or '.join(BACKENDS)}. {reason}"
    if hasattr(sys, "ps1"):
        raise ImportError(message)
    sys.exit(fail(sys.argv, message))


def run(
    main: Callable,
    define_flags: Callable,
    interrupted: str = "interrupted",
    backends: tuple[str, ...] = BACKENDS[:1],
):
    """Runs a program on `sys.argv`, and ends the process.

    Args:
        main: takes the arguments; returns the exit code, or None for 0.
        define_flags: defines the flags.
        interrupted: what Ctrl-C prints.
        backends: Keras's backends that it runs on.
    """

    def checked(argv):
        require_backend(backends)
        return main(argv)

    _reopen_closed_streams()
    defined = set(flags.FLAGS)
    define_flags()
    for name in set(flags.FLAGS) - defined:  # of other modules too, for --help to show
        flags.FLAGS.register_key_flag_for_module(sys.argv[0], flags.FLAGS[name])
    try:
        app.run(lambda argv: answer(checked, argv), flags_parser=parse_flags)
    except KeyboardInterrupt:
        fail(sys.argv, interrupted)
        sys.exit(INTERRUPTED)


def _reopen_closed_streams():
    """Has what is printed on a closed stdout or stderr dropped.

    Python would have None there, print errors on stdout, and give a file that is opened
    later the stream's number, in which TensorFlow's messages end.
    """
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
            os.set_inheritable(number, True)
        setattr(sys, name, open(os.devnull, "w"))


def require_backend(backends: tuple[str, ...]):
    """Raises ValueError if Keras is loaded, and runs on another backend."""
    keras = sys.modules.get("keras")
    if keras and (backend := keras.backend.backend()) not in backends:
        raise ValueError(
            f"KERAS_BACKEND={backend}: this program needs {' or '.join(backends)}."
        )


def parse_flags(argv: list[str]) -> list[str]:
    """Parses flags; a wrong one ends the program with one line, `--help` with 0."""
    if shutil.get_terminal_size().columns < NARROWEST:
        os.environ["COLUMNS"] = str(NARROWEST)
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(fail(argv, error))
    except BrokenPipeError:
        sys.exit(unread())
    except SystemExit:  # absl's own --help ends with 1
        sys.exit(0)


def answer(main: Callable, argv: list[str]) -> int:
    """Calls `main`; returns the exit code, that of a mistake after its one line."""
    try:
        code = main(argv)
        sys.stdout.flush()
        return code or 0
    except BrokenPipeError:
        return unread()
    except (ValueError, OSError, ImportError) as error:
        return fail(argv, error)
    except Exception as error:
        tf = sys.modules.get("tensorflow")  # loaded, if the error is one of its own
        if not (tf and isinstance(error, tf.errors.OpError)):
            raise
        return fail(argv, error)


def unread() -> int:
    """Drops further output, since its reader, such as `head`, has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return BROKEN_PIPE


def fail(argv: list[str], error: Exception | str) -> int:
    """Prints one line that begins with the program's name; returns the exit code."""
    print(f"{os.path.basename(argv[0])}: {line(error)}", file=sys.stderr)
    return MISTAKE


def line(error: Exception | str) -> str:
    """Returns what is wrong, in one line."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return place + error.strerror
    message = str(getattr(error, "message", error))
    return message.partition("\n")[0] or type(error).__name__
