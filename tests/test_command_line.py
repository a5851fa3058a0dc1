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

from keras_textvae import command_line

ROOT = pathlib.Path(__file__).parents[1]
# The file by itself, in no package: it needs nothing of ours, and so starts at once.
ALONE = os.environ | {"PYTHONPATH": str(ROOT / "keras_textvae")}
ARGV = ["/some/where/program.py"]

# What each line writes, and whether it may be seen.
LOADING = """
import os, sys
from command_line import quiet_imports
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
from command_line import run
from network import define_flags_of_the_network

def define_flags():
    define_flags_of_the_network()
    flags.DEFINE_integer("count", 5, "how many")

def main(argv):
    # A shell's background commands, the tests perhaps, ignore SIGINT otherwise.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    print("ready", flush=True)
    time.sleep(60)

if __name__ == "__main__":
    run(main, define_flags, "interrupted; start again")
'''

NETWORK = """
from absl import flags

def define_flags_of_the_network():
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
"""


def load(last):
    return subprocess.run(
        [sys.executable, "-c", LOADING.format(last=last)],
        env=ALONE,
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


def test_the_library_loads_quietly_and_whole():
    script = (
        "import keras_textvae, keras;"
        "keras.saving.get_registered_object('keras_textvae>TextVAE').__name__;"
        "import os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert (done.stderr, done.stdout, done.returncode) == ("", "1\n", 0)


@pytest.mark.parametrize("at_a_prompt", [False, True])
def test_ctrl_c_ends_a_program_but_not_a_prompt(monkeypatch, at_a_prompt):
    if at_a_prompt:
        monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(KeyboardInterrupt if at_a_prompt else SystemExit):
        with command_line.quiet_imports():
            raise KeyboardInterrupt


def test_without_stderr_nothing_is_held_back(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with command_line.quiet_imports():
        pass


@pytest.fixture
def program(tmp_path):
    """The command of a program in a file."""
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    path.with_name("network.py").write_text(NETWORK)
    return [sys.executable, str(path)]


def test_interrupt_is_one_line(program):
    process = subprocess.Popen(
        program,
        env=ALONE,
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
        [*program, "--help"], env=ALONE, capture_output=True, text=True
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
        "from absl import flags; import command_line, sys;"
        "main = lambda argv: print('a text\\n' * 100_000);"
        "flags_with_long_help = lambda: flags.DEFINE_string('a', '', 'b ' * 100_000);"
        f"{ending}"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", script],
        env=ALONE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait() == 141
    assert "Broken pipe" not in errors
    assert "Traceback" not in errors


def start(*arguments, backend):
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"KERAS_BACKEND": backend},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("backend", ["torch", "none-such"])
def test_another_backend_is_one_line(backend):
    for program in (["examples/train.py"], ["-c", "import keras_textvae"]):
        ended = start(*program, backend=backend)
        assert (ended.returncode, ended.stdout) == (2, "")
        (line,) = ended.stderr.splitlines()
        assert "keras_textvae needs Keras on tensorflow or jax." in line


def test_at_a_prompt_another_backend_is_an_error(monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "torch")
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    with pytest.raises(ImportError, match="Received: KERAS_BACKEND=torch"):
        command_line.load_keras()


# One process for all: on JAX, with TensorFlow beside it, each takes seconds to begin.
ONE_BY_ONE = """
import runpy, sys
from absl import app, flags
app.define_help_flags()  # which stay, once for all programs
for program in sys.argv[1:]:
    sys.argv = [program]
    defined = {*flags.FLAGS}
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as ended:
        print(program, ended.code)
    for name in {*flags.FLAGS} - defined:
        delattr(flags.FLAGS, name)
"""


def test_a_program_that_needs_tensorflow_says_so_before_it_begins():
    programs = ["examples/sample.py", "examples/tune.py"]
    programs += ["export/verify.py", "serving/server.py"]
    ended = start("-c", ONE_BY_ONE, *programs, backend="jax")
    assert ended.stdout.splitlines() == [f"{program} 2" for program in programs]
    assert ended.stderr.splitlines() == [
        f"{pathlib.Path(program).name}: KERAS_BACKEND=jax: this program needs "
        "tensorflow."
        for program in programs
    ]


@pytest.mark.parametrize(
    "closed, output, errors",
    [
        (">&-", "", "program.py: wrong\n"),
        ("2>&-", "a text\n", ""),
        (">&- 2>&-", "", ""),
    ],
)
def test_what_is_printed_on_a_closed_stream_is_dropped(
    tmp_path, closed, output, errors
):
    script = """import command_line, os, sys
def main(argv):
    with open("file", "w") as file:
        os.system("echo noise; echo noise >&2")
        file.write("content")
    print("a text")
    raise ValueError("wrong")
sys.argv = ["program.py"]
command_line.run(main, lambda: None)
"""
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -c '{script}' {closed}"],
        cwd=tmp_path,
        env=ALONE,
        capture_output=True,
        text=True,
    )
    noise = "noise\n"
    assert done.returncode == 2
    assert done.stdout.replace(noise, "") == output
    assert done.stderr.replace(noise, "") == errors
    assert (tmp_path / "file").read_text() == "content"


def test_help_is_shown_however_narrow_the_terminal_is(program):
    done = subprocess.run(
        [*program, "--help"],
        env=ALONE | {"COLUMNS": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "--count:" in done.stdout
