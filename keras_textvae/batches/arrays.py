"""Batches of arrays: ids with labels, or features.

N: rows. B: batch size. T: ids in a row.
"""

from collections.abc import Sequence

import numpy as np

from keras_textvae.batches.batches import Batches, require_positive, require_seed
from keras_textvae.tokens import PAD


class ArrayBatches(Batches):
    """Rows of arrays that go together, in batches; ids no wider than their longest row.

    Args:
        arrays: sequence of arrays [N, ...]; two-dimensional ones of integers are ids.
        batch_size: int. B.
        shuffle: bool. Whether each pass has an order of its own. Then all batches are
            equally large: one that a pass does not fill goes on with the next.
        seed: int.

    Raises:
        ValueError: for no row, or arrays of different lengths.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
    ):
        arrays = [np.asarray(array) for array in arrays]
        require_positive(batch_size=batch_size)
        if {len(array) for array in arrays} != {len(arrays[0])} or not len(arrays[0]):
            raise ValueError(
                "Arrays must have equally many rows, one at least. "
                f"Received: {', '.join(str(len(array)) for array in arrays)} rows"
            )
        super().__init__(
            -(-len(arrays[0]) // batch_size),
            dtypes=tuple(str(array.dtype) for array in arrays),
            shapes=tuple(
                (None, None) if is_ids(array) else (None, *array.shape[1:])
                for array in arrays
            ),
        )
        self.arrays = arrays
        self.size = batch_size
        self.shuffle = shuffle
        self.seed = require_seed(seed)

    def batch(self, step: int) -> tuple[np.ndarray, ...]:
        rows = self._shuffled(step) if self.shuffle else self._in_order(step)
        return tuple(trimmed(array[rows]) for array in self.arrays)

    def _in_order(self, step):
        first = step % self.passed * self.size
        return np.arange(first, min(first + self.size, len(self.arrays[0])))

    def _shuffled(self, step):
        count = len(self.arrays[0])
        places = np.arange(step * self.size, (step + 1) * self.size)
        orders = {
            number: np.random.default_rng([self.seed, number]).permutation(count)
            for number in range(places[0] // count, places[-1] // count + 1)
        }
        return np.array([orders[place // count][place % count] for place in places])


def trimmed(array: np.ndarray) -> np.ndarray:  # [B, N] -> [B, T]
    """Returns ids without columns of `<pad>` alone, other arrays as they are."""
    if not is_ids(array):
        return array
    return array[:, : max(1, np.max(np.sum(array != PAD, axis=1), initial=1))]


def is_ids(array: np.ndarray) -> bool:
    """Whether an array is of ids: two-dimensional, of integers."""
    return array.ndim == 2 and np.issubdtype(array.dtype, np.integer)
