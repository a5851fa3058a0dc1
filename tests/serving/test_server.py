"""The program, as a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving.server import Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start():
    """Arguments -> process; killed at the end if it still runs."""
    processes = []

    def start(*arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_terminated_server_finishes_its_calls(base_path, start, connect, make_request):
    process = start(
        "serving/server.py",
        f"--model_base_path={base_path}",
        "--model_name=toy",
        "--port=0",
    )
    ready = process.stdout.readline()
    match = re.fullmatch(r"serving toy version 7 on (127\.0\.0\.1:\d+)\n", ready)
    assert match, ready + process.stderr.read()
    stubs = connect(match[1])
    assert stubs.predict("reconstruct", text=["a  b"])["text"] == [b"a b"]

    request = make_request("spin", steps=np.int32(300_000))
    in_flight = stubs.prediction.Predict.future(request, timeout=20)
    with pytest.raises(grpc.FutureTimeoutError):
        in_flight.result(timeout=0.3)
    process.send_signal(signal.SIGTERM)
    assert in_flight.result().outputs["trace"].float_val == [8.0]
    assert process.wait(timeout=10) == 0
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.predict("reconstruct", text=["a"])
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE


def test_missing_base_path_gives_one_line_and_exit_code_2(start):
    process = start("-m", "serving.server", "--model_base_path=/no/such/place")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 2, errors
    assert output == ""
    assert errors == "server.py: /no/such/place: no such directory\n"


def test_port_in_use_is_refused(base_path, server):
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(OSError, match=f"127.0.0.1:{port}: Address already in use$"):
        Server(base_path, "toy", port=port).start()


def test_address_of_another_machine_is_refused(base_path):
    with pytest.raises(OSError, match="192.0.2.1:0: Cannot assign requested address"):
        Server(base_path, "toy", host="192.0.2.1").start()
