"""The server on Ray Serve, two replicas behind its HAProxy, as a process of its own."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
)

pytest.importorskip("ray.serve", reason="needs the extra `ray`")

from serving import ray_serve as program
from serving.client import TextVAEClient
from tests.examples.conftest import run_program

ROOT = Path(__file__).resolve().parents[2]
MARK = "TEXTVAE_TEST_OF_RAY_SERVE"
PREDICT = "/tensorflow.serving.PredictionService/Predict"


def processes(mark: str) -> list[str]:
    """The command lines of the processes that have a mark in their environment."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is not ours
            if f"{MARK}={mark}".encode() in (directory / "environ").read_bytes():
                found.append((directory / "cmdline").read_text())
    return [line for line in found if line]  # a zombie has none


@pytest.fixture(scope="module")
def mark():
    return uuid.uuid4().hex


def start(base_path, mark: str, *arguments: str) -> subprocess.Popen:
    flags = [f"--model_base_path={base_path}", "--model_name=toy", "--port=0"]
    return subprocess.Popen(
        [sys.executable, "serving/ray_serve.py", *flags, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {MARK: mark},
    )


@pytest.fixture(scope="module")
def process(base_path, mark):
    limits = ["--max_calls_in_flight=1", "--grpc_max_message_mib=1"]
    process = start(base_path, mark, "--replicas=2", *limits)
    yield process
    if process.poll() is None:
        process.terminate()
    process.communicate()


@pytest.fixture(scope="module")
def address(process):
    line = process.stdout.readline()
    match = re.fullmatch(r"serving toy version 7 on (127\.0\.0\.1:\d+)\n", line)
    assert match, line + process.stderr.read()
    return match[1]


@pytest.fixture(scope="module")
def stubs(address, connect):
    return connect(address)


def refusal_of(call, *arguments) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as refusal:
        call(*arguments)
    return refusal.value.code(), refusal.value.details()


def test_our_client_is_answered(address):
    with TextVAEClient(address, "toy") as client:
        assert client.reconstruct(["a  b", "c"]) == ["a b", "c"]
        assert client.encode(["ab"])["mean"].tolist() == [[2.0, 4.0, 6.0]]


def test_metadata_and_status(stubs):
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.model_spec.name = "toy"
    request.metadata_field.append("signature_def")
    answer = stubs.prediction.GetModelMetadata(request, 20)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert {"encode", "sample"} <= set(signatures.signature_def)
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    (state,) = stubs.model.GetModelStatus(request, 20).model_version_status
    assert (state.version, state.state) == (7, state.AVAILABLE)


def test_health(stubs):
    check = health_pb2_grpc.HealthStub(stubs.channel).Check
    request = health_pb2.HealthCheckRequest(service="tensorflow.serving.ModelService")
    assert refusal_of(check, request, 20) == (
        grpc.StatusCode.NOT_FOUND,
        "Unknown service",
    )
    request.service = "tensorflow.serving.PredictionService"
    assert check(request, 20).status == health_pb2.HealthCheckResponse.SERVING


def test_refusals_keep_their_code_and_their_line(stubs, make_request):
    predict = stubs.prediction.Predict
    code, line = refusal_of(predict, make_request("encode", text=[1.0]), 20)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "string but float is provided" in line
    request = make_request("encode", text=["a"])
    request.model_spec.name = "x"
    assert refusal_of(predict, request, 20) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Latest(x)",
    )
    assert refusal_of(predict, make_request("dream"), 20) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        'Serving signature key "dream" not found.',
    )
    code, _ = refusal_of(predict, make_request("encode", text=["a" * 2**21]), 20)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert refusal_of(stubs.channel.unary_unary(PREDICT), b"\xff", 20) == (
        grpc.StatusCode.INTERNAL,
        "Malformed request",
    )


def test_other_methods_are_unimplemented(stubs):
    line = "This server implements Predict, GetModelMetadata and GetModelStatus only."
    refusal = (grpc.StatusCode.UNIMPLEMENTED, line)
    request = classification_pb2.ClassificationRequest()
    assert refusal_of(stubs.prediction.Classify, request, 20) == refusal
    request = model_management_pb2.ReloadConfigRequest()
    reload_config = stubs.model.HandleReloadConfigRequest
    assert refusal_of(reload_config, request, 20) == refusal
    unknown = stubs.channel.unary_unary("/tensorflow.serving.SessionService/SessionRun")
    code, _ = refusal_of(unknown, b"", 20)
    assert code == grpc.StatusCode.UNIMPLEMENTED


def test_two_replicas_answer_a_call_each_until_its_deadline(stubs, make_request):
    request = make_request("spin", steps=np.int32(20_000_000))  # minutes
    predict = stubs.prediction.Predict
    both = [predict.future(request, timeout=2) for _ in range(2)]
    time.sleep(0.5)
    assert refusal_of(stubs.predict, "sample") == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "At most 1 calls may be in flight",
    )
    assert {call.code() for call in both} == {grpc.StatusCode.DEADLINE_EXCEEDED}
    time.sleep(0.5)
    for _ in range(8):  # neither computes any more
        assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]


def test_terminated_program_finishes_its_calls_and_leaves_no_process(
    process, mark, stubs, make_request
):
    names = " ".join(processes(mark))
    assert names.count("ServeReplica") == 2 and "haproxy" in names
    request = make_request("spin", steps=np.int32(500_000))
    in_flight = stubs.prediction.Predict.future(request, timeout=60)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert in_flight.result().outputs["trace"].float_val == [8.0]
    assert process.wait(timeout=60) == 0
    assert process.stdout.read() == ""
    assert process.stderr.read() == ""
    assert processes(mark) == []
    code, _ = refusal_of(stubs.predict, "sample")
    assert code == grpc.StatusCode.UNAVAILABLE


def test_model_that_cannot_be_loaded_is_one_line_and_ends_all(tmp_path):
    (tmp_path / "1").mkdir()
    mark = uuid.uuid4().hex
    process = start(tmp_path, mark)
    written, errors = process.communicate(timeout=300)
    assert (process.returncode, written) == (2, "")
    assert errors.startswith(f"ray_serve.py: {tmp_path}/1: cannot be loaded: ")
    assert errors.count("\n") == 1
    assert processes(mark) == []


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], "give one of --model_base_path and --models_config"),
        (["--model_base_path=/no/such"], "/no/such: no such directory"),
        (["--model_base_path=a", "more"], "unexpected argument 'more'"),
        (["--model_base_path={base_path}"], "needs: pip install keras_textvae[ray]"),
    ],
)
def test_mistake_on_the_command_line_is_one_line(
    arguments, line, base_path, capsys, monkeypatch
):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setitem(sys.modules, "ray", None)
    arguments = [argument.format(base_path=base_path) for argument in arguments]
    assert run_program(program, [*arguments, "--port=0"]) == 2
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", f"ray_serve.py: {line}\n")


def test_port_in_use_is_refused(base_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        arguments = [f"--model_base_path={base_path}", f"--port={port}"]
        assert run_program(program, arguments) == 2
    line = f"ray_serve.py: 127.0.0.1:{port}: Address already in use\n"
    assert capsys.readouterr().err == line
