"""How programs load, read their flags and end."""

import errno
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import tensorflow as tf
from absl import flags

from serving import command_line

ROOT = pathlib.Path(__file__).parents[2]
ARGV = ["/some/where/program.py"]

# What each line writes, and whether it may be seen.
LOADING = """
import os, sys
from serving.command_line import quiet_imports
with quiet_imports():
    os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\\n")
    os.write(2, b"I0000 00:00:1795241331.6 13815 port.cc:153] oneDNN is on.\\n")
    os.write(2, b"E0000 00:00:1795241331.6 13815 cuda.cc:1] failed\\n")
    print("a warning", file=sys.stderr)
    {last}
print("after", file=sys.stderr)
"""
SEEN = ["E0000 00:00:1795241331.6 13815 cuda.cc:1] failed", "a warning"]

PROGRAM = '''
"""A program."""
import signal, sys, time
from absl import flags
from serving import server_flags
from serving.command_line import run

def define_flags():
    server_flags.define_shared_flags()
    flags.DEFINE_integer("count", 5, "how many")

def main(argv):
    # A shell's background commands, the tests perhaps, ignore SIGINT otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("ready", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    run(main, define_flags, "interrupted; start again")
'''


def load(last):
    return subprocess.run(
        [sys.executable, "-c", LOADING.format(last=last)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_greetings_are_dropped_and_nothing_else():
    done = load("pass")
    assert done.stderr.splitlines() == [*SEEN, "after"]
    assert done.returncode == 0


def test_an_import_that_fails_shows_why():
    done = load("import no_such_module")
    assert done.stderr.splitlines()[:2] == SEEN
    last = done.stderr.splitlines()[-1]
    assert last == "ModuleNotFoundError: No module named 'no_such_module'"
    assert done.returncode == 1


def test_an_interrupted_import_ends_the_program():
    done = load("raise KeyboardInterrupt")
    assert done.stderr.splitlines() == SEEN
    assert done.returncode == 130


@pytest.fixture
def program(tmp_path):
    """The command of a program in a file."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return [sys.executable, str(path)]


ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


def test_interrupt_is_one_line(program):
    process = subprocess.Popen(
        program,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert errors.splitlines()[-1] == "program.py: interrupted; start again"
    assert "Traceback" not in errors
    assert process.returncode == 130


def test_help_shows_the_flags_and_ends_with_0(program):
    done = subprocess.run(
        [*program, "--help"], env=ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "A program." in done.stdout
    assert "--count: how many" in done.stdout
    assert "(default: '5')" in done.stdout
    assert "--host: Address to listen on." in done.stdout  # another module's


def raising(error):
    def main(argv):
        raise error

    return main


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/disk/file")


@pytest.mark.parametrize(
    "error, line",
    [
        (ValueError("wrong"), "wrong"),
        (ValueError("wrong\nin detail"), "wrong"),
        (ValueError(), "ValueError"),
        (FileNotFoundError("nothing there"), "nothing there"),
        (FULL, "/disk/file: No space left on device"),
        (OSError(errno.ENOSPC, "No space"), "No space"),
        (tf.errors.PermissionDeniedError(None, None, "not yours"), "not yours"),
    ],
)
def test_a_mistake_is_one_line_and_2(capsys, error, line):
    assert command_line.answer(raising(error), ARGV) == 2
    assert capsys.readouterr().err == f"program.py: {line}\n"


def test_a_defect_keeps_its_traceback():
    with pytest.raises(TypeError, match="a defect"):
        command_line.answer(raising(TypeError("a defect")), ARGV)


def test_exit_code_is_that_of_main():
    assert command_line.answer(lambda argv: None, ARGV) == 0
    assert command_line.answer(lambda argv: 1, ARGV) == 1


def test_unknown_flag_is_one_line_and_2(capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.parse_flags([*ARGV, "--no_such_flag"])
    flags.FLAGS.unparse_flags()
    assert ended.value.code == 2
    line = "program.py: Unknown command line flag 'no_such_flag'"
    assert capsys.readouterr().err.startswith(line)


@pytest.mark.parametrize(
    "ending",
    [
        "sys.exit(command_line.answer(main, ['program.py']))",
        "sys.argv[1:] = ['--help']; command_line.run(main, flags_with_long_help)",
    ],
)
def test_output_that_nobody_reads_is_no_mistake(ending):
    script = (
        "from absl import flags; from serving import command_line; import sys;"
        "main = lambda argv: print('a text\\n' * 100_000);"
        "flags_with_long_help = lambda: flags.DEFINE_string('a', '', 'b ' * 100_000);"
        f"{ending}"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 141
    assert "Broken pipe" not in errors
    assert "Traceback" not in errors
