"""Words between blanks, and the words and marks of tweets.

B: batch size. T: time, with <bos> and <eos>. N: time without them. V: vocabulary size.
(T) and (N) in round brackets differ from row to row (`tf.RaggedTensor`).
"""

from collections.abc import Callable, Iterable
from typing import Self

import keras
import tensorflow as tf
import tensorflow_text as tf_text

from keras_textvae.corpora.corpus import Paths
from keras_textvae.tokenizers.tokenizer import (
    Tokenizer,
    batch_of_text,
    id_table,
)
from keras_textvae.tokenizers.tweets import replace_links, replace_names
from keras_textvae.tokenizers.vocabulary import learn
from keras_textvae.tokens import FIRST_WORD, SPECIAL_TOKENS

# What ICU calls white space beyond ASCII. `WhitespaceTokenizer` splits there too, but
# leaves a part of the character at the end of the word. NUL is added because
# `tf.strings.lower` ends the text at the first one.
_RARE_BLANKS = (
    r"[\x{0}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}"
    r"\x{3000}]+"
)
# What is a word of its own in a tweet, with the variation selectors that follow it. An
# apostrophe stays in its word, "#" and "@" at its beginning, and "_" hides a word.
_MARK = r"([^\pL\pN\pM\s#@_'’]\pM*)"


@keras.saving.register_keras_serializable(package="keras_textvae")
class WordTokenizer(Tokenizer):
    """Words between blanks; a word outside the vocabulary is <unk>.

    Blanks are Unicode white space and NUL. `<pad>`, `<bos>`, `<eos>` and `<unk>` in a
    text are <unk>: a text cannot end its own sentence. Decoded words are joined by one
    space.

    Args:
        words: list of str, most frequent first, without the special tokens. The first
            has the id `FIRST_WORD`.
        lower: bool. Whether text is lower-cased before the words are looked up.
        right_to_left: bool. Whether sentences begin with the last word, see
            `Tokenizer`.
        tweets: bool. Whether user names and links are replaced, as by
            `replace_names_and_links`, and each mark, symbol or emoji is a word.

    Raises:
        ValueError: if `words` is empty, or has a repeated word, a special one or one
            with a blank.
    """

    def __init__(
        self,
        words: Iterable[str],
        lower: bool = False,
        right_to_left: bool = False,
        tweets: bool = False,
    ):
        words = list(words)
        tokens = [*SPECIAL_TOKENS, *words]
        super().__init__(tokens, tokens, " ", "_", right_to_left)
        self.tweets = tweets
        splits = _words(words, lower=False, tweets=tweets).to_list()
        pairs = zip(words, splits, strict=True)
        if wrong := [word for word, split in pairs if split != [word.encode()]]:
            raise ValueError(f"A word has no blank in it. Received: {wrong[:5]}")
        self.lower = lower
        self._ids = id_table(words)

    @classmethod
    def learn(
        cls,
        files: Paths,
        size: int | None = None,
        min_count: int = 1,
        lower: bool = False,
        right_to_left: bool = False,
        tweets: bool = False,
        report: Callable[[int], None] = lambda size: None,
    ) -> Self:
        """Learns the vocabulary from plain or .gz files, streaming.

        Args:
            files: paths of UTF-8 text, one sentence a line.
            size: int or None. The largest vocabulary, special tokens included.
            min_count: int. How often a word must occur.
            lower, right_to_left, tweets: as in the constructor.
            report: called with how many bytes of a file were read, now and then.

        Returns:
            A tokenizer whose most frequent word comes first; equally frequent words
            are in the order of their characters.
        """
        special = [token.encode() for token in SPECIAL_TOKENS]
        words = learn(
            files,
            lambda text: _words(text, lower, tweets).flat_values,
            size,
            min_count,
            left_out=special,
            report=report,
        )
        words = [word.decode() for word in words]
        return cls(words, lower, right_to_left, tweets)

    @property
    def resources(self) -> list:
        return [*super().resources, self._ids]

    def _pieces(self, text):  # [B] -> string [B, (N)]
        return _words(text, self.lower, self.tweets)

    def _look_up(self, pieces):
        return self._ids.lookup(pieces)

    def _write(self, pieces):
        return pieces

    def get_config(self) -> dict:
        return {
            "words": self.tokens[FIRST_WORD:],
            "lower": self.lower,
            "right_to_left": self.right_to_left,
            "tweets": self.tweets,
        }


def _words(text, lower, tweets):  # [B] -> string [B, (N)]
    text = tf.strings.regex_replace(batch_of_text(text), _RARE_BLANKS, " ")
    if tweets:
        text = tf.strings.regex_replace(replace_links(text), _MARK, r" \1 ")
        text = replace_names(text)  # of names in quotation marks too
    if lower:
        text = tf.strings.lower(text, encoding="utf-8")
    return tf_text.WhitespaceTokenizer().tokenize(text)
