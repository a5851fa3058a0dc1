"""NumPy arrays to and from the protocol's TensorProto."""

import numpy as np

# The protocol's data types: NumPy's type, and the field that holds the values.
DATA_TYPES = {
    1: (np.dtype(np.float32), "float_val"),
    3: (np.dtype(np.int32), "int_val"),
    7: (np.dtype(object), "string_val"),
    9: (np.dtype(np.int64), "int64_val"),
    10: (np.dtype(np.bool_), "bool_val"),
}


def write(array: np.ndarray, proto) -> None:
    """Writes an array, texts as bytes, into a TensorProto.

    Raises:
        ValueError: if the protocol has no tensors of its data type.
    """
    numbers = {dtype: number for number, (dtype, _) in DATA_TYPES.items()}
    if array.dtype not in numbers:
        raise ValueError(f"no such tensors in the protocol. Received: {array.dtype}")
    proto.dtype = numbers[array.dtype]
    proto.tensor_shape.SetInParent()  # a scalar has a shape too, of no dimensions
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    field = DATA_TYPES[proto.dtype][1]
    getattr(proto, field).extend(array.ravel().tolist())


def read(proto) -> np.ndarray:
    """Reads an array, texts as str, from a TensorProto.

    Raises:
        ValueError: if its data type is none of `DATA_TYPES`.
    """
    if proto.dtype not in DATA_TYPES:
        raise ValueError(f"no array of this data type. Received: {proto.dtype}")
    dtype, field = DATA_TYPES[proto.dtype]
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    values = list(getattr(proto, field))
    if field == "string_val":
        values = [value.decode(errors="replace") for value in values]
    return np.array(values, dtype).reshape(shape)
