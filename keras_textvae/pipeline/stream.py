"""What batches of sentences and of crops share: files in, an endless stream out.

All randomness is a pure function of (seed, epoch, block), so that any batch of a run
can be made again. A block is what is held in memory at a time.
"""

import functools
import os
from typing import NamedTuple

import tensorflow as tf

LINES_AT_ONCE = 1024
_NO_END = 2**62


class Count(NamedTuple):
    """What one epoch over the files holds, all shards together.

    Attributes:
        sentences: sentences that are used; for crops, lines.
        tokens: predicted ids: words and <eos>; for crops, characters. Never padding.
        too_long: sentences longer than the maximum, dropped or cut.
        padding_share: the share of <pad> among the ids of all batches, 0 to 1.
    """

    sentences: int
    tokens: int
    too_long: int = 0
    padding_share: float = 0.0


class Batches:
    """The streams of sentences and of crops.

    A subclass adds `_measure() -> (Count, steps per epoch)` and `_epoch(number)`.
    """

    def __init__(self, files, tokenizer, batch_size, seed, shard):
        self.files = [files] if isinstance(files, str) else [*files]
        for path in self.files:
            if not os.path.isfile(path):
                raise FileNotFoundError(f"{path} is not a file.")
        index, count = shard
        if not 0 <= index < count:
            raise ValueError(
                f"`shard` is (index, number of shards). Received: shard={shard}"
            )
        require_positive(batch_size=batch_size)
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self.seed = seed
        self._index, self._shards = index, count
        self._rows = batch_size * count  # of a batch, all shards together

    @functools.cached_property
    def _measured(self):
        return self._measure()

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch, equally many for every shard. Reads the files once."""
        return self._measured[1]

    def count(self) -> Count:
        """Counts what an epoch holds. Reads the files once."""
        return self._measured[0]

    def epoch(self, number: int) -> tf.data.Dataset:
        """The batches of one epoch: a pure function of the files, seed and number."""
        # Counting also raises before the first batch what would be wrong with a later.
        size = tf.data.experimental.assert_cardinality(self.steps_per_epoch)
        return _in_order(self._epoch(tf.constant(number, tf.int64)).apply(size))

    def spread(self, count: int | None) -> tf.data.Dataset:
        """About `count` batches of the first epoch, at equal distances; None for all.

        Sentences stand in the order of their lengths where nothing is shuffled: the
        first batches would be the shortest.
        """
        stride = max(1, self.steps_per_epoch // (count or self.steps_per_epoch))
        return self.epoch(0).shard(stride, 0)

    def from_step(self, step: int) -> tf.data.Dataset:
        """Epoch after epoch without end, from batch `step` of the whole run on."""
        number, skipped = divmod(step, self.steps_per_epoch)
        epochs = tf.data.Dataset.range(number, _NO_END).flat_map(self._epoch)
        return _in_order(epochs.skip(skipped))

    def _seeds(self, number, block):
        """Two seeds of a block, whatever `tf.random.set_seed` was told."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), number])
        return tf.random.split(
            tf.random.fold_in(seed, block, alg="philox"), 2, "philox"
        )


def read_chunks(files) -> tf.data.Dataset:
    """All files' lines in order, `LINES_AT_ONCE` together, without their ends."""

    def read(path):
        zipped = tf.strings.regex_full_match(path, r".*\.gz")
        return tf.data.TextLineDataset(path, tf.where(zipped, "GZIP", ""))

    paths = tf.data.Dataset.from_tensor_slices(files)
    return paths.flat_map(read).batch(LINES_AT_ONCE)


def _in_order(batches):
    options = tf.data.Options()
    options.deterministic = True
    return batches.with_options(options).prefetch(tf.data.AUTOTUNE)


def require_positive(**arguments):
    """Raises ValueError for a number that is not positive; None is left alone."""
    for name, value in arguments.items():
        if value is not None and value <= 0:
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}")
