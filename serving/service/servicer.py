"""Answers the calls of TensorFlow Serving's protocol.

Free of transport: a host hands in a request, and a context that has `time_remaining`
(seconds; None without a deadline), `set_code` and `set_details`. gRPC's own server is
one such host.

The order of the checks, the status codes and the messages are TensorFlow Serving's, so
that its clients work unchanged.
"""

import contextlib
import functools
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.models import Models
from serving.saved_model import DEFAULT_SIGNATURE, Engine
from serving.wire import status, tensors


class Call(NamedTuple):
    """How one Predict call went; nothing of what it said.

    Args:
        model: the name that the client asked for.
        known: whether there is a model of that name.
        version: the version that answered; None if none was found.
        signature: the name of the signature.
        rows: the first dimension of the first input that has one, if any has.
        code: the status code.
        seconds: what the whole call took.
        runtime_seconds: what the model took of it; None if it gave no answer.
    """

    model: str
    known: bool
    version: int | None
    signature: str
    rows: int | None
    code: grpc.StatusCode
    seconds: float
    runtime_seconds: float | None


def answers(response_type):
    """Makes a method answer an exception with its status code, never raise it."""

    def decorate(method):
        @functools.wraps(method)
        def answer(self, request, context):
            try:
                return method(self, request, context)
            except Exception as error:
                _refuse(error, context)
                return response_type()

        return answer

    return decorate


def unimplemented(response_type):
    """A method of the protocol that this server does not offer."""

    @answers(response_type)
    def method(self, request, context):
        raise tf.errors.UnimplementedError(
            None,
            None,
            "This server implements Predict, GetModelMetadata and GetModelStatus only.",
        )

    return method


class Servicer(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Both services of the protocol.

    Args:
        models: the models to serve, a `Models`.
        max_calls_in_flight: Predict calls that may run at the same time; one more is
            answered RESOURCE_EXHAUSTED.
        observe: called with a `Call` after each Predict call, in its thread.
    """

    def __init__(
        self,
        models: Models,
        max_calls_in_flight: int,
        observe: Callable[[Call], None] | None = None,
    ):
        if max_calls_in_flight < 1:
            raise ValueError(
                "`max_calls_in_flight` must be positive. "
                f"Received: max_calls_in_flight={max_calls_in_flight}"
            )
        self._models = models
        self._max_calls_in_flight = max_calls_in_flight
        self._free_calls = threading.BoundedSemaphore(max_calls_in_flight)
        self._draining = threading.Event()
        self._observe = observe or (lambda call: None)

    def Predict(self, request, context):
        start = time.perf_counter()
        response = predict_pb2.PredictResponse()
        signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
        code = grpc.StatusCode.OK
        version = runtime_seconds = None
        try:
            with self._call_in_flight():
                version, engine = self._find(request)
                outputs, runtime_seconds = engine.timed_run(
                    signature,
                    request.inputs,
                    list(request.output_filter),
                    timeout=context.time_remaining(),
                )
                response = predict_pb2.PredictResponse(outputs=outputs)
                response.model_spec.name = request.model_spec.name
                response.model_spec.version.value = version
                response.model_spec.signature_name = signature
        except Exception as error:
            code = _refuse(error, context)
        self._report(
            Call(
                model=request.model_spec.name,
                known=request.model_spec.name in self._models.names,
                version=version,
                signature=signature,
                rows=_rows(request.inputs),
                code=code,
                seconds=time.perf_counter() - start,
                runtime_seconds=runtime_seconds,
            )
        )
        return response

    def drain(self, seconds: float) -> None:
        """Answers new Predict calls UNAVAILABLE, and waits for those in flight.

        Args:
            seconds: to wait at most.
        """
        self._draining.set()
        end = time.monotonic() + seconds
        with contextlib.ExitStack() as acquired:
            for _ in range(self._max_calls_in_flight):
                left = max(0.0, end - time.monotonic())
                if not self._free_calls.acquire(timeout=left):
                    return
                acquired.callback(self._free_calls.release)

    @contextlib.contextmanager
    def _call_in_flight(self):
        if self._draining.is_set():
            raise tf.errors.UnavailableError(None, None, "The server is stopping")
        if not self._free_calls.acquire(blocking=False):
            raise tf.errors.ResourceExhaustedError(
                None,
                None,
                f"At most {self._max_calls_in_flight} calls may be in flight",
            )
        try:
            yield
        finally:
            self._free_calls.release()

    def _report(self, call: Call) -> None:
        try:
            self._observe(call)
        except Exception as error:
            status.log_without_message(error)

    @answers(get_model_metadata_pb2.GetModelMetadataResponse)
    def GetModelMetadata(self, request, context):
        _require_model_spec(request)
        if not request.metadata_field:
            raise tensors.invalid(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != "signature_def":
                raise tensors.invalid(f"Metadata field {field} is not supported")
        version, engine = self._find(request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in engine.signatures.items():
            entry = signatures.signature_def[name]
            entry.CopyFrom(signature)
            entry.ClearField("defaults")  # as TensorFlow Serving does from 2.20 on
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        response.metadata["signature_def"].Pack(signatures)
        return response

    @answers(get_model_status_pb2.GetModelStatusResponse)
    def GetModelStatus(self, request, context):
        _require_model_spec(request)
        spec = request.model_spec
        statuses = self._models.status(spec.name)
        if spec.HasField("version"):
            number = spec.version.value
            statuses = [entry for entry in statuses if entry.version == number]
            if not statuses:
                raise _not_found(
                    f"Could not find version {number} of model {spec.name}"
                )
        if not statuses:
            raise _not_found(f"Could not find any versions of model {spec.name}")
        return get_model_status_pb2.GetModelStatusResponse(
            model_version_status=statuses
        )

    Classify = unimplemented(classification_pb2.ClassificationResponse)
    Regress = unimplemented(regression_pb2.RegressionResponse)
    MultiInference = unimplemented(inference_pb2.MultiInferenceResponse)
    HandleReloadConfigRequest = unimplemented(model_management_pb2.ReloadConfigResponse)

    def _find(self, request) -> tuple[int, Engine]:
        _require_model_spec(request)
        spec = request.model_spec
        if not spec.name:
            raise tensors.invalid("ModelSpec has no name specified.")
        return self._models.find(
            spec.name,
            spec.version.value if spec.HasField("version") else None,
            spec.version_label if spec.HasField("version_label") else None,
        )


def _require_model_spec(request) -> None:
    if not request.HasField("model_spec"):
        raise tensors.invalid("Missing ModelSpec")


def _not_found(message: str) -> tf.errors.NotFoundError:
    return tf.errors.NotFoundError(None, None, message)


def _refuse(error: Exception, context) -> grpc.StatusCode:
    """Answers an exception; returns its status code."""
    code, message = status.of(error)
    context.set_code(code)
    context.set_details(message)
    return code


def _rows(inputs) -> int | None:
    shapes = (inputs[name].tensor_shape.dim for name in sorted(inputs))
    return next((shape[0].size for shape in shapes if shape), None)
