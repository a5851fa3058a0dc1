"""The servicer without gRPC: labels, what is observed, and what it keeps to itself."""

import threading
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

from serving.models import ModelConfig, Models
from serving.service import Call, Servicer

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def metadata_request():
    request = get_model_metadata_pb2.GetModelMetadataRequest()
    request.metadata_field.append("signature_def")
    request.model_spec.name = "toy"
    return request


def status_request(**spec):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    for name, value in spec.items():
        if name == "version":
            request.model_spec.version.value = value
        else:
            setattr(request.model_spec, name, value)
    return request


class Context:
    """All that a host has to offer."""

    code = None
    details = None

    def __init__(self, time_remaining: float | None = None):
        self.time_remaining = lambda: time_remaining

    def set_code(self, code):
        self.code = code

    def set_details(self, details):
        self.details = details


class Broken(Models):
    """Models that cannot be looked up."""

    def __init__(self, error: Exception):
        super().__init__([])
        self.error = error

    def find(self, name, version=None, label=None):
        raise self.error


@pytest.fixture(scope="module")
def models(base_path, tmp_path_factory):
    """Version 7, labelled; a newer one that is broken."""
    path = tmp_path_factory.mktemp("versions")
    (path / "7").symlink_to(base_path / "7")
    (path / "8").mkdir()
    models = Models([ModelConfig("toy", path, labels={"stable": 7, "next": 9})])
    models.load()
    yield models
    models.close()


@pytest.fixture
def calls():
    """What was observed."""
    return []


@pytest.fixture
def servicer(models, calls):
    return Servicer(models, max_calls_in_flight=1, observe=calls.append)


def test_servicer_answers_any_host(servicer, make_request):
    context = Context()
    response = servicer.Predict(make_request("reconstruct", text=["a  b"]), context)
    assert response.outputs["text"].string_val == [b"a b"]
    assert context.code is None
    assert len(servicer.GetModelStatus(status_request(), context).model_version_status)
    assert servicer.GetModelMetadata(metadata_request(), context).metadata


def test_servicer_sets_the_code_and_gives_the_call_back(servicer, make_request):
    for _ in range(3):  # more than there are calls in flight
        context = Context()
        servicer.Predict(make_request("unknown"), context)
        assert context.code == grpc.StatusCode.FAILED_PRECONDITION
        assert context.details == 'Serving signature key "unknown" not found.'


@pytest.mark.parametrize("time_remaining", [0.0, -1.0])
def test_no_time_left_is_deadline_exceeded(servicer, make_request, time_remaining):
    context = Context(time_remaining)
    servicer.Predict(make_request("reconstruct", text=["a"]), context)
    assert context.code == grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize(
    "error, code, line",
    [
        (KeyError("secret"), grpc.StatusCode.INTERNAL, "Internal KeyError"),
        (MemoryError(), grpc.StatusCode.RESOURCE_EXHAUSTED, "Out of memory"),
    ],
)
def test_no_exception_gets_through(error, code, line, make_request):
    context = Context()
    servicer = Servicer(Broken(error), max_calls_in_flight=1)
    response = servicer.Predict(make_request("reconstruct", text=["a"]), context)
    assert (context.code, context.details) == (code, line)
    assert not response.outputs


def test_limit_on_calls_must_be_positive():
    with pytest.raises(ValueError, match="Received: max_calls_in_flight=0"):
        Servicer(Models([]), max_calls_in_flight=0)


def test_label_finds_its_version(servicer, make_request):
    request = make_request("reconstruct", text=["a"])
    request.model_spec.version_label = "stable"
    context = Context()
    response = servicer.Predict(request, context)
    assert context.code is None
    assert response.model_spec.version.value == 7
    assert not response.model_spec.version_label

    request = metadata_request()
    request.model_spec.version_label = "stable"
    response = servicer.GetModelMetadata(request, context)
    assert context.code is None
    assert response.model_spec.version.value == 7


@pytest.mark.parametrize(
    "label, code, line",
    [
        ("x", INVALID, "Unrecognized servable version label: x"),
        ("next", NOT_FOUND, "Servable not found for request: Specific(toy, 9)"),
    ],
)
def test_label_without_a_version_is_refused(servicer, make_request, label, code, line):
    predict, metadata = make_request("reconstruct", text=["a"]), metadata_request()
    for method, request in (
        (servicer.Predict, predict),
        (servicer.GetModelMetadata, metadata),
    ):
        request.model_spec.version_label = label
        context = Context()
        method(request, context)
        assert (context.code, context.details) == (code, line)


def test_status_says_why_a_version_is_not_served(servicer):
    response = servicer.GetModelStatus(
        status_request(version_label="ignored"), Context()
    )
    broken, good = response.model_version_status
    state = get_model_status_pb2.ModelVersionStatus
    assert (good.version, good.state) == (7, state.AVAILABLE)
    assert (broken.version, broken.state) == (8, state.END)
    assert broken.status.error_code == grpc.StatusCode.UNKNOWN.value[0]
    assert "8: cannot be loaded: " in broken.status.error_message

    response = servicer.GetModelStatus(status_request(version=8), Context())
    assert list(response.model_version_status) == [broken]


def test_call_is_observed(servicer, calls, make_request):
    servicer.Predict(make_request("encode", text=["a", "b", "c"]), Context())
    (call,) = calls
    assert call == Call(
        model="toy",
        known=True,
        version=7,
        signature="encode",
        rows=3,
        code=grpc.StatusCode.OK,
        seconds=call.seconds,
        runtime_seconds=call.runtime_seconds,
    )
    assert 0 < call.runtime_seconds < call.seconds


def test_rows_are_those_of_the_first_input_that_has_any(servicer, calls, make_request):
    z = np.zeros((4, 3), np.float32)
    for request in (
        make_request(seed=np.array([1, 2]), temperature=np.float32(1)),
        make_request("decode", z=z),
        make_request("spin", steps=np.int32(1)),
        make_request("spin"),
    ):
        servicer.Predict(request, Context())
    assert [call.rows for call in calls] == [2, 4, None, None]


@pytest.mark.parametrize(
    "name, signature, known, version, code",
    [
        ("toy", "x", True, 7, grpc.StatusCode.FAILED_PRECONDITION),
        ("x", "", False, None, NOT_FOUND),
        ("", "", False, None, INVALID),
    ],
)
def test_refused_call_is_observed(
    servicer, calls, make_request, name, signature, known, version, code
):
    request = make_request(signature, text=["a"])
    request.model_spec.name = name
    servicer.Predict(request, Context())
    (call,) = calls
    assert call == Call(
        model=name,
        known=known,
        version=version,
        signature=signature or "serving_default",
        rows=1,
        code=code,
        seconds=call.seconds,
        runtime_seconds=None,
    )


def test_observer_that_fails_fails_no_call(models, make_request):
    def fail(call):
        raise OSError("disk full")

    context = Context()
    servicer = Servicer(models, 1, observe=fail)
    response = servicer.Predict(make_request("reconstruct", text=["a"]), context)
    assert context.code is None
    assert response.outputs["text"].string_val == [b"a"]


def test_draining_waits_for_calls_and_refuses_new_ones(base_path):
    models = Models([ModelConfig("toy", str(base_path))])
    models.load()
    servicer = Servicer(models, max_calls_in_flight=2)
    slow, late = Context(), Context()
    running = threading.Thread(
        target=servicer.Predict, args=(predict_request(steps=200_000), slow)
    )
    running.start()
    while servicer._free_calls._value == 2:
        time.sleep(0.001)
    servicer.drain(seconds=60.0)
    running.join(timeout=1.0)
    assert not running.is_alive()
    assert slow.code is None
    servicer.Predict(predict_request(steps=1), late)
    assert late.code == grpc.StatusCode.UNAVAILABLE
    assert late.details == "The server is stopping"
    models.close()


def test_draining_ends_in_time_with_a_call_still_running():
    servicer = Servicer(Models([]), max_calls_in_flight=1)
    with servicer._call_in_flight():
        started = time.monotonic()
        servicer.drain(seconds=0.05)
        assert time.monotonic() - started < 1.0


def predict_request(**inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    request.model_spec.signature_name = "spin"
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(np.int32(value)))
    return request
