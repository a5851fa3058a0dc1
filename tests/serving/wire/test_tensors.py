"""Arrays survive the protocol; TensorFlow's own parser is the oracle."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from tensorflow.core.framework import tensor_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.wire import tensors

SHAPES = st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
NUMBERS = st.one_of(
    *(
        st_numpy.arrays(dtype, SHAPES)
        for dtype in ("float32", "float64", "int32", "int64", "bool")
    )
)
STRINGS = st_numpy.arrays(
    object, SHAPES, elements=st.binary(max_size=5), fill=st.nothing()
)


def declare(dtype: tf.DType, shape=None) -> meta_graph_pb2.TensorInfo:
    return meta_graph_pb2.TensorInfo(
        dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(shape).as_proto()
    )


def type_of(array) -> tf.DType:
    return tf.string if array.dtype == object else tf.as_dtype(array.dtype)


def proto_of(dtype: tf.DType, sizes, **fields) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


def varint(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    return bytes([number & 127 | 128]) + varint(number >> 7)


def agree(proto, dtype: tf.DType) -> bool:
    """Whether we and TensorFlow read the same, or both refuse."""
    try:
        read = tf.io.parse_tensor(proto.SerializeToString(), dtype).numpy()
    except tf.errors.InvalidArgumentError:
        with pytest.raises(tf.errors.InvalidArgumentError, match="parsing error: x"):
            tensors.decode("x", proto, declare(dtype))
        return True
    ours = tensors.decode("x", proto, declare(dtype))
    read = np.asarray(read, ours.dtype)
    return ours.shape == read.shape and np.array_equal(ours, read)


@settings(max_examples=100, deadline=None)
@given(st.one_of(NUMBERS, STRINGS))
def test_decode_undoes_encode(array):
    proto = tensors.encode(array, type_of(array).as_datatype_enum)
    decoded = tensors.decode("x", proto, declare(type_of(array)))
    assert decoded.dtype == array.dtype
    np.testing.assert_array_equal(decoded, array)


@settings(max_examples=100, deadline=None)
@given(st.one_of(NUMBERS, STRINGS))
def test_encode_says_what_tensorflow_reads(array):
    proto = tensors.encode(array, type_of(array).as_datatype_enum)
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.uint8])
def test_rarer_types_pass_as_content(dtype):
    array = np.array([[1, 2], [3, 4]], dtype.as_numpy_dtype)
    proto = tensors.encode(array, dtype.as_datatype_enum)
    assert proto.tensor_content
    np.testing.assert_array_equal(tensors.decode("x", proto, declare(dtype)), array)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-1, 4), max_size=3),
    st.lists(st.integers(-5, 5), max_size=5),
    st.binary(max_size=24),
    st.booleans(),
)
def test_any_number_tensor_is_read_as_tensorflow_does(sizes, values, content, as_bytes):
    fields = {"tensor_content": content} if as_bytes else {"int64_val": values}
    assert agree(proto_of(tf.int64, sizes, **fields), tf.int64)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(-1, 4), max_size=3),
    st.lists(st.binary(max_size=3), max_size=5),
    st.binary(max_size=8),
    st.sampled_from(["strings", "content", "garbage"]),
)
def test_any_string_tensor_is_read_as_tensorflow_does(sizes, values, garbage, kind):
    lengths = b"".join(varint(len(value)) for value in values)
    fields = {
        "strings": {"string_val": values},
        "content": {"tensor_content": lengths + b"".join(values)},
        "garbage": {"tensor_content": garbage},
    }
    assert agree(proto_of(tf.string, sizes, **fields[kind]), tf.string)


def test_long_strings_in_content_are_read_as_tensorflow_does():
    values = [b"a" * 127, b"b" * 128, b"", b"c" * 20_000]
    lengths = b"".join(varint(len(value)) for value in values)
    proto = proto_of(tf.string, [4], tensor_content=lengths + b"".join(values))
    assert agree(proto, tf.string)
    assert tensors.decode("x", proto, declare(tf.string)).tolist() == values


@pytest.mark.parametrize("dtype", [tf.string, tf.float32, tf.bool])
def test_a_tensor_of_many_elements_and_few_bytes_is_refused(dtype):
    info = declare(dtype, [None])
    assert tensors.decode("x", proto_of(dtype, [500_000]), info).size == 500_000
    with pytest.raises(tf.errors.InvalidArgumentError, match="parsing error: x"):
        tensors.decode("x", proto_of(dtype, [600_000]), info)


def test_content_cannot_claim_more_strings_than_it_has_bytes():
    proto = proto_of(tf.string, [10**12], tensor_content=bytes(20))
    with pytest.raises(tf.errors.InvalidArgumentError, match="parsing error: x"):
        tensors.decode("x", proto, declare(tf.string))


def test_a_shape_that_numpy_cannot_hold_is_refused():
    for sizes in ([2**62, 2**62, 0], [2**63 - 1, 0], [2**62]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="parsing error: x"):
            tensors.decode("x", proto_of(tf.float32, sizes), declare(tf.float32))


def test_a_long_string_is_not_repeated_without_limit():
    proto = proto_of(tf.string, [1000], string_val=[b"a" * 10_000])
    assert tensors.decode("x", proto, declare(tf.string)).size == 1000
    proto.tensor_shape.dim[0].size = 2000
    with pytest.raises(tf.errors.InvalidArgumentError, match="parsing error: x"):
        tensors.decode("x", proto, declare(tf.string))
