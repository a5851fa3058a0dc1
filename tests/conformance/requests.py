"""How a row of the table is written: a request, and what its answer is."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

INVALID = StatusCode.INVALID_ARGUMENT
NOT_FOUND = StatusCode.NOT_FOUND
NAN, INF = float("nan"), float("inf")
MODEL = "<the model under test>"


class Row(NamedTuple):
    """A request and its answer.

    Attributes:
        code: `grpc.StatusCode` of the answer.
        line: regular expression in the answer's details.
        request: latent size -> request; `MODEL` stands for the model's name.
        session: whether the model itself has to answer so, whoever serves it.
    """

    code: StatusCode
    line: str
    request: Callable
    session: bool = False

    def has(self, line):
        """Whether an answer's line is this row's, and one line."""
        return re.search(self.line, line) is not None and "\n" not in line


def predict(signature, edit=lambda request: None, **inputs):
    """Latent size -> PredictRequest; an input may be a function of the latent size."""

    def request(latent_dim):
        message = predict_pb2.PredictRequest()
        message.model_spec.name = MODEL
        message.model_spec.signature_name = signature
        for name, value in inputs.items():
            value = value(latent_dim) if callable(value) else value
            if not isinstance(value, tensor_pb2.TensorProto):
                value = tf.make_tensor_proto(value)
            message.inputs[name].CopyFrom(value)
        edit(message)
        return message

    return request


def tensor(dtype=types_pb2.DT_STRING, sizes=(1,), **fields):
    """A TensorProto as no library would write it."""
    proto = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


def refused(line, signature, **inputs):
    """A row that the model's own guards or TensorFlow's runtime refuse."""
    return Row(INVALID, line, predict(signature, **inputs), session=True)


def answered(signature, **inputs):
    return Row(StatusCode.OK, "", predict(signature, **inputs), session=True)


def malformed(proto, signature="encode", name="text"):
    request = predict(signature, **{name: proto})
    return Row(INVALID, f"tensor parsing error: {name}", request)


def z(*shape, value=0.0, dtype=np.float32):
    """Latent size -> array; "D" stands for the size in its shape."""

    def build(latent_dim):
        sizes = {"D": latent_dim, "D+1": latent_dim + 1, "D-1": latent_dim - 1}
        return np.full([sizes.get(size, size) for size in shape], value, dtype)

    return build


def named(**fields):
    """A good request for another model, version or label."""

    def edit(request):
        for name, value in fields.items():
            if name == "version":
                request.model_spec.version.value = value
            else:
                setattr(request.model_spec, name, value)

    return predict("encode", edit, text=["a"])


def wanting(*names):
    """A good request for other outputs."""
    return predict("encode", lambda r: r.output_filter.extend(names), text=["a"])


def metadata(*fields, name=MODEL):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    request.model_spec.name = name
    return lambda _: request


def status(name=MODEL, version=None, label=None):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    if version is not None:
        request.model_spec.version.value = version
    if label is not None:
        request.model_spec.version_label = label
    return lambda _: request
