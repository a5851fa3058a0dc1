"""Python's values as the tensors that endpoints take, and back again."""

import functools
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_textvae.text_space.signatures import Input, Signature


def answered(
    name: str, signature: Signature, endpoint: Callable, values: Sequence
) -> dict[str, np.ndarray]:
    """Returns an endpoint's outputs by name, of as many requests as the rows need."""

    def compute(values):
        declared = zip(values, signature.inputs, strict=True)
        return endpoint(*[as_tensor(value, i) for value, i in declared])

    requests = in_requests(values, signature.inputs, signature.max_rows)
    return joined(
        [
            in_one_line(name, functools.partial(compute, request), first)
            for first, request in requests
        ]
    )


def in_one_line(name: str, compute: Callable, first: int | None = 0):
    """Returns compute(), whose errors become a ValueError of one line.

    The line names the row that is at fault; `first` is the number of the first one, or
    None where there is but one.
    """
    try:
        return compute()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(f"{name}: {_reason(error, first)}") from error
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def as_rows(texts: Iterable[str | bytes]):
    """Returns texts as a list; an array or tensor stays one."""
    if hasattr(texts, "shape"):
        return texts
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise ValueError(f"A list of texts is needed. Received: {reprlib.repr(texts)}")
    return list(texts)


def as_seeds(first: int, count: int) -> Sequence[int]:
    """Returns `count` whole numbers from `first` on, one a text."""
    try:
        seeds = range(first, first + count)
    except TypeError:
        raise ValueError(
            f"`seed` and `count` must be ints. Received: seed={first!r}, "
            f"count={count!r}"
        ) from None
    if not seeds:
        raise ValueError(f"`count` must be positive. Received: count={count}")
    return seeds


def in_requests(
    values: Sequence, inputs: Sequence[Input], most: int
) -> Iterator[tuple[int | None, list]]:
    """Yields values of at most so many rows, and before them `first` of `in_one_line`.

    What is not as declared stays whole, for `as_tensor` to refuse.
    """
    rows = [v for v, i in zip(values, inputs, strict=True) if i.has_rows]
    try:
        count = len(rows[0])
    except TypeError:  # a number, or a tensor without dimensions
        count = 0
    for start in range(0, max(count, 1), most):
        cut = [
            value[start : start + most] if i.has_rows and count > most else value
            for value, i in zip(values, inputs, strict=True)
        ]
        yield None if count == 1 else start, cut


def joined(answers: Sequence[dict]) -> dict[str, np.ndarray]:
    """Returns the outputs of several requests as arrays of all rows, by name."""
    return {
        name: np.concatenate([answer[name].numpy() for answer in answers])
        for name in answers[0]
    }


def as_tensor(value: object, declared: Input):
    """Returns a value as the tensor that an endpoint declares, never another value."""
    try:
        tensor = tf.convert_to_tensor(_array(value, declared.dtype), declared.dtype)
    except (ValueError, TypeError, OverflowError):
        unicode = " of valid Unicode" if declared.dtype == tf.string else ""
        raise ValueError(
            f"`{declared.name}` must be of type {declared.dtype.name}{unicode}. "
            f"Received: {reprlib.repr(value)}"
        ) from None
    shape = tf.TensorShape(declared.shape)
    if not shape.is_compatible_with(tensor.shape):
        raise ValueError(
            f"`{declared.name}` must have shape {shape}. Received: shape {tensor.shape}"
        )
    return tensor


def as_texts(array: np.ndarray) -> list[str]:
    """Returns an array of strings [B] as a list of str."""
    return [text.decode("utf-8") for text in array.tolist()]


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


def failed_check(message: str) -> tuple[str, int | None] | None:
    """Returns the words of the check that failed in a graph, and its row if it has one.

    Args:
        message: str, of TensorFlow's error, or what a server passes on of it:
            `... assertion failed: [words] [row] [[{{node ...`.

    Returns:
        (words, row counted from 0 or None), or None of a message of another kind.
    """
    check = re.search(r"assertion failed: \[([^]]*)\](?: \[(\d+)\])?", message)
    if not check:
        return None
    words, row = check.groups()
    return words, None if row is None else int(row)


def _reason(error, first):
    """Returns the line of a runtime error that names the failed check, and the row."""
    message = getattr(error, "message", str(error))
    check = failed_check(message)
    if not check:
        return message.splitlines()[0]
    line, row = check
    if row is None or first is None:
        return line
    return f"{line} (row {first + row}, counted from 0)"
