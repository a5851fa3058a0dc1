"""Answers the calls of TensorFlow Serving's protocol.

Free of transport: a host hands in a request, and a context that has `time_remaining`,
`set_code` and `set_details`. gRPC's own server is one such host.

The order of the checks, the status codes and the messages are TensorFlow Serving's, so
that its clients work unchanged.
"""

import functools
import threading
from collections.abc import Mapping

import grpc
import tensorflow as tf
from absl import logging
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

from serving import tensors
from serving.engine import DEFAULT_SIGNATURE, Engine
from serving.model_versions import ModelVersions

MAX_MESSAGE_BYTES = 1024
STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def answers(response_type):
    """Makes a method answer an exception with its status code, never raise it."""

    def decorate(method):
        @functools.wraps(method)
        def answer(self, request, context):
            try:
                return method(self, request, context)
            except Exception as error:
                code, message = _status(error)
                context.set_code(code)
                context.set_details(message)
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
        models: the versions of each model, by the model's name.
        max_calls_in_flight: Predict calls that may run at the same time; one more is
            answered RESOURCE_EXHAUSTED.
    """

    def __init__(self, models: Mapping[str, ModelVersions], max_calls_in_flight: int):
        if max_calls_in_flight < 1:
            raise ValueError(
                "`max_calls_in_flight` must be positive. "
                f"Received: max_calls_in_flight={max_calls_in_flight}"
            )
        self._models = models
        self._max_calls_in_flight = max_calls_in_flight
        self._free_calls = threading.BoundedSemaphore(max_calls_in_flight)

    @answers(predict_pb2.PredictResponse)
    def Predict(self, request, context):
        if not self._free_calls.acquire(blocking=False):
            raise tf.errors.ResourceExhaustedError(
                None,
                None,
                f"At most {self._max_calls_in_flight} calls may be in flight",
            )
        try:
            return self._predict(request, context)
        finally:
            self._free_calls.release()

    def _predict(self, request, context):
        version, engine = self._find(request)
        signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        outputs = engine.run(
            signature_name,
            request.inputs,
            list(request.output_filter),
            timeout=context.time_remaining(),
        )
        response = predict_pb2.PredictResponse(outputs=outputs)
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        response.model_spec.signature_name = signature_name
        return response

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
        versions = self._models[spec.name].loaded() if spec.name in self._models else []
        if spec.HasField("version"):
            if spec.version.value not in versions:
                raise _not_found(
                    f"Could not find version {spec.version.value} of model {spec.name}"
                )
            versions = [spec.version.value]
        if not versions:
            raise _not_found(f"Could not find any versions of model {spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in versions:
            response.model_version_status.add(
                version=version,
                state=get_model_status_pb2.ModelVersionStatus.AVAILABLE,
                status={},  # present and empty: OK
            )
        return response

    Classify = unimplemented(classification_pb2.ClassificationResponse)
    Regress = unimplemented(regression_pb2.RegressionResponse)
    MultiInference = unimplemented(inference_pb2.MultiInferenceResponse)
    HandleReloadConfigRequest = unimplemented(model_management_pb2.ReloadConfigResponse)

    def _find(self, request) -> tuple[int, Engine]:
        _require_model_spec(request)
        spec = request.model_spec
        if not spec.name:
            raise tensors.invalid("ModelSpec has no name specified.")
        if spec.HasField("version_label"):
            raise tensors.invalid(
                f"Unrecognized servable version label: {spec.version_label}"
            )
        version = spec.version.value if spec.HasField("version") else None
        versions = self._models.get(spec.name)
        found = versions.find(version) if versions else None
        if found is None:
            wanted = f"Latest({spec.name})"
            if version is not None:
                wanted = f"Specific({spec.name}, {version})"
            raise _not_found(f"Servable not found for request: {wanted}")
        return found


def _require_model_spec(request) -> None:
    if not request.HasField("model_spec"):
        raise tensors.invalid("Missing ModelSpec")


def _not_found(message: str) -> tf.errors.NotFoundError:
    return tf.errors.NotFoundError(None, None, message)


def _status(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code of an exception, and its message as one line of limited size."""
    if isinstance(error, tf.errors.OpError):
        code, message = STATUS_CODES[error.error_code], error.message
    elif isinstance(error, MemoryError):
        code, message = grpc.StatusCode.RESOURCE_EXHAUSTED, "Out of memory"
    else:
        logging.exception("Internal error")
        code, message = grpc.StatusCode.INTERNAL, f"Internal {type(error).__name__}"
    # Python's session puts these words first; TensorFlow Serving's has no such words.
    message = " ".join(message.removeprefix("Graph execution error:").split()).encode()
    if len(message) > MAX_MESSAGE_BYTES:
        message = message[:MAX_MESSAGE_BYTES] + b"...TRUNCATED"
    return code, message.decode(errors="ignore")
