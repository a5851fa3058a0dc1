"""Arrays to and from TensorProto, beside TensorFlow's own functions."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.client import arrays

ARRAYS = [
    np.array(0.5, np.float32),
    np.zeros((2, 0), np.float32),
    np.array([[1, -2], [3, 4]], np.int32),
    np.array([2**62], np.int64),
    np.array([True, False]),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.dtype))
def test_numbers_go_both_ways(array):
    proto = tensor_pb2.TensorProto()
    arrays.write(array, proto)
    for back in (tf.make_ndarray(proto), arrays.read(proto)):
        np.testing.assert_array_equal(back, array)
        assert back.dtype == array.dtype
        assert back.shape == array.shape


def test_texts_are_written_as_bytes_and_read_as_str():
    proto = tensor_pb2.TensorProto()
    arrays.write(np.array([["h\u00e9".encode(), b"a\0b"]], object), proto)
    assert tf.make_ndarray(proto).tolist() == [["h\u00e9".encode(), b"a\0b"]]
    assert arrays.read(proto).tolist() == [["h\u00e9", "a\0b"]]


def test_invalid_utf8_is_replaced():
    assert arrays.read(tf.make_tensor_proto([b"a\xff"])).tolist() == ["a\ufffd"]


def test_content_form_is_read():
    """TensorFlow Serving can be told to answer with `tensor_content`."""
    proto = tf.make_tensor_proto([[1.5, 2.5]], tf.float32)
    assert proto.tensor_content
    np.testing.assert_array_equal(arrays.read(proto), [[1.5, 2.5]])


def test_other_data_types_are_refused():
    with pytest.raises(ValueError, match="no such tensors .* Received: float64"):
        arrays.write(np.array(1.0), tensor_pb2.TensorProto())
    with pytest.raises(ValueError, match="no array of this data type. Received: 2"):
        arrays.read(tf.make_tensor_proto(1.0, tf.float64))
