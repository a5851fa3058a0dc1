"""Bytes that are no request are refused, and the next request gets its answer."""

import contextlib
import gc
import socket

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2


def test_malformed_messages_are_refused_and_leave_nothing_behind(stubs):
    call = stubs.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")

    def refuse():
        with pytest.raises(grpc.RpcError) as refusal:
            call(b"\xff\xff\xff", timeout=20)
        assert refusal.value.code() == grpc.StatusCode.INTERNAL
        assert refusal.value.details() == "Malformed request"

    refuse()
    gc.freeze()  # objects of other tests, millions, are not walked
    try:
        for _ in range(200):
            refuse()
        gc.collect()
        assert len(gc.get_objects()) < 1000
    finally:
        gc.unfreeze()
    assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # how TLS begins
        bytes(range(256)) * 100,
    ],
)
def test_bytes_that_are_no_grpc_hurt_nobody(data, server, stubs):
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port))) as connection:
        with contextlib.suppress(ConnectionError):  # it need not listen to the end
            connection.sendall(data)
        assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]
    assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]


def test_oversized_headers_are_refused(stubs, make_request):
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.prediction.Predict(
            make_request("reconstruct", text=["a"]),
            timeout=20,
            metadata=[("x-large", "a" * 100_000)],
        )
    assert refusal.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]


def test_unknown_method_is_unimplemented(stubs):
    call = stubs.channel.unary_unary("/tensorflow.serving.PredictionService/Unknown")
    with pytest.raises(grpc.RpcError) as refusal:
        call(predict_pb2.PredictRequest().SerializeToString(), timeout=20)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
