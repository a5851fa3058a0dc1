"""Python's values as the tensors that endpoints take, and back again."""

import reprlib
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from keras_textvae.text_space.signatures import MAX_ROWS, Input


def in_one_line(name: str, compute: Callable):
    """Returns compute(), whose errors become a ValueError of one line."""
    try:
        return compute()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(f"{name}: {_reason(error)}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def as_rows(texts: Iterable[str | bytes]):
    """Returns texts as a list; an array or tensor stays one."""
    if hasattr(texts, "shape"):
        return texts
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise ValueError(f"A list of texts is needed. Received: {reprlib.repr(texts)}")
    return list(texts)


def as_seeds(first: int, count: int) -> list[int]:
    """Returns `count` whole numbers from `first` on, one a text."""
    try:
        # One more than is allowed is enough to be refused.
        return list(range(first, first + count)[: MAX_ROWS + 1])
    except TypeError:
        raise ValueError(
            f"`seed` and `count` must be ints. Received: seed={first!r}, "
            f"count={count!r}"
        ) from None


def as_tensor(value: object, declared: Input):
    """Returns a value as the tensor that an endpoint declares, never another value."""
    try:
        tensor = tf.convert_to_tensor(_array(value, declared.dtype), declared.dtype)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            f"`{declared.name}` must be of type {declared.dtype.name}. "
            f"Received: {reprlib.repr(value)}"
        ) from None
    shape = tf.TensorShape(declared.shape)
    if not shape.is_compatible_with(tensor.shape):
        raise ValueError(
            f"`{declared.name}` must have shape {shape}. Received: shape {tensor.shape}"
        )
    return tensor


def as_texts(tensor) -> list[str]:
    """Returns a tensor of strings [B] as a list of str."""
    return [text.decode("utf-8") for text in tensor.numpy().tolist()]


def _array(value, dtype):
    if dtype == tf.string:
        return value
    array = np.asarray(value)
    if array.dtype.kind not in ("b" if dtype == tf.bool else "biuf"):
        raise TypeError
    with np.errstate(all="ignore"):
        cast = array.astype(dtype.as_numpy_dtype)
    if dtype.is_integer and not np.array_equal(cast, array):
        raise ValueError
    return cast


def _reason(error):
    """Returns the line of a runtime error that names the failed check."""
    message = getattr(error, "message", str(error))
    start = message.find("assertion failed: [")
    if start < 0:
        return message.splitlines()[0]
    return message[start + len("assertion failed: [") :].split("]")[0]
