"""The client's class, mostly against the embedded server."""

import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest

from serving.client import TextVAEClient

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def client(server):
    with TextVAEClient(server.address, "toy") as client:
        yield client


def code_of(client: TextVAEClient) -> grpc.StatusCode:
    with client, pytest.raises(grpc.RpcError) as failure:
        client.sample([0])
    return failure.value.code()


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
    np.testing.assert_array_equal(outputs["unknown"], [0, 1])
    assert outputs["mean"].dtype == np.float32
    assert outputs["unknown"].dtype == np.int32
    np.testing.assert_array_equal(client.score(["ab"])["bound"], [4])
    np.testing.assert_array_equal(client.score(["ab"], seed=5)["bound"], [9])


def test_inputs_are_those_that_the_server_declares(client):
    assert client.inputs("interpolate") == {
        "start": (np.dtype(object), 1),
        "end": (np.dtype(object), 1),
        "steps": (np.dtype(np.int32), 0),
    }
    assert client.inputs("decode") == {"z": (np.dtype(np.float32), 2)}
    signatures = client.signatures()
    assert signatures["interpolate"] == ["end", "start", "steps"]
    assert all(names == sorted(client.inputs(s)) for s, names in signatures.items())
    with pytest.raises(ValueError, match="no such signature, only decode, .*: dream"):
        client.inputs("dream")


def test_texts_go_both_ways(client):
    texts = ["h\u00e9  \U0001f600", "a\0b", ""]
    assert client.reconstruct(texts) == ["h\u00e9 \U0001f600", "a\0b", ""]
    assert client.decode(np.float32([[1, 2, 3]])) == ["1.000000 2.000000 3.000000"]
    assert client.decode([[1, 2, 3]]) == ["1.000000 2.000000 3.000000"]
    assert client.encode([])["mean"].shape == (0, 3)


def test_rows_beyond_a_call_go_in_several(server, client, serve, echo):
    texts = [f"a  {number}" for number in range(5)]
    with TextVAEClient(server.address, "toy", rows_per_call=2) as small:
        assert small.reconstruct(texts) == [f"a {number}" for number in range(5)]
        assert small.sample(range(5)) == client.sample(range(5))
        paths = client.interpolate(texts, texts[::-1], steps=3)
        assert small.interpolate(texts, texts[::-1], steps=3) == paths
        for name, column in client.score(texts, seed=5).items():
            np.testing.assert_array_equal(small.score(texts, seed=5)[name], column)
    servicer = echo()
    with TextVAEClient(serve(servicer)) as default:
        assert default.impute(["a"] * 513) == ["a"] * 513
    sizes = [
        request.inputs["text"].tensor_shape.dim[0].size for request in servicer.requests
    ]
    assert sizes == [256, 256, 1]


def test_version_and_label_are_sent(server, serve, echo):
    assert TextVAEClient(server.address, "toy", version=7).sample([0])
    wrong = TextVAEClient(server.address, "toy", version=6)
    assert code_of(wrong) == grpc.StatusCode.NOT_FOUND
    servicer = echo()
    address = serve(servicer)
    for options in ({}, {"version": 0}, {"label": "stable"}):
        with TextVAEClient(address, "toy", **options) as client:
            client.reconstruct(["a"])
    plain, version, label = (request.model_spec for request in servicer.requests)
    assert plain.WhichOneof("version_choice") is None
    assert version.HasField("version")
    assert label.version_label == "stable"
    assert {spec.name for spec in (plain, version, label)} == {"toy"}


@pytest.mark.parametrize(
    "options, message",
    [
        ({"address": ""}, "address must be host:port. Received: ''"),
        ({"address": "host"}, "address must be host:port. Received: 'host'"),
        ({"timeout": 0}, "timeout must be positive, finite. Received: 0"),
        ({"timeout": float("nan")}, "timeout must be positive, finite. Received: nan"),
        ({"timeout": float("inf")}, "timeout must be positive, finite. Received: inf"),
        ({"rows_per_call": 0}, "rows_per_call must be positive. Received: 0"),
        ({"version": 1, "label": "a"}, "give a version or a label, not both"),
    ],
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError) as refusal:
        TextVAEClient(**{"address": "127.0.0.1:1"} | options)
    assert str(refusal.value) == message


def test_wrong_rows_are_refused(client):
    with pytest.raises(ValueError, match="must be a list of str. Received: 'abc'"):
        client.reconstruct("abc")
    with pytest.raises(ValueError, match=r"must be \[B, D\]. Received: shape \(3,\)"):
        client.decode([1, 2, 3])
    with pytest.raises(ValueError, match="row counts must agree. Received: "):
        client.interpolate(["a", "b"], ["c"])


def test_failure_carries_its_status_code(server, client):
    other = TextVAEClient(server.address, "other")
    assert code_of(other) == grpc.StatusCode.NOT_FOUND
    with TextVAEClient(server.address, "toy", timeout=0.2) as hasty:
        with pytest.raises(grpc.RpcError) as late:
            hasty.predict("spin", steps=np.array(2**31 - 1, np.int32))
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert client.sample([0])


def test_client_leaves_tensorflow_alone():
    """It neither imports TensorFlow nor spoils a later import of it."""
    script = """
import sys
from serving.client import protocol
assert not {"tensorflow", "keras", "keras_textvae"} & set(sys.modules)
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2
assert predict_pb2.PredictRequest is protocol.predict_pb2.PredictRequest
request = predict_pb2.PredictRequest()
request.inputs["x"].CopyFrom(tf.make_tensor_proto([1.0]))
assert tf.make_ndarray(request.inputs["x"]) == [1.0]
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
