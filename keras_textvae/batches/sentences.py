"""Sentences in batches of nearly equal lengths, so that padding costs little.

B: batch size. T: ids in a sentence, with <bos> and <eos>. N: sentences. R: sentences in
a block.
"""

import functools

import numpy as np

from keras_textvae.batches.batches import (
    Batches,
    Shard,
    compiles_each_shape,
    require_positive,
    require_seed,
)
from keras_textvae.tokens import PAD

BLOCK = 65_536  # sentences that are sorted by length together
PIECE = 1024  # sentences that stay neighbours on the way into a block


class SentenceBatches(Batches):
    """Batches of sentences of nearly equal lengths, `<bos> w ... w <eos> <pad> ...`.

    Pieces of the corpus are put in a random order and cut into blocks; inside a block,
    sentences are shuffled, sorted by length and cut into batches, which are shuffled
    again. Memory is that of a block, however long the corpus.

    No sentence is twice in a pass. A shuffled pass has as many as fill its batches, and
    leaves out others each time; a corpus smaller than a batch is one. Without shuffling
    every sentence is in a pass, and its last batch may be smaller.

    Args:
        values: int [ids], the sentences' ids one after another.
        ends: int [N], where in `values` each sentence ends.
        batch_size: int. B.
        shuffle: bool. If False, nothing is random: the shortest sentences of a block
            come first, and equally long ones in their order in the corpus.
        seed: int.
        by_length: bool. If False, batches are of any lengths, as the sentences come:
            for batch normalisation, since a batch of near-equal lengths tells by its
            statistics how long its sentences are.
        bucket_width: int or None. Lengths are rounded up to a multiple of it before
            sentences are sorted, and batches padded to it: fewer shapes, more padding.
            None means 1, or 16 where each shape is compiled anew (JAX).
        max_width: int or None. The largest width of a batch, at least that of the
            longest sentence: rounding up must not exceed the length of a model that has
            one.
        shard: (index, number of shards). Every shard gets its own rows of the same
            batches, hence as many batches of the same shapes as the others. Where they
            do not share a smaller batch equally, up to (number of shards - 1) sentences
            are left out of it.
        steps: see `Batches`.
        block: int. Sentences in a block, rounded up to whole batches.

    Raises:
        ValueError: for an impossible argument, or fewer sentences than shards.
    """

    def __init__(
        self,
        values: np.ndarray,
        ends: np.ndarray,
        batch_size: int,
        *,
        shuffle: bool = False,
        seed: int = 0,
        by_length: bool = True,
        bucket_width: int | None = None,
        max_width: int | None = None,
        shard: tuple[int, int] = (0, 1),
        steps: int | None = None,
        block: int = BLOCK,
    ):
        self._shard = Shard(batch_size, shard)
        require_positive(bucket_width=bucket_width, max_width=max_width, block=block)
        whole = shuffle and len(ends) >= self._shard.rows
        unit = self._shard.rows if whole else self._shard.count
        sentences = len(ends) // unit * unit
        if not sentences:
            raise ValueError(
                "There must be a sentence for each shard. "
                f"Received: {len(ends)} sentences, {self._shard.count} shards"
            )
        super().__init__(-(-sentences // self._shard.rows), steps)
        self.values = values
        self.ends = ends
        self.shuffle = shuffle
        self.seed = require_seed(seed)
        self.by_length = by_length
        self.bucket_width = bucket_width or (16 if compiles_each_shape() else 1)
        self.max_width = max_width
        self._sentences = sentences
        self._block_steps = -(-block // self._shard.rows)
        # Of the pass and the block that are read: to plan one costs many batches' time.
        self._order = functools.lru_cache(maxsize=2)(self._order)
        self._plan = functools.lru_cache(maxsize=2)(self._plan)

    def batch(self, step: int) -> np.ndarray:
        number, step = divmod(step, self.passed)
        block, step = divmod(step, self._block_steps)
        rows, widths = self._plan(number, block)[step]
        # As wide as the other shards' rows of this batch.
        return self._padded(self._shard.of(rows), widths)

    @property
    def padding_share(self) -> float:
        """The share of `<pad>` among the ids of the first pass's batches, 0 to 1."""
        ids = padded = 0
        for block in range(-(-self.passed // self._block_steps)):
            for rows, width in self._plan(0, block):
                ids += int(np.sum(self._lengths(rows)))
                padded += len(rows) * width
        return 1.0 - ids / padded

    def _padded(self, rows, width):  # [B] -> int32 [B, T]
        lengths = self._lengths(rows)
        places = np.arange(width)
        starts = (self.ends[rows] - lengths)[:, None]
        present = places < lengths[:, None]
        ids = np.full(present.shape, PAD, "int32")
        ids[present] = self.values[(starts + places)[present]]
        return ids

    def _lengths(self, rows):  # [B] -> int64 [B]
        starts = np.where(rows > 0, self.ends[np.maximum(rows, 1) - 1], 0)
        return self.ends[rows] - starts

    def _plan(self, number, block):
        """Returns rows [B] of all shards, and the width T, of each batch of a block."""
        rows = self._rows(number, block)  # [R]
        widths = -(-self._lengths(rows) // self.bucket_width) * self.bucket_width
        widths = (
            widths if self.max_width is None else np.minimum(widths, self.max_width)
        )
        rng = np.random.default_rng([self.seed, number, 1 + block])
        if self.shuffle:
            order = rng.permutation(len(rows))
            rows, widths = rows[order], widths[order]
        if self.by_length:
            order = np.argsort(widths, kind="stable")
            rows, widths = rows[order], widths[order]
        size = self._shard.rows
        batches = [
            (rows[start : start + size], int(max(widths[start : start + size])))
            for start in range(0, len(rows), size)
        ]
        if self.shuffle:
            batches = [batches[i] for i in rng.permutation(len(batches))]
        return batches

    def _rows(self, number, block):
        """Returns the sentences of a block, [R]."""
        size = self._block_steps * self._shard.rows
        first = block * size
        last = min(first + size, self._sentences)
        if not self.shuffle:
            return np.arange(first, last)
        pieces, ends = self._order(number)
        chosen = range(
            int(np.searchsorted(ends, first, side="right")),
            int(np.searchsorted(ends, last, side="left")) + 1,
        )
        rows = np.concatenate(
            [
                np.arange(p * PIECE, min((p + 1) * PIECE, len(self.ends)))
                for p in pieces[chosen]
            ]
        )
        skipped = first - int(ends[chosen[0] - 1] if chosen[0] else 0)
        return rows[skipped : skipped + last - first]

    def _order(self, number):
        """Returns the order of the pieces in a pass, and where each ends there."""
        count = -(-len(self.ends) // PIECE)
        pieces = np.random.default_rng([self.seed, number, 0]).permutation(count)
        sizes = np.minimum((pieces + 1) * PIECE, len(self.ends)) - pieces * PIECE
        return pieces, np.cumsum(sizes)
