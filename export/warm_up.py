"""Requests that a server replays before a version serves.

The first call of a signature takes a hundred times as long as the next. A server that
finds `assets.extra/tf_serving_warmup_requests` makes these calls itself, TensorFlow
Serving and ours alike, and does not serve a version that cannot answer them.
"""

import os
import pathlib

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from export import examples
from serving.saved_model.warm_up import FILE


def requests(space) -> list[predict_pb2.PredictRequest]:
    """Returns two requests for each signature: of one row, and of the most rows.

    Optional inputs are left to their defaults.

    Args:
        space: `keras_textvae.TextSpace`.
    """
    texts = examples.short_texts(space, 1)
    return [
        _request(name, signature, examples.inputs(signature, rows, texts))
        for name, signature in space.graph.signatures.items()
        for rows in (1, signature.max_rows)
    ]


def write(requests: list[predict_pb2.PredictRequest], directory: str | os.PathLike):
    """Writes requests where a server of the version looks for them."""
    path = pathlib.Path(directory) / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString())


def _request(name, signature, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = name
    for declared in signature.inputs:
        if declared.name in inputs:
            proto = tf.make_tensor_proto(inputs[declared.name], declared.dtype)
            request.inputs[declared.name].CopyFrom(proto)
    return request
