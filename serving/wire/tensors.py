"""TensorProto, a tensor as the protocol carries it, to NumPy and back.

A TensorProto means here what it means to TensorFlow's own parser. That one is not used:
it writes what it cannot read, a user's text perhaps, to the log.
"""

import math

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

MAX_RANK = 254  # TensorFlow's own limit

# A tensor may claim more elements than it carries: its last value is then repeated.
# Eleven bytes can claim 50 million strings, so the bytes made up that way are limited.
MAX_PADDING_BYTES = 16 * 2**20
BYTES_PER_ELEMENT = 32  # of a string without its characters; of a number at most

DATA_TYPES = frozenset(types_pb2.DataType.values()) - {types_pb2.DT_INVALID}

# The other types come in `tensor_content` only.
VALUE_FIELDS = {
    types_pb2.DT_STRING: "string_val",
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_BOOL: "bool_val",
}


def decode(name: str, proto, info) -> np.ndarray:
    """Decodes and checks one input of a request.

    Args:
        name: the input's name in the signature.
        proto: TensorProto.
        info: TensorInfo, the data type and shape that the signature declares.

    Raises:
        tf.errors.InvalidArgumentError: if `proto` is malformed, claims far more
            elements than it carries, or has another data type or shape than `info`.
    """
    if proto.dtype not in DATA_TYPES:
        raise invalid(f"tensor parsing error: {name}")
    if proto.dtype != info.dtype:
        raise invalid(
            f'Expects input "{name}" to be {_type_name(info.dtype)} but '
            f"{_type_name(proto.dtype)} is provided"
        )
    try:
        array = _parse(proto)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise invalid(f"tensor parsing error: {name}") from None
    shape = tf.TensorShape(info.tensor_shape)
    if not shape.is_compatible_with(array.shape):
        raise invalid(
            f'Expects input "{name}" to have shape {shape} but {array.shape} is '
            "provided"
        )
    return array


def encode(value, dtype: int):
    """Encodes one output of an answer.

    Args:
        value: array, or scalar, of strings (bytes) or numbers.
        dtype: the number of its data type in the protocol.

    Returns:
        TensorProto, with its values where TensorFlow Serving puts them: in the field
        of their type, not in `tensor_content`.
    """
    if dtype not in VALUE_FIELDS:
        return tf.make_tensor_proto(value, dtype)
    array = np.asarray(value, tf.dtypes.as_dtype(dtype).as_numpy_dtype)
    proto = tensor_pb2.TensorProto(dtype=dtype)
    proto.tensor_shape.SetInParent()  # a scalar has a shape too, of no dimensions
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    getattr(proto, VALUE_FIELDS[dtype]).extend(array.ravel().tolist())
    return proto


def invalid(message: str) -> tf.errors.InvalidArgumentError:
    return tf.errors.InvalidArgumentError(None, None, message)


def _type_name(dtype: int) -> str:
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def _parse(proto) -> np.ndarray:
    """Raises ValueError, TypeError, KeyError or OverflowError if it is malformed."""
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if len(shape) > MAX_RANK or any(size < 0 for size in shape):
        raise ValueError("no such shape")
    count = math.prod(shape)
    dtype = tf.dtypes.as_dtype(proto.dtype).as_numpy_dtype
    if count == 0:
        return np.empty(shape, dtype)
    if not proto.tensor_content:
        return _repeat_last(proto, count, dtype).reshape(shape)
    if proto.dtype == types_pb2.DT_STRING:
        return _split(proto.tensor_content, count).reshape(shape)
    return np.frombuffer(proto.tensor_content, dtype).reshape(shape)


def _repeat_last(proto, count: int, dtype) -> np.ndarray:
    """The first `count` values; the last one again and again if there are fewer."""
    values = getattr(proto, VALUE_FIELDS[proto.dtype])[:count]
    is_string = proto.dtype == types_pb2.DT_STRING
    last = values[-1] if values else b"" if is_string else 0
    missing = count - len(values)
    bytes_each = BYTES_PER_ELEMENT + (len(last) if is_string else 0)
    if missing * bytes_each > MAX_PADDING_BYTES:
        raise ValueError("too many elements for the values there are")
    array = np.empty(count, dtype)
    array[: len(values)] = values
    array[len(values) :] = last
    return array


def _split(content: bytes, count: int) -> np.ndarray:
    """Strings as bytes: the length of each as a varint, then all their characters."""
    if count > len(content):
        raise ValueError("a length takes a byte at least")
    lengths, position = [0] * count, 0
    for row in range(count):
        for shift in range(0, 35, 7):
            byte = content[position : position + 1] or b"\0"
            position += 1
            lengths[row] |= (byte[0] & 127) << shift
            if byte[0] < 128:
                break
    if position + sum(lengths) != len(content):
        raise ValueError("the lengths do not add up")
    strings = np.empty(count, object)
    for row, length in enumerate(lengths):
        strings[row] = content[position : position + length]
        position += length
    return strings
