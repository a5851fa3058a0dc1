"""Batches of sentences, and a model's functions of them as NumPy arrays.

B: batch size. T: time, `<bos>` included. N: sentences.
"""

from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np

ROWS = 32  # of a batch that is cut from one array


class Compiled(keras.Model):
    """A function of a model and of arrays, compiled once, on every backend.

    Args:
        function: model, arrays -> tensors.
        model: `models.TextVAE` or `models.LanguageModel`.
    """

    def __init__(self, function: Callable, model: keras.Model):
        # float32, so that the arrays reach the model as they are.
        super().__init__(dtype="float32")
        self.function = function
        self.model = model

    def build(self, shapes):
        """The function's layers build themselves; there are no others."""

    def call(self, arrays):
        return self.function(self.model, *arrays)

    def on(self, *arrays):
        """Returns what the function makes of the arrays, in NumPy."""
        return self.predict_on_batch(arrays)


def cut(batches: Iterable) -> Iterable:
    """Returns `batches`; one array [N, T] as a list of arrays [B, T]."""
    if getattr(batches, "ndim", None) != 2:
        return batches
    ids = np.asarray(batches)
    return [ids[start : start + ROWS] for start in range(0, len(ids), ROWS)]


def checked(batches: Iterable) -> Iterator[np.ndarray]:
    """Yields the batches as int32 [B, T].

    Raises:
        ValueError: for what is not a batch of ids, and if there is no sentence.
    """
    sentences = 0
    for batch in batches:
        ids = np.asarray(batch)
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise ValueError(
                "A batch is an array of ids, int32 [B, T]. "
                f"Received: {ids.dtype} of shape {ids.shape}"
            )
        if len(ids):
            yield ids.astype("int32")
        sentences += len(ids)
    if not sentences:
        raise ValueError("`batches` holds no sentence. Received: 0 sentences")
