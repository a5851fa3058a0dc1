"""Batches of sentences whose ids are in memory already, without TensorFlow.

For the JAX backend on a machine that has no TensorFlow: `pipeline` makes the same
batches from files of text.

B: batch size. T: ids in a sentence, with <bos> and <eos>. N: sentences.
"""

import itertools
from collections.abc import Iterator

import keras
import numpy as np

from keras_textvae.tokens import PAD


class IdBatches:
    """Sentences in batches of nearly equal lengths, as `pipeline.SentenceBatches`.

    Args:
        values: int [ids], the sentences' ids one after another.
        lengths: int [N], how many ids each sentence has.
        batch_size: int. B.
        bucket_width: int. Sentences are sorted, and batches padded, to multiples of
            this many ids. JAX compiles a training step anew for every T: a larger one
            is slower and starts sooner.
        shuffle: bool. Otherwise an epoch is in the order of the lengths.
        seed: int. An epoch is a function of it and of the epoch's number.

    Raises:
        ValueError: for no sentences, for lengths that are not those of `values`, and
            for a batch size or bucket width that is not positive.
    """

    def __init__(
        self, values, lengths, batch_size, bucket_width=8, shuffle=False, seed=0
    ):
        if not len(lengths) or np.sum(lengths) != len(values):
            raise ValueError(
                "`lengths` are those of the sentences in `values`. Received: "
                f"{len(lengths)} sentences of {np.sum(lengths)} ids, {len(values)} ids"
            )
        if batch_size < 1 or bucket_width < 1:
            raise ValueError(
                "`batch_size` and `bucket_width` must be positive. Received: "
                f"batch_size={batch_size}, bucket_width={bucket_width}"
            )
        self.sentences = np.split(np.asarray(values, "int32"), np.cumsum(lengths)[:-1])
        self.widths = -(-np.asarray(lengths) // bucket_width) * bucket_width
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.sentences) // self.batch_size)

    def epoch(self, number: int = 0) -> keras.utils.PyDataset:
        """The batches of one epoch, int32 [B, T] each."""
        rng = np.random.default_rng([self.seed, number])
        rows = np.arange(len(self.sentences))
        if self.shuffle:
            rows = rng.permutation(rows)
        rows = rows[np.argsort(self.widths[rows], kind="stable")]
        starts = np.arange(0, len(rows), self.batch_size)
        batches = [rows[start : start + self.batch_size] for start in starts]
        if self.shuffle:
            batches = [batches[i] for i in rng.permutation(len(batches))]
        return _Chosen(self, batches)

    def spread(self, count: int | None) -> keras.utils.PyDataset:
        """About `count` batches of the first epoch, at equal distances; None for all.

        Without shuffling, the first batches alone would be the shortest sentences.
        """
        stride = max(1, self.steps_per_epoch // (count or self.steps_per_epoch))
        return _Chosen(self, self.epoch(0).rows[::stride])

    def from_step(self, step: int) -> Iterator[tuple[np.ndarray]]:
        """Epoch after epoch without end, from batch `step` of the whole run on.

        A batch is the tuple (ids,), as `fit` wants it of a generator.
        """
        first, skipped = divmod(step, self.steps_per_epoch)
        for number in itertools.count(first):
            epoch = self.epoch(number)
            yield from ((epoch[i],) for i in range(skipped, len(epoch)))
            skipped = 0


class _Chosen(keras.utils.PyDataset):
    """The batches of chosen rows, for `fit`, `evaluate` and loops."""

    def __init__(self, batches, rows):
        super().__init__()
        self.batches = batches
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):  # -> int32 [B, T]
        rows = self.rows[index]
        ids = np.full((len(rows), max(self.batches.widths[rows])), PAD, "int32")
        for row, ids_of_row in zip(rows, ids, strict=True):
            sentence = self.batches.sentences[row]
            ids_of_row[: len(sentence)] = sentence
        return ids
