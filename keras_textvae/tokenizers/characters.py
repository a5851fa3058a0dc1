"""Bytes and characters.

B: batch size. T: time, with <bos> and <eos>. N: time without them. V: vocabulary size.
(T) and (N) in round brackets differ from row to row (`tf.RaggedTensor`).
"""

from collections.abc import Callable, Sequence
from typing import Self

import keras
import tensorflow as tf
import tensorflow_text as tf_text

from keras_textvae.corpora.corpus import Paths
from keras_textvae.tokenizers.tokenizer import (
    Tokenizer,
    batch_of_text,
    id_table,
    lower_case,
)
from keras_textvae.tokenizers.tweets import replace_names_and_links
from keras_textvae.tokenizers.vocabulary import learn
from keras_textvae.tokens import FIRST_WORD, SPECIAL_TOKENS, UNK


@keras.saving.register_keras_serializable(package="keras_textvae")
class CharacterTokenizer(Tokenizer):
    """UTF-8 bytes, which can spell any text, or the characters of a list.

    Args:
        characters: None for bytes: V is 260, and byte b has the id `FIRST_WORD + b`.
            Or a list of single Unicode characters, most frequent first; another
            character, or a byte that is not UTF-8, is <unk>.
        tweets: bool. Whether user names and links are replaced first, see
            `replace_names_and_links`.
        lower: bool. Whether text is lower-cased first, a NUL in it being a blank then.
        right_to_left: bool. Whether texts begin with the last character, see
            `Tokenizer`.

    Raises:
        ValueError: if `characters` is empty, or has a repeated entry or one that is not
            a single character.
    """

    def __init__(
        self,
        characters: Sequence[str] | None = None,
        tweets: bool = False,
        right_to_left: bool = False,
        lower: bool = False,
    ):
        if characters is None:
            texts = [bytes([byte]) for byte in range(256)]
            names = [f"<0x{byte:02X}>" for byte in range(256)]
        else:
            texts = names = list(characters)
        tokens = [*SPECIAL_TOKENS, *names]
        texts = [*SPECIAL_TOKENS, *texts]
        super().__init__(tokens, texts, "", ord("_"), right_to_left)
        self.unit = "byte" if characters is None else "character"
        self.tweets = tweets
        self.lower = lower
        self._ids = None
        if characters is not None:
            if wrong := [name for name in names if len(name) != 1]:
                raise ValueError(f"A character has length 1. Received: {wrong[:5]}")
            self._ids = id_table([ord(name) for name in names])

    @classmethod
    def learn(
        cls,
        files: Paths,
        size: int | None = None,
        min_count: int = 1,
        tweets: bool = False,
        right_to_left: bool = False,
        lower: bool = False,
        report: Callable[[int], None] = lambda size: None,
    ) -> Self:
        """Learns the characters of plain or .gz files, the newline included.

        Arguments and order are those of `WordTokenizer.learn`.
        """

        def split(text):
            return _characters(_changed(text, tweets, lower) + "\n").flat_values

        codes = learn(files, split, size, min_count, report=report)
        return cls([chr(code) for code in codes], tweets, right_to_left, lower)

    @property
    def resources(self) -> list:
        return [*super().resources, *([] if self._ids is None else [self._ids])]

    def _pieces(self, text):  # [B] -> int32 [B, (N)], bytes or code points
        text = _changed(batch_of_text(text), self.tweets, self.lower)
        if self._ids is not None:
            return _characters(text)
        codes = tf_text.ByteSplitter().split(text)
        return codes.with_flat_values(tf.cast(codes.flat_values, tf.int32))

    def _look_up(self, pieces):
        if self._ids is None:
            return pieces + FIRST_WORD
        return self._ids.lookup(pieces)

    def _write(self, pieces):
        if self._ids is None:  # a byte is never unknown
            return tf.fill(tf.shape(pieces), SPECIAL_TOKENS[UNK])
        return tf.strings.unicode_encode(pieces[:, None], "UTF-8")

    def get_config(self) -> dict:
        config = {
            "characters": None if self._ids is None else self.tokens[FIRST_WORD:],
            "tweets": self.tweets,
            "right_to_left": self.right_to_left,
        }
        # Only where it says something, so that older corpora and spaces have the same.
        return config | ({"lower": True} if self.lower else {})


def _changed(text, tweets, lower):  # [B] -> [B]
    if tweets:
        text = replace_names_and_links(text)
    return lower_case(text) if lower else text


def _characters(text):  # [B] -> int32 code points [B, (N)]
    return tf_text.UnicodeCharTokenizer().tokenize(batch_of_text(text))
