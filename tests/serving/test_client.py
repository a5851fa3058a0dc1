"""The client's class, and its program as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf

from serving.client import TextVAEClient

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def client(server):
    with TextVAEClient(server.address, "toy") as client:
        yield client


@pytest.fixture
def program(server):
    """Arguments and standard input -> the finished process."""

    def program(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
        address = f"--address={server.address}", "--model_name=toy"
        return subprocess.run(
            [sys.executable, "serving/client.py", *address, *arguments],
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return program


def test_sample_has_a_text_for_each_seed(client):
    texts = client.sample([3, 4])
    assert all(isinstance(text, str) for text in texts)
    assert texts == client.sample([3]) + client.sample([4])
    assert client.sample(range(3, 5), temperature=1.0, top_k=0, top_p=1.0) == texts
    assert client.sample([3], temperature=2.0) != texts[:1]
    assert client.sample([3], top_k=1) != texts[:1]
    assert client.sample([3], top_p=0.5) != texts[:1]


def test_interpolation_goes_from_start_to_end(client):
    assert client.interpolate(["a", "b"], ["c", "d"], steps=3) == [
        ["a", "between", "c"],
        ["b", "between", "d"],
    ]
    assert len(client.interpolate(["a"], ["b"])[0]) == 8


def test_numbers_come_as_arrays(client):
    outputs = client.encode(["ab", "c"])
    np.testing.assert_array_equal(outputs["mean"], [[2, 4, 6], [1, 2, 3]])
    np.testing.assert_array_equal(outputs["log_var"], [[-2, -4, -6], [-1, -2, -3]])
    np.testing.assert_array_equal(outputs["kl"], [2, 1])
    assert outputs["mean"].dtype == np.float32
    np.testing.assert_array_equal(client.score(["ab"])["bound"], [4])
    np.testing.assert_array_equal(client.score(["ab"], seed=5)["bound"], [9])


def test_texts_go_both_ways(client):
    texts = ["h\u00e9  \U0001f600", "a\0b", ""]
    assert client.reconstruct(texts) == ["h\u00e9 \U0001f600", "a\0b", ""]
    assert client.decode(np.float32([[1, 2, 3]])) == ["1.000000 2.000000 3.000000"]
    assert client.decode([[1, 2, 3]]) == ["1.000000 2.000000 3.000000"]
    assert client.encode([])["mean"].shape == (0, 3)


def test_invalid_utf8_in_an_answer_is_replaced(client):
    outputs = client.predict("reconstruct", text=np.array([b"a\xff"], object))
    assert outputs["text"].tolist() == ["a\ufffd"]


def test_content_form_of_an_answer_is_read(client, monkeypatch):
    """TensorFlow Serving can be told to answer with `tensor_content`."""
    from tensorflow_serving.apis import predict_pb2

    response = predict_pb2.PredictResponse()
    response.outputs["x"].CopyFrom(tf.make_tensor_proto([[1.5, 2.5]], tf.float32))
    assert response.outputs["x"].tensor_content
    monkeypatch.setattr(client._stub, "Predict", lambda request, timeout: response)
    np.testing.assert_array_equal(client.predict("any")["x"], [[1.5, 2.5]])


def test_one_string_for_many_is_refused(client):
    with pytest.raises(ValueError, match="must be a list of str. Received: 'abc'"):
        client.reconstruct("abc")


def test_failure_carries_its_status_code(server, client):
    with TextVAEClient(server.address, "other") as other:
        with pytest.raises(grpc.RpcError) as refusal:
            other.sample([0])
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    with TextVAEClient(server.address, "toy", timeout=0.2) as hasty:
        with pytest.raises(grpc.RpcError) as late:
            hasty.predict("spin", steps=np.array(2**31 - 1, np.int32))
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert client.sample([0])


def test_program_prints_texts(program, client):
    result = program("sample", "--count=2", "--seed=7", "--temperature=2")
    assert result.stdout.splitlines() == client.sample([7, 8], temperature=2.0)
    assert result.stderr == ""
    assert result.returncode == 0
    result = program("interpolate", "--start=a", "--end=b", "--steps=3")
    assert result.stdout == "a\nbetween\nb\n"
    result = program("reconstruct", stdin="it  rains\nhe  sang\n")
    assert result.stdout == "it rains\nhe sang\n"


def test_program_prints_json_that_it_can_read(program):
    result = program("encode", "--json", "--text=ab", "--text=c")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["text"] for record in records] == ["ab", "c"]
    assert records[0]["mean"] == [2, 4, 6]
    decoded = program("decode", stdin=result.stdout + "[0, 0, 1]\n")
    assert decoded.stdout.splitlines() == [
        "2.000000 4.000000 6.000000",
        "1.000000 2.000000 3.000000",
        "0.000000 0.000000 1.000000",
    ]
    result = program("score", "--text=ab", "--seed=5")
    assert result.stdout == "text: ab\tbound: 9.0\tkl: 2.0\treconstruction: 7.0\n"


@pytest.mark.parametrize(
    "arguments, code, line",
    [
        (["sample", "--model_name=x"], 1, "NOT_FOUND: Servable not found for request"),
        (["dream"], 2, "expected one command of sample, interpolate, "),
        (["interpolate", "--start=a"], 2, "interpolate needs --start and --end"),
        (["reconstruct"], 2, "no text: give --text, or one a line on standard input"),
        (["decode"], 2, "not a vector in JSON. Received: {"),
        (["decode", "--json"], 2, "no vector: give one a line on standard input"),
        (["sample", "--address="], 2, "--address must be host:port"),
        (["sample", "--address=127.0.0.1:1"], 1, "UNAVAILABLE: failed to connect to"),
        (["sample", "--timeout=1e-6"], 1, "DEADLINE_EXCEEDED: "),
        (["sample", "--count=0"], 2, "flag --count=0: "),
        (["sample", f"--seed={2**63}"], 2, "Python int too large to convert"),
    ],
)
def test_program_says_what_is_wrong_in_one_line(program, arguments, code, line):
    result = program(*arguments, stdin="{}\n" if arguments == ["decode"] else "")
    assert result.returncode == code
    assert result.stdout == ""
    assert result.stderr.startswith(f"client.py: {line}")
    assert result.stderr.count("\n") == 1


def test_client_leaves_tensorflow_alone():
    """It neither imports TensorFlow nor spoils a later import of it."""
    script = """
import sys
from serving import client
assert not {"tensorflow", "keras", "keras_textvae"} & set(sys.modules)
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
assert predict_pb2.PredictRequest is client.predict_pb2.PredictRequest
request = predict_pb2.PredictRequest()
request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
assert tf.make_ndarray(request.inputs["x"]) == [1.0]
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
