"""Batches of sentences, and a model's functions of them as NumPy arrays.

B: batch size. T: time, `<bos>` included. N: sentences.
"""

import contextlib
import logging
import operator
from collections.abc import Callable, Generator, Iterable, Iterator

import keras
import numpy as np

from keras_textvae.tokens import require_ids

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
        with without_warning_of_tracing():
            return self.predict_on_batch(arrays)


@contextlib.contextmanager
def without_warning_of_tracing() -> Generator[None]:
    """Keeps TensorFlow from warning that a function is traced again and again.

    A few figures, each a graph of its own, look to it like one function that is.
    """
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_other)
    try:
        yield
    finally:
        logger.removeFilter(_is_other)


def _is_other(record):
    return "triggered tf.function retracing" not in record.getMessage()


def of_ids(batches: Iterable, model: keras.Model) -> "Checked":
    """Returns what yields the batches, checked, as int32 [B, T].

    Args:
        batches: an iterable of ids [B, T], or of tuples that begin with them, such as a
            list of arrays or a `tf.data.Dataset`; or one array [N, T].
        model: whose ids they are.

    Raises:
        ValueError: for sentences with weights, which would be left out of account; when
            iterated, for what is no ids of the model's vocabulary, and if there is no
            sentence.
    """
    if getattr(batches, "ndim", None) == 2:
        ids = np.asarray(batches)
        batches = [ids[start : start + ROWS] for start in range(0, len(ids), ROWS)]
    return Checked(batches, model.vocabulary_size)


class Checked:
    """Batches that are checked as they come, see `of_ids`."""

    def __init__(self, batches: Iterable, vocabulary_size: int):
        self.batches = batches
        self.vocabulary_size = vocabulary_size

    def __len__(self) -> int:
        return operator.length_hint(self.batches)

    def __iter__(self) -> Iterator[np.ndarray]:
        sentences = 0
        for batch in self.batches:
            parts = batch if isinstance(batch, tuple) else (batch,)
            ids, _, weights = keras.utils.unpack_x_y_sample_weight(parts)
            if weights is not None:
                raise ValueError("Weights of sentences: only `evaluate` reads them.")
            ids = np.asarray(ids) if isinstance(ids, list) else ids
            require_ids(ids, self.vocabulary_size)
            if len(ids):
                yield np.asarray(ids).astype("int32")
            sentences += len(ids)
        if not sentences:
            raise ValueError("`batches` holds no sentence. Received: 0 sentences")
