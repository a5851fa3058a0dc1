"""A server as a process: its address, and how it goes. Small programs stand for it."""

import signal

import pytest

from serving import server_process as module
from serving.server_process import server_process

BEGIN = """
import signal, sys
print(*sys.argv[1:], file=open(sys.argv[2], "w"))
"""
READY = """
print("serving toy version 7 on 127.0.0.1:123", flush=True)
while True:
    signal.pause()
"""
OBEDIENT = BEGIN + READY
STUBBORN = BEGIN + "signal.signal(signal.SIGTERM, signal.SIG_IGN)" + READY


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Code -> the file that it writes its flags to; the code runs as the server."""

    def program(code):
        file = tmp_path / "server.py"
        file.write_text(code)
        monkeypatch.setattr(module, "PROGRAM", file)
        return tmp_path / "flags"

    return program


def test_a_server_has_an_address_and_ends_with_the_block(program):
    flags = program(OBEDIENT)
    with server_process(str(flags), "--more") as (process, address):
        assert address == "127.0.0.1:123"
        assert process.poll() is None
        assert flags.read_text() == f"--port=0 {flags} --more\n"
    assert process.returncode == -signal.SIGTERM


def test_a_server_that_does_not_stop_is_killed(program, monkeypatch):
    monkeypatch.setattr(module, "STOPPING", 0.1)
    flags = program(STUBBORN)
    with server_process(str(flags)) as (process, _):
        pass
    assert process.returncode == -signal.SIGKILL


def test_a_second_ctrl_c_kills_the_server(program, monkeypatch):
    flags = program(STUBBORN)
    with pytest.raises(KeyboardInterrupt):
        with server_process(str(flags)) as (process, _):
            communicate = process.communicate

            def interrupted(timeout=None):
                if timeout:
                    raise KeyboardInterrupt
                return communicate()

            monkeypatch.setattr(process, "communicate", interrupted)
    assert process.returncode == -signal.SIGKILL


def test_a_server_that_does_not_start_is_told(program):
    program("import sys; sys.exit(2)")
    with pytest.raises(ValueError, match="^the server did not start$"):
        with server_process():
            pass
