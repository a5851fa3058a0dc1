"""What the tokenizers share.

B: batch size. T: time, with <bos> and <eos>. N: time without them. V: vocabulary size.
(T) and (N) in round brackets differ from row to row (`tf.RaggedTensor`).
"""

import collections
import os
from collections.abc import Iterable, Sequence
from typing import Self

import tensorflow as tf

from keras_textvae.atomic_files import write_json
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, SPECIAL_TOKENS, UNK


class Tokenizer:
    """What the tokenizers share; a subclass adds `get_config` and what begins with "_".

    A byte-order mark at the beginning of a text is no part of it.

    Args:
        tokens: V strings for people to read; the index is the id.
        texts: V strings, what `decode` writes for each id.
        separator: what `decode` writes between two of them.
        hidden: the piece of text that stands for a hidden one, as in `_pieces`.
        right_to_left: bool. Whether `<bos>` stands at the end of the text and `<eos>`
            at its beginning, the words between them reversed (Bowman et al. 2016,
            section 5). Text itself is always in reading order.

    Attributes:
        unit: str. What a piece of text is: "word", "subword", "character" or "byte".
    """

    unit = "word"

    def __init__(
        self,
        tokens: Sequence[str],
        texts: Sequence[str | bytes],
        separator: str,
        hidden: str | int,
        right_to_left: bool,
    ):
        self.tokens = list(tokens)
        repeated = [t for t, n in collections.Counter(tokens).items() if n > 1]
        if repeated or len(tokens) == FIRST_WORD:
            raise ValueError(
                "A vocabulary has something beside the special tokens, each once. "
                f"Received: {len(tokens)} tokens, repeated: {repeated[:5]}"
            )
        self.separator = separator
        self._hidden = hidden
        self.right_to_left = right_to_left
        self._texts = _table(tf.range(len(texts)), texts, default=SPECIAL_TOKENS[UNK])

    @property
    def vocabulary_size(self) -> int:
        """V, special tokens included."""
        return len(self.tokens)

    @property
    def resources(self) -> list:
        """The lookup tables that an export must track."""
        return [self._texts]

    def split(self, text):  # [B] -> int32 [B, (N)]
        """Ids of the words or other pieces alone, without <bos> and <eos>, as read."""
        pieces = self._pieces(without_mark(text))
        return pieces.with_flat_values(self._look_up(pieces.flat_values))

    def unknown_bytes(self, text):  # [B] -> int32 [B, (N)]
        """The bytes of each word, or character, that is <unk>; 0 of the others."""
        pieces = self._pieces(without_mark(text))
        sizes = tf.strings.length(self._write(pieces.flat_values))
        unknown = tf.equal(self._look_up(pieces.flat_values), UNK)
        return pieces.with_flat_values(tf.where(unknown, sizes, 0))

    def tokenize(self, text):  # [B] -> int32 [B, (T)]
        """Ids of `<bos> w ... w <eos>`."""
        return self._framed(self.split(text), BOS, EOS)

    def tokenize_hidden(self, text):  # [B] -> int32, bool and string [B, (T)]
        """Ids of `<bos> w ... w <eos>`, and which are hidden; those are <unk>.

        A hidden word, or character, is written "_". Third come the words as they were
        written, for `decode`.
        """
        pieces, hidden, written = self._hiding(without_mark(text))
        ids = tf.where(hidden, UNK, self._look_up(pieces.flat_values))
        return (
            self._framed(pieces.with_flat_values(ids), BOS, EOS),
            self._framed(pieces.with_flat_values(hidden), False, False),
            self._framed(pieces.with_flat_values(written), "", ""),
        )

    def _framed(self, values, first, last):  # [B, (N)] -> [B, (T)]
        if self.right_to_left:
            values = tf.reverse(values, axis=[1])
        column = [values.nrows(), 1]
        first, last = tf.fill(column, first), tf.fill(column, last)
        return tf.concat([first, values, last], axis=1)

    def _pieces(self, text):  # [B] -> [B, (N)]
        """Words or other pieces, as strings or numbers."""
        raise NotImplementedError

    def _hiding(self, text):  # [B] -> [B, (N)], bool [N], string [N]
        """Pieces as `_pieces`; of each whether it is hidden, and how it is written."""
        pieces = self._pieces(text)
        values = pieces.flat_values
        return pieces, tf.equal(values, self._hidden), self._write(values)

    def _look_up(self, pieces):  # [...] -> int32 [...]
        raise NotImplementedError

    def _write(self, pieces):  # [N] -> string [N]
        raise NotImplementedError

    def _joined(self, texts):  # [B, (N)] -> [B]
        return tf.strings.reduce_join(texts, axis=1, separator=self.separator)

    def encode(self, text, length: int | None = None):  # [B] -> int32 [B, T]
        """Ids padded with <pad> to the longest sentence, or to exactly `length`.

        A sentence longer than `length` is cut and then has no <eos>: callers that may
        not lose words look at `tokenize(text).row_lengths()` first.
        """
        return self.tokenize(text).to_tensor(PAD, shape=[None, length])

    def decode(self, ids, unknown=None):  # int and string [B, T] -> [B]
        """Text up to the first <eos>, without <pad> and <bos>; always valid UTF-8.

        <unk> is written as `unknown` says, or as `<unk>`; so is any id outside the
        vocabulary.
        """
        ids = tf.ensure_shape(tf.cast(ids, tf.int32), [None, None])
        ended = tf.cumsum(tf.cast(tf.equal(ids, EOS), tf.int32), axis=1) > 0
        blank = tf.equal(ids, PAD) | tf.equal(ids, BOS)
        texts = self._texts.lookup(ids)
        if unknown is not None:
            texts = tf.where(tf.equal(ids, UNK), unknown, texts)
        texts = tf.ragged.boolean_mask(texts, ~(ended | blank))
        if self.right_to_left:
            texts = tf.reverse(texts, axis=[1])
        return tf.strings.unicode_transcode(
            self._joined(texts), "UTF-8", "UTF-8", errors="replace"
        )

    @property
    def decoded_unit(self) -> str:
        """What people read in a text: "word", of subwords too, or "character"."""
        return "word" if self.unit in ("word", "subword") else "character"

    def decoded_pieces(self, texts: Iterable[str]) -> list[list[str]]:
        """Returns the words, or the characters, of texts as `decode` writes them."""
        words = self.decoded_unit == "word"
        return [text.split() if words else [*text] for text in texts]

    def get_config(self) -> dict:
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict) -> Self:
        return cls(**config)

    def description(self) -> dict:
        """Returns class and configuration, which make this tokenizer again."""
        return {"class_name": type(self).__name__, "config": self.get_config()}

    def save(self, path: str | os.PathLike):
        """Writes the tokenizer as JSON; `load` reads it. Never leaves half a file."""
        write_json(path, self.description())


def batch_of_text(text):
    """Returns text as a tensor [B]; another rank is an error."""
    # The operations of tensorflow-text kill the process when given a scalar.
    return tf.ensure_shape(tf.convert_to_tensor(text, tf.string), [None])


def without_mark(text):  # [B] -> [B]
    """Drops a byte-order mark at the beginning of each text; one inside stays."""
    return tf.strings.regex_replace(
        batch_of_text(text), r"^\x{FEFF}", "", replace_global=False
    )


def lower_case(text):  # [B] -> [B]
    """Returns text in lower case, a blank for each NUL in it."""
    # `tf.strings.lower` ends a text at the first NUL.
    text = tf.strings.regex_replace(text, r"\x{0}", " ")
    return tf.strings.lower(text, encoding="utf-8")


def id_table(keys: Sequence[str] | Sequence[int]):
    """Returns a table from each key to its id, and from any other to <unk>."""
    ids = tf.range(FIRST_WORD, FIRST_WORD + len(keys))
    return _table(keys, ids, default=UNK)


def _table(keys, values, default):
    initializer = tf.lookup.KeyValueTensorInitializer(keys, values)
    return tf.lookup.StaticHashTable(initializer, default)
