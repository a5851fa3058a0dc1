"""Metadata, status, and the methods that are not there, over gRPC."""

import grpc
import pytest
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    regression_pb2,
)

from tests.conformance.requests import metadata, status

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def metadata_request(name="toy", fields=("signature_def",)):
    return metadata(*fields, name=name)(0)


def status_request(name="toy", version=None, label=None):
    return status(name, version, label)(0)


def test_metadata_describes_the_signatures(stubs):
    response = stubs.prediction.GetModelMetadata(metadata_request(), timeout=20)
    assert response.model_spec.name == "toy"
    assert response.model_spec.version.value == 7
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert set(signatures.signature_def) == {
        *("serving_default", "sample", "interpolate", "reconstruct"),
        *("encode", "decode", "score", "spin", "fail"),
    }
    sample = signatures.signature_def["sample"]
    assert set(sample.inputs) == {"seed", "temperature", "top_k", "top_p"}
    assert not sample.defaults
    # Stripped from the answer alone: the next call still finds its defaults.
    assert stubs.predict("interpolate", start=["a"], end=["b"])["text"].shape == (1, 8)


@pytest.mark.parametrize(
    "request_, code, line",
    [
        (
            get_model_metadata_pb2.GetModelMetadataRequest(),
            INVALID,
            "Missing ModelSpec",
        ),
        (
            metadata_request(fields=()),
            INVALID,
            "GetModelMetadataRequest must specify at least one metadata_field",
        ),
        (
            metadata_request(fields=("x",)),
            INVALID,
            "Metadata field x is not supported",
        ),
        (
            metadata_request(name="x"),
            NOT_FOUND,
            "Servable not found for request: Latest(x)",
        ),
        (metadata_request(name=""), INVALID, "ModelSpec has no name specified."),
    ],
)
def test_bad_metadata_request_is_refused(request_, code, line, stubs):
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.prediction.GetModelMetadata(request_, timeout=20)
    assert (refusal.value.code(), refusal.value.details()) == (code, line)


@pytest.mark.parametrize(
    "request_",
    [status_request(), status_request(version=7), status_request(label="any")],
)
def test_loaded_version_is_available(request_, stubs):
    response = stubs.model.GetModelStatus(request_, timeout=20)
    (status,) = response.model_version_status
    assert status.version == 7
    assert status.state == get_model_status_pb2.ModelVersionStatus.AVAILABLE
    assert status.HasField("status")
    assert (status.status.error_code, status.status.error_message) == (0, "")


@pytest.mark.parametrize(
    "request_, code, line",
    [
        (get_model_status_pb2.GetModelStatusRequest(), INVALID, "Missing ModelSpec"),
        (
            status_request(name="x"),
            NOT_FOUND,
            "Could not find any versions of model x",
        ),
        (
            status_request(version=8),
            NOT_FOUND,
            "Could not find version 8 of model toy",
        ),
    ],
)
def test_bad_status_request_is_refused(request_, code, line, stubs):
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.model.GetModelStatus(request_, timeout=20)
    assert (refusal.value.code(), refusal.value.details()) == (code, line)


@pytest.mark.parametrize(
    "service, method, request_",
    [
        ("prediction", "Classify", classification_pb2.ClassificationRequest()),
        ("prediction", "Regress", regression_pb2.RegressionRequest()),
        ("prediction", "MultiInference", inference_pb2.MultiInferenceRequest()),
        (
            "model",
            "HandleReloadConfigRequest",
            model_management_pb2.ReloadConfigRequest(),
        ),
    ],
)
def test_other_methods_are_unimplemented(service, method, request_, stubs):
    with pytest.raises(grpc.RpcError) as refusal:
        getattr(getattr(stubs, service), method)(request_, timeout=20)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "implements Predict, GetModelMetadata and" in refusal.value.details()
