"""What all batches share: the interface through which Keras and others read them.

B: batch size. T: ids in a row, with <bos>.
"""

import abc
import math
import operator
from collections.abc import Iterator

import keras
import numpy as np

# What `fit` takes as it is. Keras would make a `PyDataset` one of these, but take the
# shape of all batches from its first two (keras 3.15), where lengths are no constant.
from keras.src.trainers.data_adapters.data_adapter import DataAdapter


class Batches(DataAdapter, abc.ABC):
    """Batches that `fit` and `evaluate` take, epoch after epoch.

    A subclass has `batch(step)`. In `fit`, epoch e (from 0) has the steps from e * S to
    (e + 1) * S of the whole run, S being the number of batches; `next_epoch` is where
    the next call of `fit` begins. Iterated, they are the steps of the first epoch.

    Args:
        passed: int. The number of batches in a pass over the data.
        steps: int or None. S, the batches of an epoch. None means a pass.
        dtypes: of the arrays of a batch.
        shapes: of the arrays of a batch, None where they differ.

    Raises:
        ValueError: for no step.
    """

    def __init__(
        self,
        passed: int,
        steps: int | None = None,
        dtypes: tuple[str, ...] = ("int32",),
        shapes: tuple[tuple, ...] = ((None, None),),
    ):
        require_positive(steps=steps)
        self.passed = passed
        self.steps = passed if steps is None else steps
        self.next_epoch = 0
        self.dtypes, self.shapes = dtypes, shapes

    @abc.abstractmethod
    def batch(self, step: int) -> np.ndarray | tuple[np.ndarray, ...]:
        """Returns the batch of a step of the whole run.

        For sentences and crops it is ids, int32 [B, T]; otherwise a tuple of arrays.
        """

    def spread(self, count: int | None) -> "Batches":
        """Returns about `count` of a pass's batches, at equal distances; None for all.

        Without shuffling, the first batches alone would be the shortest sentences.
        """
        stride = max(1, self.passed // (count or self.passed))
        return Chosen(self, range(0, self.passed, stride))

    def epoch(self, number: int) -> Iterator:
        """Yields the batches of an epoch."""
        return map(self.batch, range(number * self.steps, (number + 1) * self.steps))

    def __len__(self) -> int:
        return self.steps

    def __iter__(self):
        return self.epoch(0)

    # What Keras asks.

    @property
    def num_batches(self) -> int:
        return self.steps

    @property
    def batch_size(self) -> None:
        """None, since batches may differ in size."""

    has_partial_batch = None
    partial_batch_size = None

    def get_numpy_iterator(self) -> Iterator[tuple[np.ndarray, ...]]:
        # Keras also begins iterators that it does not use: only one that has come to
        # its last batch is an epoch.
        number = self.next_epoch
        for place, batch in enumerate(self.epoch(number), start=1):
            if place == self.steps:
                self.next_epoch = number + 1
            yield batch if isinstance(batch, tuple) else (batch,)

    get_jax_iterator = get_numpy_iterator

    def get_tf_dataset(self):
        import tensorflow as tf

        signature = tuple(
            tf.TensorSpec(shape, dtype)
            for shape, dtype in zip(self.shapes, self.dtypes, strict=True)
        )
        batches = tf.data.Dataset.from_generator(
            self.get_numpy_iterator, output_signature=signature
        )
        return batches.prefetch(tf.data.AUTOTUNE)


class Chosen(Batches):
    """A selection from the batches of a pass, the same in every epoch."""

    def __init__(self, batches: Batches, steps: range):
        super().__init__(len(steps), None, batches.dtypes, batches.shapes)
        self._batches, self._chosen = batches, steps

    def batch(self, step: int) -> np.ndarray | tuple[np.ndarray, ...]:
        return self._batches.batch(self._chosen[step % len(self._chosen)])


class Shard:
    """Which rows of each batch a process has.

    Args:
        batch_size: int. Rows of this process.
        shard: (index, number of processes).
    """

    def __init__(self, batch_size: int, shard: tuple[int, int]):
        require_positive(batch_size=batch_size)
        self.index, self.count = map(operator.index, shard)
        if not 0 <= self.index < self.count:
            raise ValueError(
                f"`shard` is (index, number of shards). Received: shard={shard}"
            )
        self.rows = batch_size * self.count  # of a batch, all processes together

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Returns this process's part of a batch's rows, which are a multiple of it.

        The parts of all processes, one after another, are the batch.
        """
        part = len(rows) // self.count
        return rows[self.index * part : (self.index + 1) * part]


def require_positive(**arguments):
    """Raises ValueError for a number not positive or finite; None is left alone."""
    for name, value in arguments.items():
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}")


def require_seed(seed: int) -> int:
    """Returns a seed; raises ValueError unless it is a whole number from 0 on."""
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"`seed` is an int from 0 on. Received: seed={seed!r}")
    return int(seed)


def compiles_each_shape() -> bool:
    """Whether a model's step is compiled anew for every shape of a batch."""
    return keras.backend.backend() != "tensorflow"
