"""Good calls over gRPC, and the limits of time, of number and of size."""

import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from serving.server import Server

FOREVER = np.int32(2**31 - 1)  # steps of `spin`: hours


def eventually(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def is_idle() -> bool:
    """Whether this process, the server in it included, leaves the cores alone."""
    before = time.process_time()
    time.sleep(0.5)
    return time.process_time() - before < 0.1  # CPU seconds; `spin` takes 0.5


def test_response_says_what_answered(stubs, make_request):
    request = make_request("", seed=np.array([1], np.int64))
    response = stubs.prediction.Predict(request, timeout=20)
    assert response.model_spec.name == "toy"
    assert response.model_spec.version.value == 7
    assert response.model_spec.signature_name == "serving_default"
    assert not response.model_spec.version_label


def test_version_can_be_asked_for(stubs, make_request):
    request = make_request("reconstruct", text=["a"])
    request.model_spec.version.value = 7
    assert stubs.prediction.Predict(request, 20).outputs["text"].string_val == [b"a"]


def test_outputs_are_in_value_fields_as_tensorflow_serving_sends_them(
    stubs, make_request
):
    response = stubs.prediction.Predict(make_request("encode", text=["ab", "c"]), 20)
    assert set(response.outputs) == {"mean", "log_var", "kl", "unknown"}
    assert list(response.outputs["kl"].float_val) == [2.0, 1.0]
    assert list(response.outputs["unknown"].int_val) == [0, 1]
    assert list(response.outputs["mean"].float_val) == [2.0, 4.0, 6.0, 1.0, 2.0, 3.0]
    sizes = [dim.size for dim in response.outputs["mean"].tensor_shape.dim]
    assert sizes == [2, 3]
    assert not response.outputs["mean"].tensor_content


def test_output_filter_selects(stubs, make_request):
    request = make_request("encode", text=["ab"])
    request.output_filter.append("kl")
    assert set(stubs.prediction.Predict(request, timeout=20).outputs) == {"kl"}


def test_missing_options_take_their_defaults(stubs):
    seed = np.array([4, 5], np.int64)
    default = stubs.predict("sample", seed=seed)["text"]
    spelled_out = stubs.predict(
        "sample",
        seed=seed,
        temperature=np.float32(1),
        top_k=np.int32(0),
        top_p=np.float32(1),
    )["text"]
    assert default.tolist() == spelled_out.tolist()
    warmer = stubs.predict("sample", seed=seed, temperature=np.float32(2))["text"]
    assert default.tolist() != warmer.tolist()
    assert stubs.predict("interpolate", start=["a"], end=["b"])["text"].shape == (1, 8)


def test_same_seed_gives_the_same_bytes(stubs, make_request):
    request = make_request("sample", seed=np.arange(20))
    first = stubs.prediction.Predict(request, timeout=20).outputs["text"]
    second = stubs.prediction.Predict(request, timeout=20).outputs["text"]
    assert first.SerializeToString() == second.SerializeToString()
    assert len(set(first.string_val)) == 20


def test_strings_come_through_whole(stubs):
    texts = [b"a\0b\0", b"\xff\xfe", "h\u00e9 \U0001f600".encode(), b"", b"a" * 2**20]
    answer = stubs.predict("reconstruct", text=texts)["text"]
    assert answer[0] == texts[0]
    assert answer[2:].tolist() == texts[2:]
    assert len(answer) == 5


def test_ten_thousand_rows_and_none(stubs):
    texts = [f"row {row}".encode() for row in range(10_000)]
    assert stubs.predict("reconstruct", text=texts)["text"].tolist() == texts
    empty = stubs.predict("encode", text=np.array([], object).astype("S1"))
    assert empty["mean"].shape == (0, 3)


def test_concurrent_calls_get_their_own_answers(stubs, make_request):
    calls = [
        stubs.prediction.Predict.future(make_request("encode", text=["a" * n]), 20)
        for n in range(50)
    ]
    lengths = [list(call.result().outputs["kl"].float_val) for call in calls]
    assert lengths == [[float(n)] for n in range(50)]


def test_deadline_stops_the_computation(stubs, make_request):
    with pytest.raises(grpc.RpcError) as late:
        stubs.prediction.Predict(make_request("spin", steps=FOREVER), timeout=0.3)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert eventually(is_idle)
    assert stubs.predict("spin", steps=np.int32(3), timeout=None)["trace"] == 8.0


@pytest.fixture
def narrow(base_path, connect):
    """A server of one call at a time, and of 1 MiB a message."""
    with Server(
        base_path, "toy", max_calls_in_flight=1, grpc_max_message_mib=1
    ) as server:
        yield server, connect(server.address)


def test_one_call_too_many_is_refused_and_status_still_answers(narrow, make_request):
    _, stubs = narrow

    def answer_is(code, details):
        call = stubs.prediction.Predict.future(make_request("encode", text=["a"]), 20)
        return (call.code(), call.details()) == (code, details)

    refusal = grpc.StatusCode.RESOURCE_EXHAUSTED, "At most 1 calls may be in flight"
    long = stubs.prediction.Predict.future(make_request("spin", steps=FOREVER), 3)
    time.sleep(0.2)
    assert eventually(lambda: answer_is(*refusal), seconds=2)
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "toy"
    assert stubs.model.GetModelStatus(status, timeout=1).model_version_status
    assert not long.done()
    assert long.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert eventually(lambda: answer_is(grpc.StatusCode.OK, ""))


def test_message_over_the_limit_is_refused(narrow):
    _, stubs = narrow
    assert len(stubs.predict("reconstruct", text=[b"a" * 2**19])["text"][0]) == 2**19
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.predict("reconstruct", text=[b"a" * 2**20])
    assert refusal.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]


def test_stop_ends_a_call_that_outlasts_the_grace(narrow, make_request):
    server, stubs = narrow
    endless = stubs.prediction.Predict.future(make_request("spin", steps=FOREVER))
    assert eventually(lambda: not is_idle())
    assert endless.running()
    server.stop(grace=0.1)
    assert isinstance(endless.exception(timeout=5), grpc.RpcError)
    assert eventually(is_idle)


def test_request_may_carry_values_in_fields_or_as_content(stubs, make_request):
    request = make_request("decode")
    content = tf.make_tensor_proto(np.float32([[1, 2, 3]]))
    assert content.tensor_content
    fields = predict_pb2.PredictRequest().inputs["z"]
    fields.CopyFrom(content)
    fields.tensor_content = b""
    fields.float_val.extend([1, 2, 3])
    answers = []
    for proto in (content, fields):
        request.inputs["z"].CopyFrom(proto)
        answers += stubs.prediction.Predict(request, 20).outputs["text"].string_val
    assert answers == [b"1.000000 2.000000 3.000000"] * 2
