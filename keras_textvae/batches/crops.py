"""Crops of fixed length from anywhere in a running text, for character models.

B: batch size.
"""

import numpy as np

from keras_textvae.batches.batches import (
    Batches,
    Shard,
    require_positive,
    require_seed,
)
from keras_textvae.tokens import BOS


class CropBatches(Batches):
    """Batches of `<bos>` and `length` ids, from anywhere in the text; no `<eos>`.

    A shuffled crop begins at a uniformly random id of the text, with replacement, and
    crosses line ends. Without shuffling, crops stand one after another. A pass has as
    many batches as it takes to cover the text once, and at least one.

    Args:
        values: int [ids], the text, each line followed by a newline.
        batch_size: int. B.
        length: int. The ids of a crop.
        shuffle: bool.
        seed: int.
        shard: (index, number of shards). Every shard gets its own rows of the same
            batches.
        steps: see `Batches`.

    Raises:
        ValueError: for an impossible argument, or a text shorter than a crop.
    """

    def __init__(
        self,
        values: np.ndarray,
        batch_size: int,
        length: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        shard: tuple[int, int] = (0, 1),
        steps: int | None = None,
    ):
        self._shard = Shard(batch_size, shard)
        require_positive(length=length)
        if len(values) < length:
            raise ValueError(
                "The text is shorter than a crop. "
                f"Received: {len(values)} ids, length={length}"
            )
        passed = max(1, len(values) // (length * self._shard.rows))
        super().__init__(passed, steps, shapes=((None, 1 + length),))
        self.values = values
        self.length = length
        self.shuffle = shuffle
        self.seed = require_seed(seed)

    def batch(self, step: int) -> np.ndarray:
        starts = self._shard.of(self._starts(step))
        ids = np.full((len(starts), 1 + self.length), BOS, "int32")
        ids[:, 1:] = self.values[starts[:, None] + np.arange(self.length)]
        return ids

    def _starts(self, step):  # -> [B], all shards together
        rows, ends = self._shard.rows, len(self.values) - self.length + 1
        if self.shuffle:
            return np.random.default_rng([self.seed, step]).integers(0, ends, rows)
        first = step % self.passed * rows
        return (first + np.arange(rows)) * self.length % ends
