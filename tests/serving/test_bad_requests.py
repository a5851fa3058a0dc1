"""Each bad request gets its status code and line, and the next good one its answer."""

import gc
import re

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def tensor(dtype=tf.string, sizes=(1,), **fields) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=tf.as_dtype(dtype).as_datatype_enum, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


def spec(**fields):
    """An edit of a good request: another model_spec."""

    def edit(request):
        request.ClearField("model_spec")
        for name, value in ({"name": "toy"} | fields).items():
            if name == "version":
                request.model_spec.version.value = value
            else:
                setattr(request.model_spec, name, value)

    return edit


def outputs(*names):
    return lambda request: request.output_filter.extend(names)


def call(signature, **inputs):
    """An edit of a good request: another signature, with these inputs and no other."""

    def edit(request):
        request.model_spec.signature_name = signature
        request.ClearField("inputs")
        for name, value in inputs.items():
            if not isinstance(value, tensor_pb2.TensorProto):
                value = tf.make_tensor_proto(value)
            request.inputs[name].CopyFrom(value)

    return edit


def text(proto):
    return call("reconstruct", text=proto)


INT64 = np.array([1, 2], np.int64)

BAD_REQUESTS = {
    # The model.
    "empty body": (lambda request: request.Clear(), INVALID, "Missing ModelSpec"),
    "no model name": (spec(name=""), INVALID, "ModelSpec has no name specified."),
    "unknown model": (
        spec(name="x"),
        NOT_FOUND,
        r"Servable not found for request: Latest\(x\)",
    ),
    "path as model": (spec(name="../toy"), NOT_FOUND, r"Latest\(\.\./toy\)"),
    "absent version": (
        spec(version=8),
        NOT_FOUND,
        r"Servable not found for request: Specific\(toy, 8\)",
    ),
    "version on disk only": (spec(version=3), NOT_FOUND, r"Specific\(toy, 3\)"),
    "negative version": (spec(version=-1), NOT_FOUND, r"Specific\(toy, -1\)"),
    "unknown label": (
        spec(version_label="stable"),
        INVALID,
        "Unrecognized servable version label: stable",
    ),
    "unknown signature": (
        spec(signature_name="x"),
        grpc.StatusCode.FAILED_PRECONDITION,
        'Serving signature key "x" not found.',
    ),
    "the loader's signature": (
        spec(signature_name="__saved_model_init_op"),
        grpc.StatusCode.FAILED_PRECONDITION,
        'Serving signature key "__saved_model_init_op" not found.',
    ),
    # Names of inputs and outputs.
    "no inputs": (
        call("reconstruct"),
        INVALID,
        r"input size does not match signature: 0!=1 .* Missing but required: \{text\}",
    ),
    "an input without a default missing": (
        call("sample", temperature=1.0),
        INVALID,
        "input alias: seed.* not found in request and no default value provided",
    ),
    "extra input": (
        call("reconstruct", text=["a"], more=["b"]),
        INVALID,
        r"input size does not match signature: 2!=1 .* Sent extra: \{more\}",
    ),
    "extra input in place of an optional one": (
        call("sample", seed=INT64, more=1.0),
        INVALID,
        "Inputs contains invalid name.* request input: {more,seed}",
    ),
    "wrong input name": (call("reconstruct", texts=["a"]), INVALID, "input alias"),
    "internal tensor name as input": (
        call("reconstruct", **{"reconstruct_text:0": ["a"]}),
        INVALID,
        "input alias: text",
    ),
    "unknown output": (
        outputs("x"),
        INVALID,
        r"output tensor alias not found in signature: x .* the set \{text\}",
    ),
    "empty output name": (outputs(""), INVALID, "output tensor alias not found"),
    "internal tensor name as output": (
        outputs("StatefulPartitionedCall:0"),
        INVALID,
        "output tensor alias not found",
    ),
    "output twice": (
        outputs("text", "text"),
        INVALID,
        "duplicate output tensor alias: text",
    ),
    # Data types: nothing is cast.
    "float for string": (
        text([1.0]),
        INVALID,
        'Expects input "text" to be string but float is provided',
    ),
    "int64 for string": (text(INT64), INVALID, "string but int64 is provided"),
    "bool for string": (text([True]), INVALID, "string but bool is provided"),
    "complex for string": (text([1j]), INVALID, "string but complex128 is provided"),
    "string for float": (call("decode", z=[["1"] * 3]), INVALID, "but string is"),
    "double for float": (
        call("decode", z=np.ones((1, 3))),
        INVALID,
        "float but double is provided",
    ),
    "bfloat16 for float": (
        call("decode", z=tensor(tf.bfloat16, (1, 3), half_val=[0, 0, 0])),
        INVALID,
        "float but bfloat16 is provided",
    ),
    "int32 for int64": (call("sample", seed=[1, 2]), INVALID, "int64 but int32 is"),
    "no data type": (
        text(tensor_pb2.TensorProto()),
        INVALID,
        "tensor parsing error: text",
    ),
    "unknown data type": (
        text(tensor_pb2.TensorProto(dtype=9999)),
        INVALID,
        "tensor parsing error: text",
    ),
    "resource": (text(tensor(tf.resource)), INVALID, "string but resource is"),
    "variant": (text(tensor(tf.variant)), INVALID, "string but variant is"),
    # Shapes: some of these end a TensorFlow process that runs the op unguarded.
    "scalar string": (
        text("a"),
        INVALID,
        r'Expects input "text" to have shape \(None,\) but \(\) is provided',
    ),
    "shape of unknown rank": (
        text(
            tensor_pb2.TensorProto(
                dtype=7, tensor_shape={"unknown_rank": True}, string_val=[b"a"]
            )
        ),
        INVALID,
        r"shape \(None,\) but \(\) is provided",
    ),
    "no columns": (text(tensor(sizes=(2, 0))), INVALID, r"but \(2, 0\) is provided"),
    "rank 2": (text([["a"]]), INVALID, r"but \(1, 1\) is provided"),
    "rank 3": (text([[["a"]]]), INVALID, r"but \(1, 1, 1\) is provided"),
    "wrong width": (
        call("decode", z=np.ones((1, 4), np.float32)),
        INVALID,
        r"\(None, 3\) but \(1, 4\) is provided",
    ),
    "vector for a scalar": (
        call("interpolate", start=["a"], end=["b"], steps=[3]),
        INVALID,
        r"shape \(\) but \(1,\) is provided",
    ),
    "negative size": (text(tensor(sizes=(-1,))), INVALID, "tensor parsing error: text"),
    "sizes that overflow": (
        text(tensor(sizes=(2**62, 2**62))),
        INVALID,
        "tensor parsing error: text",
    ),
    "300 dimensions": (
        text(tensor(sizes=(1,) * 300)),
        INVALID,
        "tensor parsing error: text",
    ),
    # Values.
    "short content": (
        call("decode", z=tensor(tf.float32, (1, 3), tensor_content=b"1234567")),
        INVALID,
        "tensor parsing error: z",
    ),
    "garbage for strings": (
        text(tensor(sizes=(3,), tensor_content=b"\xff\xff\xff\xff\xff")),
        INVALID,
        "tensor parsing error: text",
    ),
    "50 million strings in 11 bytes": (
        text(tensor(sizes=(50_000_000,))),
        INVALID,
        "tensor parsing error: text",
    ),
    "a long string repeated": (
        text(tensor(sizes=(10_000,), string_val=[b"a" * 10_000])),
        INVALID,
        "tensor parsing error: text",
    ),
    # What the model itself refuses.
    "assertion of the model": (call("fail", text=["a"]), INVALID, "^assertion failed"),
    "rows that do not agree": (
        call("interpolate", start=["a", "b"], end=["c"]),
        INVALID,
        "Shapes of all inputs must match",
    ),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_request_is_refused_and_the_next_is_answered(name, stubs, make_request):
    edit, code, line = BAD_REQUESTS[name]
    request = make_request("reconstruct", text=["it  rains"])
    edit(request)
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.prediction.Predict(request, timeout=20)
    assert refusal.value.code() == code
    assert "\n" not in refusal.value.details()
    assert re.search(line, refusal.value.details())
    assert stubs.predict("reconstruct", text=["it  rains"])["text"] == [b"it rains"]


def test_long_message_is_truncated_as_tensorflow_serving_does(stubs, make_request):
    request = make_request("é" * 5000)
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.prediction.Predict(request, timeout=20)
    details = refusal.value.details()
    assert details.startswith('Serving signature key "éé')
    assert details.endswith("...TRUNCATED")
    assert len(details.encode()) <= 1024 + len("...TRUNCATED")


def test_malformed_messages_are_refused_and_leave_nothing_behind(stubs):
    call = stubs.channel.unary_unary("/tensorflow.serving.PredictionService/Predict")

    def refuse():
        with pytest.raises(grpc.RpcError) as refusal:
            call(b"\xff\xff\xff", timeout=20)
        assert refusal.value.code() == grpc.StatusCode.INTERNAL
        assert refusal.value.details() == "Malformed request"

    refuse()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        refuse()
    gc.collect()
    assert len(gc.get_objects()) - before < 1000
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
