"""Reads the requests that a SavedModel brings along to be warmed up with.

The first run of a signature takes many times as long as the next; a model that has
answered these requests before it is served keeps that from its clients.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

FILE = Path("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000  # TensorFlow Serving's own limit

# What reads records without an eager context, which would take a GPU's whole memory, is
# called deprecated.
logging.getLogger("tensorflow").addFilter(
    lambda record: "tf_record_iterator" not in record.getMessage()
)


def read(directory: str | os.PathLike) -> Iterator[predict_pb2.PredictRequest]:
    """The warm-up requests of a SavedModel, in order; none if it has no such file.

    Args:
        directory: the SavedModel's directory.

    Raises:
        ValueError: if the file is damaged, has more than `MAX_RECORDS` records, or one
            that is not of Predict.
    """
    path = Path(directory) / FILE
    if not path.exists():
        return
    for number, record in enumerate(_records(path), 1):
        if number > MAX_RECORDS:
            raise ValueError(f"{path}: more than {MAX_RECORDS} records")
        try:
            log = prediction_log_pb2.PredictionLog.FromString(record)
        except DecodeError:
            raise ValueError(f"{path}: record {number} is no PredictionLog") from None
        if not log.predict_log.HasField("request"):
            raise ValueError(f"{path}: record {number} is no Predict request")
        yield log.predict_log.request


def _records(path: Path) -> Iterator[bytes]:
    try:
        yield from tf.compat.v1.io.tf_record_iterator(os.fspath(path))
    except tf.errors.DataLossError as error:
        raise ValueError(f"{path}: {error.message}") from None
