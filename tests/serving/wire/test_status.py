"""What is told of an exception."""

import grpc
import pytest
import tensorflow as tf
from absl import logging

from serving.wire import status


@pytest.mark.parametrize(
    "error, code, line",
    [
        (
            tf.errors.NotFoundError(None, None, "no\n  such"),
            grpc.StatusCode.NOT_FOUND,
            "no such",
        ),
        (
            tf.errors.InvalidArgumentError(None, None, "Graph execution error:\n\nx"),
            grpc.StatusCode.INVALID_ARGUMENT,
            "x",
        ),
        (MemoryError(), grpc.StatusCode.RESOURCE_EXHAUSTED, "Out of memory"),
        (KeyError("secret"), grpc.StatusCode.INTERNAL, "Internal KeyError"),
    ],
)
def test_exception_has_a_code_and_a_line(error, code, line):
    assert status.of(error) == (code, line)


def test_long_message_is_cut_between_characters():
    assert status.line("é" * 512) == "é" * 512
    assert status.line("aé" * 512) == "aé" * 341 + "a...TRUNCATED"


def test_a_message_is_not_logged(caplog):
    logging.get_absl_logger().addHandler(caplog.handler)
    text = "what a user wrote"
    try:
        raise KeyError(text)
    except KeyError as error:
        status.of(error)
    logging.get_absl_logger().removeHandler(caplog.handler)
    assert "Internal KeyError" in caplog.text
    assert "test_status.py" in caplog.text
    assert "test_a_message_is_not_logged" in caplog.text
    assert text not in caplog.text
