"""A text space as a SavedModel: its methods as signatures, text in and text out."""

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import keras
import tensorflow as tf

from keras_textvae.text_space.graph import TextGraph

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace

# A path with one of them is a pattern to TensorFlow, which loads another file or none.
PATTERN = frozenset("*?[]\\")
DEFAULT = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


class Batching(NamedTuple):
    """How the graph itself decodes the rows of concurrent calls together.

    Attributes:
        rows: int. The most rows that are decoded together. A call with more goes alone.
        timeout_ms: float. How long a call waits for others to come.
        threads: int. Batches that are decoded at a time.
        waiting: int. Batches that may wait; one more is answered UNAVAILABLE.
    """

    rows: int = 64
    timeout_ms: float = 2.0
    threads: int = 2
    waiting: int = 100

    def together(self, compute: Callable) -> Callable:
        """Returns `compute`, tensors [B, ...] -> tensor [B, ...], of joined calls."""
        joined = tf.nondifferentiable_batch_function(
            self.threads,
            self.rows,
            round(1000 * self.timeout_ms),
            max_enqueued_batches=self.waiting,
            autograph=False,
        )(compute)

        def either(*tensors):
            return tf.cond(
                tf.shape(tensors[0])[0] <= self.rows,
                lambda: joined(*tensors),
                lambda: compute(*tensors),
            )

        return either


def check_path(folder: str | os.PathLike):
    """Raises ValueError if nothing could load a SavedModel from a folder."""
    path = os.path.abspath(folder)
    if wrong := sorted(PATTERN & {*path}):
        raise ValueError(
            f"TensorFlow loads no SavedModel from a path with {' '.join(wrong)} in it. "
            f"Received: {path}"
        )


def write(
    space: "TextSpace",
    folder: str | os.PathLike,
    batching: Batching | None,
    bfloat16: bool,
):
    """Writes the SavedModel, see `TextSpace.export`."""
    check_path(folder)
    weights, scope = _weights(space.model, bfloat16)
    graph = space.graph
    if batching or bfloat16:
        graph = TextGraph(
            space.model,
            space.codec,
            space.density,
            space.fitted,
            batching.together if batching else None,
            scope,
        )
    module = tf.Module()
    # What is listed here is saved, once, whichever signatures use it. A module that
    # held the Keras model would not find its variables again in a session.
    module.weights = [weights, graph.density_weights]
    module.tables = space.codec.tokenizer.resources
    # As graph functions, not traced ones: the latter have lost their defaults.
    default = next(iter(graph.endpoints))
    signatures = graph.endpoints | {DEFAULT: graph.endpoints[default]}
    # A served graph needs no gradients, least of all our own.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, os.fspath(folder), signatures, options)


def _weights(model, bfloat16):
    """Returns what is saved, and the scope in which the model's layers see it."""
    values = [variable.value for variable in model.variables]
    if not bfloat16:
        return values, contextlib.nullcontext
    weights = [
        tf.Variable(tf.cast(value, tf.bfloat16)) if value.dtype == tf.float32 else value
        for value in values
    ]

    def scope():
        # Cast once a call, not in each step of its loops.
        return keras.StatelessScope(
            [
                (variable, tf.cast(weight, tf.float32))
                for variable, weight in zip(model.variables, weights, strict=True)
                if weight.dtype == tf.bfloat16
            ]
        )

    return weights, scope
