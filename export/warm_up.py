"""Requests that a server replays before a version serves.

The first call of a signature takes a hundred times as long as the next. A server that
finds `assets.extra/tf_serving_warmup_requests` makes these calls itself, TensorFlow
Serving and ours alike, and does not serve a version that cannot answer them.
"""

import pathlib

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from keras_textvae.tokens import FIRST_WORD
from serving.saved_model.warm_up import FILE


def requests(space) -> list[predict_pb2.PredictRequest]:
    """Returns two requests for each signature: of one row, and of the most rows.

    Optional inputs are left to their defaults.

    Args:
        space: `keras_textvae.TextSpace`.
    """
    (text,) = short_texts(space, 1)
    texts = {"impute": f"_ {text}"}
    return [
        _request(name, _inputs(signature, rows, texts.get(name, text)))
        for name, signature in space.graph.signatures.items()
        for rows in (1, signature.max_rows)
    ]


def write(requests: list[predict_pb2.PredictRequest], directory: pathlib.Path):
    """Writes requests where a server of the version looks for them."""
    path = directory / FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString())


def short_texts(space, count: int) -> list[str]:
    """Returns texts that the model can take, whatever its tokens are."""
    longest = max(
        1, (space.codec.positions - 3) // 4
    )  # a character has at most 4 bytes
    if "sample" in space.graph.signatures:
        samples = space.sample(count, seed=1)
    else:  # a classifier: its own words
        words = np.arange(FIRST_WORD, space.codec.vocabulary_size)
        drawn = np.random.default_rng(1).choice(words, (count, longest))
        samples = [text.decode() for text in space.codec.decode(drawn).numpy()]
    return [text[:longest].strip() or "a" for text in samples]


def _inputs(signature, rows, text):
    return {
        declared.name: _value(declared, rows, text)
        for declared in signature.inputs
        if declared.default is None
    }


def _value(declared, rows, text):
    if declared.dtype == tf.int64:
        return np.arange(rows)
    if declared.dtype == tf.float32:
        return np.zeros((rows, *declared.shape[1:]), np.float32)
    return [text] * rows


def _request(name, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = name
    for key, value in inputs.items():
        request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return request
