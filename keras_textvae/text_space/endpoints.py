"""Endpoints: what each signature takes, checked inside the graph.

Nobody else checks: TensorFlow Serving compares names and dtypes, never shapes or
ranges, and a text of the wrong rank crashes its tokenizer. So `guarded` turns the
declaration of a signature into assertions that stand before everything else.

B: rows of a request.
"""

import functools
import inspect
from collections.abc import Callable

import tensorflow as tf

from keras_textvae.text_space.signatures import MAX_BYTES, Signature


def guarded(signature: Signature, compute: Callable) -> tf.function:
    """Returns `compute` as a graph function that checks its inputs first.

    Args:
        signature: `Signature`; inputs in the order of `compute`'s arguments. Those with
            a default are optional to clients of a SavedModel.
        compute: tensors -> dict of tensors, in TensorFlow operations.

    Returns:
        A `tf.function`. A bad input raises `tf.errors.InvalidArgumentError` with one
        line that says which and why.
    """

    inputs = signature.inputs

    @functools.wraps(compute)
    def endpoint(*values):
        values = [
            tf.ensure_shape(v, i.shape) for v, i in zip(values, inputs, strict=True)
        ]
        with tf.control_dependencies(_assertions(signature, values)):
            return compute(*[tf.identity(value) for value in values])

    parameters = [
        inspect.Parameter(
            i.name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty
            if i.default is None
            else tf.constant(i.default, i.dtype),
        )
        for i in inputs
    ]
    endpoint.__signature__ = inspect.Signature(parameters)  # ty: ignore[missing-attribute]
    specs = [declared.spec for declared in inputs]
    return tf.function(endpoint, input_signature=specs, autograph=False)


def _assertions(signature, values):
    inputs, most = signature.inputs, signature.max_rows
    assertions = []
    for declared, value in zip(inputs, values, strict=True):
        assertions += _value_assertions(declared, value)
    rows = [
        (i.name, tf.shape(v)[0])
        for i, v in zip(inputs, values, strict=True)
        if i.has_rows
    ]
    for name, count in rows:
        assertions.append(require(count > 0, f"`{name}` has no rows"))
        assertions.append(require(count <= most, f"`{name}` has more than {most} rows"))
    for name, count in rows[1:]:
        message = f"`{rows[0][0]}` and `{name}` differ in their number of rows"
        assertions.append(require(count == rows[0][1], message))
    return assertions


def _value_assertions(declared, value):
    name = declared.name
    if declared.dtype == tf.string:
        message = f"`{name}` has a text of more than {MAX_BYTES} bytes"
        return [require_rows(tf.strings.length(value) <= MAX_BYTES, message)]
    checks = []
    if declared.dtype.is_floating:
        checks.append((tf.math.is_finite(value), f"`{name}` is not finite"))
    if declared.minimum is not None:
        message = f"`{name}` must be at least {declared.minimum}"
        checks.append((value >= declared.minimum, message))
    if declared.maximum is not None:
        message = f"`{name}` must be at most {declared.maximum}"
        checks.append((value <= declared.maximum, message))
    check = require_rows if declared.has_rows else require
    return [check(condition, message) for condition, message in checks]


def require(condition, message: str):
    """Returns an operation that fails with one line unless the condition holds."""
    return tf.debugging.Assert(condition, [message])


def require_rows(conditions, message: str):  # [B, ...]
    """Returns an operation that fails with one line unless every row's hold.

    The number of the first row whose do not, from 0, follows the line.
    """
    conditions = tf.reduce_all(conditions, axis=range(1, conditions.shape.rank))
    row = tf.where(~conditions)[:1, 0]
    return tf.debugging.Assert(tf.reduce_all(conditions), [message, row])
