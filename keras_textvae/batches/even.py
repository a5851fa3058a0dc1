"""Batches that several devices share equally.

B: batch size. T: ids in a row, with <bos>.
"""

import numpy as np

from keras_textvae.batches.batches import Batches, Shard, require_positive
from keras_textvae.tokens import BOS, EOS, PAD


class EvenBatches(Batches):
    """Batches of sentences or crops whose rows are a multiple of the devices.

    A batch of fewer is filled up with empty texts, of weight 0. The others weigh what
    makes the means of a whole evaluation those over the sentences, in Keras's loss too,
    which is divided by all rows.

    Args:
        batches: of ids, int32 [B, T], none but the last of which is smaller.
        devices: int.
        shard: (index, number of processes): which rows of each batch are returned.

    Each batch is a tuple of ids, int32 [B, T], labels, which there are none of (-1),
    and weights, float32 [B].
    """

    def __init__(self, batches: Batches, devices: int, shard: tuple[int, int] = (0, 1)):
        require_positive(devices=devices)
        shapes = (batches.shapes[0], (None,), (None,))
        super().__init__(
            batches.passed, batches.steps, ("int32", "int32", "float32"), shapes
        )
        self._batches, self._devices = batches, devices
        self._shard = Shard(devices, shard)
        full, last = (len(batches.batch(step)) for step in (0, batches.passed - 1))
        others = batches.passed - 1
        filled = others * self._filled(full) + self._filled(last)
        self._weight = filled / (others * full + last)

    def _filled(self, rows):
        return -(-rows // self._devices) * self._devices

    def batch(self, step: int) -> tuple[np.ndarray, ...]:
        ids = np.asarray(self._batches.batch(step))
        rows = self._filled(len(ids))
        filled = np.full((rows, ids.shape[1]), PAD, "int32")
        filled[:, :2] = BOS, EOS
        filled[: len(ids)] = ids
        weights = np.where(np.arange(rows) < len(ids), self._weight, 0.0)
        labels = np.full(rows, -1, "int32")
        arrays = filled, labels, weights.astype("float32")
        return tuple(map(self._shard.of, arrays))
