"""What goes wrong around a server: it says so where it can, and serves on."""

import collections
import json
import re
import shutil
import signal

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from serving import server as program
from serving.saved_model import manifest
from serving.server import SPARE_THREADS, Server
from tests.conformance.requests import status
from tests.serving import http2
from tests.serving.conftest import under_load, wait_for

AVAILABLE, END = ModelVersionStatus.AVAILABLE, ModelVersionStatus.END
SECONDS = 0.02  # from one look at the disk to the next
WEIGHTS = "variables/variables.data-00000-of-00001"


@pytest.fixture(scope="module")
def with_weights(tmp_path_factory):
    """A version that has weights, checksums, and only operations that are allowed."""
    folder = tmp_path_factory.mktemp("with_weights") / "1"
    module = tf.Module()
    module.weights = tf.Variable(tf.ones([1000]))
    spec = tf.TensorSpec([None], tf.float32, "x")
    add = tf.function(lambda x: {"y": x + module.weights[0]}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), {"add": add})
    manifest.write(folder)
    return folder


def add(stubs) -> list[float]:
    return stubs.predict("add", 60, x=np.float32([1]))["y"].tolist()


def versions(stubs) -> list[ModelVersionStatus]:
    """The state of every version, newest first."""
    return stubs.model.GetModelStatus(status("toy")(0), 60).model_version_status


def states(stubs) -> dict[int, int]:
    return {entry.version: entry.state for entry in versions(stubs)}


def cut_short(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage, file, verify, line",
    [
        (cut_short, "saved_model.pb", False, "2: cannot be loaded: "),
        (cut_short, WEIGHTS, False, "2: cannot be loaded: "),
        (flip_a_bit, WEIGHTS, False, "2: cannot be loaded: .*[Cc]hecksum"),
        (flip_a_bit, WEIGHTS, True, f"2: refused: {WEIGHTS} was changed$"),
    ],
)
def test_a_damaged_version_is_named_and_the_good_one_serves(
    damage, file, verify, line, with_weights, tmp_path, connect
):
    (tmp_path / "1").symlink_to(with_weights)
    with Server(tmp_path, "toy", verify=verify, poll_seconds=SECONDS) as server:
        stubs = connect(server.address)
        with under_load(lambda: add(stubs)) as answers:
            copy = tmp_path / "copy"
            shutil.copytree(with_weights, copy)
            damage(copy / file)
            copy.rename(tmp_path / "2")
            wait_for(lambda: states(stubs) == {2: END, 1: AVAILABLE})
            before = len(answers)
            wait_for(lambda: len(answers) >= before + 20)
        assert all(answer == [2] for answer in answers)
        why = versions(stubs)[0].status
        assert why.error_code
        assert re.search(line, why.error_message), why


def test_a_version_deleted_under_load_serves_on(with_weights, tmp_path, connect):
    shutil.copytree(with_weights, tmp_path / "1")
    with Server(tmp_path, "toy", poll_seconds=SECONDS) as server:
        stubs = connect(server.address)
        with under_load(lambda: add(stubs)) as answers:
            shutil.rmtree(tmp_path / "1")
            (tmp_path / "2").mkdir()  # told of at the next look
            wait_for(lambda: states(stubs) == {2: END, 1: AVAILABLE})
            before = len(answers)
            wait_for(lambda: len(answers) >= before + 20)
        assert all(answer == [2] for answer in answers)


def in_flight(server: Server) -> int:
    servicer = server._servicer
    return servicer._max_calls_in_flight - servicer._free_calls._value


def test_a_client_that_sends_byte_by_byte_keeps_nobody_waiting(
    server, stubs, make_request
):
    message = make_request("reconstruct", text=["a  b"]).SerializeToString()
    sent = http2.opening() + http2.headers() + http2.data(message)
    with http2.connect(server.address) as slow:
        for byte in sent:
            slow.sendall(bytes([byte]))
            assert stubs.predict("reconstruct", text=["c  d"])["text"] == [b"c d"]
        assert b"a b" in b"".join(http2.answer(http2.frames(slow)))


def test_a_client_that_reads_slowly_keeps_nobody_waiting(server, stubs, make_request):
    steps = 5000
    request = make_request("interpolate", start=["a"], end=["b"], steps=np.int32(steps))
    message = http2.data(request.SerializeToString())
    with http2.connect(server.address) as slow:
        slow.sendall(http2.opening(window=0) + http2.headers() + message)
        frames = http2.frames(slow)
        next(frame for frame in frames if frame.kind == http2.HEADERS)
        wait_for(lambda: in_flight(server) == 0)
        slow.sendall(http2.allow(1000))
        answer = b""
        for piece in http2.answer(frames):
            answer += piece
            slow.sendall(http2.allow(1000))
            assert stubs.predict("reconstruct", text=["c  d"])["text"] == [b"c d"]
        assert answer.count(b"between") == steps - 2


def test_calls_of_clients_that_go_come_to_an_end(base_path, connect, make_request):
    request = make_request("spin", steps=np.int32(50_000))  # 0.2 seconds of a core
    whole = http2.opening() + http2.headers() + http2.data(request.SerializeToString())
    with Server(base_path, "toy", max_calls_in_flight=4) as server:
        stubs = connect(server.address)
        gone = [http2.connect(server.address) for _ in range(2)]
        for connection in gone:
            connection.sendall(whole)
        cancelled = [stubs.prediction.Predict.future(request) for _ in range(2)]
        wait_for(lambda: in_flight(server) == 4)
        for call in cancelled:
            call.cancel()
        for connection in gone:
            connection.close()
        wait_for(lambda: in_flight(server) == 0)
        assert stubs.predict("reconstruct", text=["a  b"])["text"] == [b"a b"]


@pytest.mark.parametrize("vanish", [False, True])
def test_clients_gone_amid_a_request_leave_no_thread_behind(
    vanish, base_path, connect, monkeypatch
):
    if vanish:  # without a word: who is asked does not answer
        monkeypatch.setattr(program, "PING_AFTER", 0.2)
        monkeypatch.setattr(program, "PING_PATIENCE", 0.2)
    with Server(base_path, "toy", max_calls_in_flight=1) as server:
        begun = [http2.headers(2 * number + 1) for number in range(1 + SPARE_THREADS)]
        with http2.connect(server.address) as gone:
            gone.sendall(http2.opening() + b"".join(begun))
            if vanish:
                assert [*http2.frames(gone)]  # until the server ends the connection
        stubs = connect(server.address)
        assert stubs.predict("reconstruct", 60, text=["a  b"])["text"] == [b"a b"]


def test_sigterm_under_load_fails_no_call_that_was_accepted(
    base_path, start_server, connect, make_request
):
    process, address, errors = start_server(
        f"--model_base_path={base_path}", "--model_name=toy", "--log_calls"
    )
    predict = connect(address).prediction.Predict
    request = make_request("spin", steps=np.int32(100))

    def code():
        try:
            predict(request, 60)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    with under_load(code, clients=32) as codes:
        wait_for(lambda: codes.count("OK") >= 50)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    lines = [json.loads(line) for line in errors.read_text().splitlines()]
    logged = collections.Counter(line["code"] for line in lines)
    assert set(codes) == set(logged) == {"OK", "UNAVAILABLE"}
    assert codes.count("OK") == logged["OK"]
