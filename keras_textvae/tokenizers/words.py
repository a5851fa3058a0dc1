"""Words between blanks, and words and marks: of tweets, or of any text.

B: batch size. T: time, with <bos> and <eos>. N: time without them. V: vocabulary size.
(T) and (N) in round brackets differ from row to row (`tf.RaggedTensor`).
"""

from collections.abc import Callable, Iterable
from typing import Self

import keras
import tensorflow as tf
import tensorflow_text as tf_text

from keras_textvae.corpora.corpus import Paths
from keras_textvae.tokenizers.punctuation import (
    JOINER,
    MARK,
    marks_apart,
    marks_joined,
)
from keras_textvae.tokenizers.tokenizer import (
    Tokenizer,
    batch_of_text,
    id_table,
)
from keras_textvae.tokenizers.tweets import replace_links, replace_names
from keras_textvae.tokenizers.vocabulary import learn
from keras_textvae.tokens import FIRST_WORD, SPECIAL_TOKENS, check_split

# What ICU calls white space beyond ASCII. `WhitespaceTokenizer` splits there too, but
# leaves a part of the character at the end of the word. NUL is added because
# `tf.strings.lower` ends the text at the first one.
_RARE_BLANKS = (
    r"[\x{0}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}"
    r"\x{3000}]+"
)


@keras.saving.register_keras_serializable(package="keras_textvae")
class WordTokenizer(Tokenizer):
    """Words between blanks; a word outside the vocabulary is <unk>.

    Blanks are Unicode white space and NUL. `<pad>`, `<bos>`, `<eos>` and `<unk>` in a
    text are <unk>: a text cannot end its own sentence. Decoded words are joined by one
    space, but for marks that `split` has made words.

    Args:
        words: list of str, most frequent first, without the special tokens. The first
            has the id `FIRST_WORD`.
        lower: bool. Whether text is lower-cased before the words are looked up.
        right_to_left: bool. Whether sentences begin with the last word, see
            `Tokenizer`.
        tweets: bool. Whether user names and links are replaced, as by
            `replace_names_and_links`, and each mark, symbol or emoji is a word.
        split: "blanks"; or "punctuation", where each mark, symbol or emoji is a word
            too, which says whether blanks stand beside it: the words of "No!" are "No"
            and "￭!", and decoded they are "No!" again, see `punctuation`. A "￭" that a
            text has of itself is read as "■".

    Raises:
        ValueError: if `words` is empty, or has a repeated word, a special one or one
            that is not one word; for another `split`, or tweets at "punctuation".
    """

    def __init__(
        self,
        words: Iterable[str],
        lower: bool = False,
        right_to_left: bool = False,
        tweets: bool = False,
        split: str = "blanks",
    ):
        check_split(split, tweets)
        words = list(words)
        tokens = [*SPECIAL_TOKENS, *words]
        super().__init__(tokens, tokens, " ", "_", right_to_left)
        self.tweets = tweets
        self._split = split
        if wrong := _no_words(words, tweets, split):
            raise ValueError(
                "A word has no blank in it, nor a mark where marks are words. "
                f"Received: {wrong[:5]}"
            )
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
        split: str = "blanks",
        report: Callable[[int], None] = lambda size: None,
    ) -> Self:
        """Learns the vocabulary from plain or .gz files, streaming.

        Args:
            files: paths of UTF-8 text, one sentence a line.
            size: int or None. The largest vocabulary, special tokens included.
            min_count: int. How often a word must occur.
            lower, right_to_left, tweets, split: as in the constructor.
            report: called with how many bytes of a file were read, now and then.

        Returns:
            A tokenizer whose most frequent word comes first; equally frequent words
            are in the order of their characters.
        """
        check_split(split, tweets)
        special = [token.encode() for token in SPECIAL_TOKENS]
        words = learn(
            files,
            lambda text: _words(text, lower, tweets, split).flat_values,
            size,
            min_count,
            left_out=special,
            report=report,
        )
        words = [word.decode() for word in words]
        return cls(words, lower, right_to_left, tweets, split)

    @property
    def resources(self) -> list:
        return [*super().resources, self._ids]

    def _pieces(self, text):  # [B] -> string [B, (N)]
        return _words(text, self.lower, self.tweets, self._split)

    def _look_up(self, pieces):
        return self._ids.lookup(pieces)

    def _write(self, pieces):
        return pieces

    def decoded_pieces(self, texts: Iterable[str]) -> list[list[str]]:
        if self._split == "blanks":
            return super().decoded_pieces(texts)
        rows = _words([*texts], False, False, self._split).to_list()
        return [[word.decode() for word in row] for row in rows]

    def _joined(self, texts):
        text = super()._joined(texts)
        return marks_joined(text) if self._split == "punctuation" else text

    def get_config(self) -> dict:
        config = {
            "words": self.tokens[FIRST_WORD:],
            "lower": self.lower,
            "right_to_left": self.right_to_left,
            "tweets": self.tweets,
        }
        # Only where it says something, so that older corpora and spaces have the same.
        return config | ({} if self._split == "blanks" else {"split": self._split})


def _words(text, lower, tweets, split):  # [B] -> string [B, (N)]
    text = tf.strings.regex_replace(batch_of_text(text), _RARE_BLANKS, " ")
    if tweets:
        text = tf.strings.regex_replace(replace_links(text), MARK, r" \1 ")
        text = replace_names(text)  # of names in quotation marks too
    if split == "punctuation":
        text = marks_apart(text)
    if lower:
        text = tf.strings.lower(text, encoding="utf-8")
    return tf_text.WhitespaceTokenizer().tokenize(text)


def _no_words(words, tweets, split):
    """Returns those of some words that are not one word of any text."""
    texts, expected = words, [[word] for word in words]
    if split == "punctuation":  # a joiner stands for what is beside a mark
        texts = [word.replace(JOINER, "a") for word in words]
        expected = [
            ["a"] * word.startswith(JOINER) + [word] + ["a"] * word.endswith(JOINER)
            for word in words
        ]
    found = _words(texts, False, tweets, split).to_list()
    rows = zip(words, expected, found, strict=True)
    return [word for word, e, f in rows if [piece.encode() for piece in e] != f]
