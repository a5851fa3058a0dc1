"""What a client is told of an exception: a status code, and a line of limited size."""

import traceback

import grpc
import tensorflow as tf
from absl import logging

MAX_BYTES = 1024  # TensorFlow Serving's own limit, and so are the words after it
TRUNCATED = b"...TRUNCATED"

CODES = {code.value[0]: code for code in grpc.StatusCode}


def of(error: Exception) -> tuple[grpc.StatusCode, str]:
    """The status code of an exception, and its message.

    If the error is not the client's business, only its name is told; the rest is
    logged.
    """
    if isinstance(error, tf.errors.OpError):
        return CODES[error.error_code], line(error.message)
    if isinstance(error, MemoryError):
        return grpc.StatusCode.RESOURCE_EXHAUSTED, "Out of memory"
    log_without_message(error)
    return grpc.StatusCode.INTERNAL, f"Internal {type(error).__name__}"


def log_without_message(error: Exception) -> None:
    """Logs where an exception came from, not its words: a user's may be there."""
    places = "".join(traceback.format_tb(error.__traceback__))
    logging.error("Internal %s\n%s", type(error).__name__, places)


def line(message: str) -> str:
    """A message as one line of limited size."""
    # Python's session puts these words first; TensorFlow Serving's has no such words.
    message = " ".join(message.removeprefix("Graph execution error:").split()).encode()
    if len(message) > MAX_BYTES:
        message = message[:MAX_BYTES] + TRUNCATED
    return message.decode(errors="ignore")
