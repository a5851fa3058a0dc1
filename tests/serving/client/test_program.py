"""The program as a process of its own; what it refuses, in this one."""

import io
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from absl import flags

from serving.client import TextVAEClient
from serving.client import __main__ as client_program

ROOT = Path(__file__).resolve().parents[3]
SPIN = "call", "--signature=spin", f"--input=steps={2**31 - 1}"  # for minutes


@pytest.fixture(scope="module")
def toy(server, program):
    """The program, which asks the embedded server."""

    def toy(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        address = f"--address={server.address}", "--model_name=toy"
        return program(*address, *arguments, stdin=stdin)

    return toy


@pytest.fixture
def toy_here(server, capsys, monkeypatch):
    """What `toy` does, without a process for each mistake."""
    monkeypatch.setattr(client_program, "_drop_output", lambda: None)  # the tests' own
    address = f"--address={server.address}", "--model_name=toy"

    def toy_here(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        stream = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        monkeypatch.setattr(sys, "stdin", stream)
        known = {*flags.FLAGS}
        client_program.define_flags()
        try:
            argv = client_program.parse_flags(["client", *address, *arguments])
            code = client_program.main(argv)
        except SystemExit as ended:
            code = ended.code
        finally:
            for name in {*flags.FLAGS} - known:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()
        return code, *capsys.readouterr()

    return toy_here


def test_texts_are_printed(toy, server):
    with TextVAEClient(server.address, "toy") as client:
        texts = client.sample([7, 8, 9], temperature=2.0)
    assert toy(
        "sample", "--count=3", "--seed=7", "--temperature=2", "--rows_per_call=2"
    ) == (0, "".join(f"{text}\n" for text in texts), "")
    path = toy("interpolate", "--start=a", "--end=b", "--steps=3")
    assert path == (0, "a\nbetween\nb\n", "")
    texts = toy("reconstruct", stdin="it  rains\nhe  sang\n")
    assert texts == (0, "it rains\nhe sang\n", "")


def test_it_prints_json_that_it_can_read(toy):
    code, lines, _ = toy("encode", "--json", "--text=ab", "--text=c")
    assert code == 0
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"text": "ab", "kl": 2, "log_var": [-2, -4, -6], "mean": [2, 4, 6]}
        | {"unknown": 0},
        {"text": "c", "kl": 1, "log_var": [-1, -2, -3], "mean": [1, 2, 3]}
        | {"unknown": 1},
    ]
    code, texts, _ = toy("decode", stdin=lines + "[0, 0, 1]\n")
    assert texts.splitlines() == [
        "2.000000 4.000000 6.000000",
        "1.000000 2.000000 3.000000",
        "0.000000 0.000000 1.000000",
    ]


def test_keys_of_json_are_stable(toy):
    keys = {
        ("sample", "--count=1"): ["seed", "text"],
        ("interpolate", "--start=a", "--end=b"): ["step", "text"],
        ("reconstruct", "--text=a"): ["text", "reconstruction"],
        ("score", "--text=a"): ["text", "bound", "kl", "reconstruction", "unknown"],
    }
    for arguments, expected in keys.items():
        _, lines, _ = toy("--json", *arguments)
        assert list(json.loads(lines.splitlines()[0])) == expected
    scores = toy("score", "--text=ab", "--seed=5")
    assert (
        scores[1] == "text: ab\tbound: 9.0\tkl: 2.0\treconstruction: 7.0\tunknown: 0\n"
    )


def test_any_signature_is_called(toy, server):
    rows = "--input=seed=7", "--input=seed=8"
    with TextVAEClient(server.address, "toy") as client:
        texts = client.sample([7, 8], temperature=2.0)
    arguments = "call", "--signature=sample", *rows, "--input=temperature=2"
    assert toy(*arguments) == (0, "".join(f"{text}\n" for text in texts), "")
    vectors = "--input=z=[1, 2, 3]", "--input=z=[0, 0, 1]"
    _, lines, _ = toy("call", "--signature=decode", "--json", *vectors)
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"text": "1.000000 2.000000 3.000000"},
        {"text": "0.000000 0.000000 1.000000"},
    ]
    texts = toy("call", "--signature=reconstruct", "--input=text=a  =  b")
    assert texts == (0, "a = b\n", "")
    trace = toy("call", "--signature=spin", "--input=steps=2")
    assert trace == (0, "trace: 8.0\n", "")


@pytest.mark.parametrize(
    "arguments, line",
    [
        (["--signature=dream"], "no such signature, only decode, encode, fail, "),
        (["--signature="], "no such signature, only decode, encode, fail, "),
        (["--input=z"], "no such input, only seed, temperature, top_k, top_p. Receiv"),
        (["--input=seed=x"], "seed must be int64 in rows. Received: ['x']"),
        (["--input=seed=1.5"], "seed must be int64 in rows. Received: ['1.5']"),
        (["--input=top_k=1", "--input=top_k=2"], "top_k must be one int32. Received"),
        ([f"--input=top_k={2**31}"], "top_k must be one int32. Received: ['2147483648"),
    ],
)
def test_a_wrong_input_of_any_signature_is_one_line(toy_here, arguments, line):
    code, output, error = toy_here("call", "--signature=sample", *arguments)
    assert (code, output) == (2, "")
    assert error.startswith(f"client: {line}")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, code, line",
    [
        (["sample", "--model_name=x"], 1, "NOT_FOUND: Servable not found for request"),
        (["sample", "--version=6"], 1, "NOT_FOUND: Servable not found for request"),
        (["sample", "--version=6", "--label=a"], 2, "give a version or a label, not b"),
        (["dream"], 2, "expected one command of sample, interpolate, "),
        (["interpolate", "--start=a"], 2, "interpolate needs --start and --end"),
        (["reconstruct"], 2, "no text: give --text, or one a line on standard input"),
        (["decode"], 1, "standard input, line 1: not a vector in JSON. Received: {"),
        (["decode", "--json"], 2, "no vector: give one a line on standard input"),
        (["sample", "--address="], 2, "address must be host:port. Received: ''"),
        (["sample", "--timeout=0"], 2, "timeout must be positive, finite. Received"),
        ([*SPIN, "--timeout=0.2"], 1, "DEADLINE_EXCEEDED: "),
        (["sample", "--count=0"], 2, "flag --count=0: "),
        (["sample", "--fitted"], 1, "INVALID_ARGUMENT: "),
        (
            ["sample", f"--seed={2**63}"],
            2,
            "seed must be int64. Received: [9223372036854",
        ),
        (["score", "--text=a", f"--seed={2**63}"], 2, "seed must be int64. Received"),
        (["sample", f"--top_k={2**31}"], 2, "top_k must be int32. Received: 21474"),
        (["score", "--text=a", "--label=x"], 1, "INVALID_ARGUMENT: Unrecognized serv"),
        (["sample", "--token_file=none"], 2, "none: No such file or directory"),
        (["sample", "--tls_ca=none"], 2, "none: No such file or directory"),
        (["sample", "--tls_ca="], 2, ".: Is a directory"),
        (["sample", "--tls_key=none"], 2, "a client's certificate and its key go toge"),
    ],
)
def test_what_is_wrong_is_one_line(toy_here, arguments, code, line):
    stdin = "{}\n" if arguments == ["decode"] else ""
    returncode, output, error = toy_here(*arguments, stdin=stdin)
    assert returncode == code
    assert output == ""
    assert error.startswith(f"client: {line}")
    assert error.count("\n") == 1


def test_a_row_at_fault_is_named_and_the_others_are_answered(toy):
    lines = "\ufeff[0, 0, 1]\n{}\n[1, 2]\n[1, 0, 0]\n"
    code, texts, errors = toy("decode", "--rows_per_call=3", stdin=lines)
    assert code == 1
    assert texts.splitlines() == [
        "0.000000 0.000000 1.000000",
        "1.000000 0.000000 0.000000",
    ]
    second, third = errors.splitlines()
    assert second.startswith("client: standard input, line 2: not a vector in JSON.")
    assert third.startswith("client: standard input, line 3: INVALID_ARGUMENT: ")


def test_details_of_several_lines_become_one(program, serve, echo):
    address = serve(echo([grpc.StatusCode.INTERNAL]))
    result = program("reconstruct", "--text=a", f"--address={address}")
    assert result == (1, "", "client: INTERNAL: as told\n")


def test_a_server_that_is_down_is_said_once(program, quiet_port):
    address = f"--address=127.0.0.1:{quiet_port}"
    code, output, error = program("sample", address, "--timeout=0.5")
    assert (code, output) == (1, "")
    assert error.startswith("client: UNAVAILABLE: failed to connect to all addresses")
    assert error.count("\n") == 1


@pytest.fixture
def reconstruct(start_program, serve, echo):
    """The program while it reads texts, two a call; every text is its answer."""
    address = f"--address={serve(echo())}"
    # A shell's background commands, the tests perhaps, hand down an ignored SIGINT.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    with start_program("reconstruct", "--rows_per_call=2", address) as process:
        signal.signal(signal.SIGINT, inherited)
        late = threading.Timer(20, process.kill)  # so that no read waits for ever
        late.start()
        yield process
        late.cancel()
        process.kill()


def send(process: subprocess.Popen, lines: str) -> None:
    process.stdin.write(lines)
    process.stdin.flush()


def test_answers_are_printed_as_they_come(reconstruct):
    for lines in ("a\nb\n", "c\nd\n"):
        send(reconstruct, lines)
        assert reconstruct.stdout.readline() == lines[:2]
        assert reconstruct.stdout.readline() == lines[2:]
    assert reconstruct.communicate("e\n", timeout=20) == ("e\n", "")
    assert reconstruct.returncode == 0


def test_a_reader_that_has_had_enough_ends_it_silently(reconstruct):
    reconstruct.stdout.close()
    send(reconstruct, "a\nb\n")
    assert reconstruct.stderr.read() == ""
    assert reconstruct.wait(timeout=20) == 141


def test_a_full_disk_is_one_line(serve, echo):
    arguments = "reconstruct", "--text=a", f"--address={serve(echo())}"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "serving/client", *arguments],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    expected = "client: standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, expected)


def test_an_interrupt_is_one_line(reconstruct):
    send(reconstruct, "a\nb\n")
    assert reconstruct.stdout.readline() == "a\n"
    reconstruct.send_signal(signal.SIGINT)
    assert reconstruct.wait(timeout=20) == 130
    assert reconstruct.stderr.read() == "client: interrupted\n"


def test_help_explains(program):
    code, output, error = program("--help")
    assert (code, error) == (0, "")
    assert output.startswith("Calls a served text VAE.\n")
    assert "--rows_per_call: The most rows of one call." in output


def test_it_runs_as_a_module_too(serve, echo):
    arguments = "reconstruct", "--text=a", f"--address={serve(echo())}"
    command = [sys.executable, "-m", "serving.client", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a\n", "")
