"""Sentences in batches of nearly equal lengths, so that padding costs little.

Shuffling and sorting happen inside a block of lines, whole columns at a time: a
sentence on its own costs `tf.data` more than its words do.

B: batch size. T: ids in a sentence, with <bos> and <eos>. L: lines or sentences.
(T) in round brackets differs from row to row (`tf.RaggedTensor`).
"""

import functools

import numpy as np
import tensorflow as tf

from keras_textvae.corpora import read_lines, scan
from keras_textvae.pipeline.stream import (
    LINES_AT_ONCE,
    Batches,
    Count,
    read_chunks,
    require_positive,
)
from keras_textvae.tokens import PAD


class SentenceBatches(Batches):
    """Batches of sentences of nearly equal lengths, `<bos> w ... w <eos> <pad> ...`.

    Every sentence is in exactly one batch of an epoch. Inside a block of
    `shuffle_buffer` lines, sentences are shuffled, sorted by bucket and cut into
    batches, which are shuffled again; only the last batch of a block may be smaller.
    Blank lines are skipped.

    Args:
        files: str or list of str. Plain or .gz, UTF-8, one sentence a line.
        tokenizer: what turns lines into ids, see `tokenizers`.
        batch_size: int. Sentences in a batch of this shard.
        max_length: int or None. The most ids, <bos> and <eos> included.
        too_long: what happens to a longer sentence: "error"; "drop"; or "cut", which
            keeps its first `max_length` ids, and so trains on no <eos> that was not
            there. The last two are counted.
        length: int or None. Pads every sentence to this many ids, and then does not
            sort by length; also the maximum, if none is given.
        bucket_width: int or None. Lengths are rounded up to a multiple of it, which
            gives fewer shapes and more padding. None does not sort by length.
        shuffle: bool. If False nothing is random: shortest bucket of a block first and
            the file's order in it, or wholly the file's order if nothing is sorted.
        seed: int.
        shard: (index, number of shards). Every shard gets its own rows of the same
            batches, hence as many batches of the same shapes as the others; up to
            (number of shards - 1) sentences of each block are left out.
        shuffle_buffer: int. Lines in a block, rounded up to a multiple of 1,024.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: for an impossible argument; when first counted, if there is no
            sentence, or one is too long and `too_long="error"`.
    """

    def __init__(
        self,
        files,
        tokenizer,
        batch_size: int,
        *,
        max_length: int | None = None,
        too_long: str = "error",
        length: int | None = None,
        bucket_width: int | None = 1,
        shuffle: bool = True,
        seed: int = 0,
        shard: tuple[int, int] = (0, 1),
        shuffle_buffer: int = 65_536,
    ):
        super().__init__(files, tokenizer, batch_size, seed, shard)
        require_positive(shuffle_buffer=shuffle_buffer)
        require_positive(length=length, bucket_width=bucket_width)
        max_length = length if max_length is None else max_length
        if max_length is not None and not 3 <= max_length <= (length or max_length):
            raise ValueError(
                "`max_length` has room for a word, and fits into `length`. "
                f"Received: max_length={max_length}, length={length}"
            )
        if too_long not in ("error", "drop", "cut"):
            raise ValueError(
                '`too_long` is "error", "drop" or "cut". '
                f"Received: too_long={too_long!r}"
            )
        self.max_length = max_length
        self.too_long = too_long
        self.length = length
        self.bucket_width = None if length else bucket_width
        self.shuffle = shuffle
        self._chunks = -(-shuffle_buffer // LINES_AT_ONCE)  # in a block

    def _epoch(self, number):
        chunks = read_chunks(self.files).map(self._usable, tf.data.AUTOTUNE)
        blocks = chunks.ragged_batch(self._chunks).prefetch(1)
        return blocks.enumerate().flat_map(functools.partial(self._batches, number))

    def _tokenize(self, lines):  # [L] -> int32 [L, (T)], int64 [L]
        """Ids, and how many they are, 0 for a blank line."""
        ids = self.tokenizer.tokenize(lines)
        lengths = ids.row_lengths()
        blank = tf.equal(tf.strings.strip(lines), "") | tf.equal(lengths, 2)
        return ids, tf.where(blank, tf.zeros_like(lengths), lengths)

    def _usable(self, lines):  # [L] -> int32 [L or fewer, (T)]
        ids, lengths = self._tokenize(lines)
        used = lengths > 0
        if self.max_length and self.too_long == "cut":
            ids = ids[:, : self.max_length]
        elif self.max_length:
            used &= lengths <= self.max_length
        return tf.ragged.boolean_mask(ids, used)

    def _batches(self, number, block, ids):  # [chunks, (L), (T)] -> many [B, T]
        ids = ids.merge_dims(0, 1)  # [L, (T)]
        seeds = self._seeds(number, block)
        widths = self._rounded(ids.row_lengths())
        rows = tf.range(ids.nrows())
        if self.shuffle:
            rows = _shuffled(rows, seeds[0])
        rows = rows[: ids.nrows() // self._shards * self._shards]
        if self.bucket_width:
            rows = tf.gather(rows, tf.argsort(tf.gather(widths, rows), stable=True))
        starts = tf.range(0, tf.size(rows), self._rows)
        if self.shuffle:
            starts = _shuffled(starts, seeds[1])

        def batch(start):  # [] -> int32 [B, T]
            together = rows[start : start + self._rows]
            mine = tf.gather(ids, together[self._index :: self._shards])
            # As wide as the other shards' rows of this batch.
            width = self.length or tf.reduce_max(tf.gather(widths, together))
            padded = mine.to_tensor(PAD, shape=tf.stack([-1, width]))
            return tf.ensure_shape(padded, [None, self.length])

        return tf.data.Dataset.from_tensor_slices(starts).map(batch)

    def _rounded(self, lengths):
        width = self.bucket_width or 1
        return (lengths + width - 1) // width * width

    def _measure(self):
        scan(self.files)
        lines_in_block = self._chunks * LINES_AT_ONCE
        sentences = tokens = too_long = steps = ids = all_ids = 0
        for block, lines in enumerate(read_chunks(self.files).rebatch(lines_in_block)):
            lengths = self._tokenize(lines)[1].numpy()
            longer = np.flatnonzero(lengths > (self.max_length or np.inf))
            if longer.size and self.too_long == "error":
                self._refuse(block * lines_in_block + longer[0], lengths[longer[0]])
            too_long += longer.size
            lengths = self._used(lengths)
            sentences += lengths.size
            tokens += int(np.sum(lengths - 1))
            ids += int(np.sum(lengths))
            all_ids += self._padded(lengths)
            steps += -(-(lengths.size // self._shards) // self.batch_size)
        if not steps:
            raise ValueError(
                f"{', '.join(self.files)}: no batch for {self._shards} shards from "
                f"{sentences} sentences ({too_long} others are too long)."
            )
        return Count(sentences, tokens, too_long, 1 - ids / all_ids), steps

    def _used(self, lengths):
        lengths = lengths[lengths > 0]
        if self.max_length and self.too_long == "cut":
            return np.minimum(lengths, self.max_length)
        return lengths[lengths <= (self.max_length or np.inf)]

    def _padded(self, lengths) -> int:
        """The ids, <pad> included, in the batches of a block."""
        if self.length or not lengths.size:
            return lengths.size * (self.length or 0)
        widths = self._rounded(lengths)
        widths = np.sort(widths) if self.bucket_width else widths
        starts = np.arange(0, widths.size, self._rows)
        rows = np.diff([*starts, widths.size])
        return int(np.sum(np.maximum.reduceat(widths, starts) * rows))

    def _refuse(self, index, length):
        """Names the line of all files' lines that is too long."""
        for path in self.files:
            for number, _ in read_lines(path):
                if index == 0:
                    raise ValueError(
                        f"{path}, line {number}: {length} ids with <bos> and <eos>, "
                        f"longer than the maximum of {self.max_length}."
                    )
                index -= 1


def _shuffled(values, seed):
    return tf.random.experimental.stateless_shuffle(values, seed, alg="philox")
