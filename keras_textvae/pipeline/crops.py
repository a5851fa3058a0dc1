"""Crops of fixed length from anywhere in a text, for character models.

B: batch size.
"""

import functools

import tensorflow as tf

from keras_textvae.corpora import scan
from keras_textvae.pipeline.stream import (
    Batches,
    Count,
    read_chunks,
    require_positive,
)
from keras_textvae.tokens import BOS, UNK


class CropBatches(Batches):
    """Batches of <bos> and `length` characters, from anywhere in the text; no <eos>.

    The text is all lines as they stand, blank ones too, each followed by a newline. A
    crop begins at a uniformly random character of a block, with replacement, and
    crosses line ends; a text of one block is sampled uniformly as a whole. An epoch
    has as many crops as fill the text once, rounded down to whole batches:
    `characters // (length * batch_size * number of shards)` batches.

    Args:
        files: str or list of str. Plain or .gz, UTF-8.
        tokenizer: a `CharacterTokenizer` that knows the newline.
        batch_size: int. Crops in a batch of this shard.
        length: int. Characters in a crop.
        seed: int.
        shard: (index, number of shards). Every shard gets its own rows of the same
            batches.
        block: int. Characters held at once, rounded up to a whole number of batches.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: for an impossible argument; when first counted, if the text does
            not fill a batch.
    """

    def __init__(
        self,
        files,
        tokenizer,
        batch_size: int,
        length: int,
        *,
        seed: int = 0,
        shard: tuple[int, int] = (0, 1),
        block: int = 8_388_608,
    ):
        super().__init__(files, tokenizer, batch_size, seed, shard)
        require_positive(length=length, block=block)
        newline = tokenizer.split(["\n"]).flat_values.numpy().tolist()
        if len(newline) != 1 or newline == [UNK]:
            raise ValueError("Crops need a character tokenizer that knows the newline.")
        if tokenizer.right_to_left:
            raise ValueError("Crops of running text are read from left to right only.")
        self.length = length
        self._characters = self._rows * length  # of a batch, all shards together
        self._block = -(-block // self._characters) * self._characters

    def _epoch(self, number):
        blocks = read_chunks(self.files).map(self._split, tf.data.AUTOTUNE)
        blocks = blocks.rebatch(self._block).enumerate()
        return blocks.flat_map(functools.partial(self._crops, number))

    def _split(self, lines):  # [L] -> int32 [characters]
        return self.tokenizer.split(tf.strings.join([lines, "\n"])).flat_values

    def _crops(self, number, block, ids):  # [characters] -> many [B, length + 1]
        seed = self._seeds(number, block)[0]
        ends = tf.size(ids) - self.length + 1
        window = tf.range(self.length)[tf.newaxis]

        def batch(step):  # [] -> int32 [B, length + 1]
            drawn = tf.random.fold_in(seed, step, alg="philox")
            starts = tf.random.stateless_uniform(
                [self._rows, 1], drawn, 0, ends, tf.int32, alg="philox"
            )
            crops = tf.gather(ids, starts[self._index :: self._shards] + window)
            return tf.pad(crops, [[0, 0], [1, 0]], constant_values=BOS)

        steps = tf.size(ids, tf.int64) // self._characters
        return tf.data.Dataset.range(steps).map(batch)

    def _measure(self):
        scan(self.files)
        count = characters = 0
        for lines in read_chunks(self.files):
            count += len(lines)
            characters += len(self._split(lines))
        if characters < self._characters:
            raise ValueError(
                f"{', '.join(self.files)}: {characters} characters do not fill a "
                f"batch, which takes {self._characters}."
            )
        return Count(count, characters), characters // self._characters
