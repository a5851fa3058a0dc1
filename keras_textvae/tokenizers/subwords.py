"""Subwords: words in pieces, and what no piece spells in bytes.

B: batch size. T: time, with <bos> and <eos>. N: time without them. V: vocabulary size.
(T) and (N) in round brackets differ from row to row (`tf.RaggedTensor`).
"""

import base64
import functools
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from keras_textvae.corpora import read_corpus
from keras_textvae.corpora.corpus import Paths
from keras_textvae.tokenizers import piece_learning
from keras_textvae.tokenizers.piece_learning import BLANK
from keras_textvae.tokenizers.piece_model import PieceModel
from keras_textvae.tokenizers.piece_sampling import PieceSampler
from keras_textvae.tokenizers.tokenizer import Tokenizer, batch_of_text, without_mark
from keras_textvae.tokenizers.tweets import replace_names_and_links
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, SPECIAL_TOKENS, UNK

# SentencePiece would write its own sign for a blank as a blank, and a NUL stands for a
# hidden word: texts have neither, but this character and a figure.
_ESCAPE = "\u241b"
_ESCAPED = {_ESCAPE: "0", BLANK: "1", "\0": "2"}
_HIDDEN_WORD = r"(^|[^\pL\pM\pN_])_($|[^\pL\pM\pN_])"
_HIDDEN_WHOLE = " _"  # how one with the blank before it is written
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
# It has to come back as it is, and without an id of a special token.
_PROBE = "a bé 中文 \U0001f600 <pad> <s> </s> <unk> <bos> <eos>"
_CHUNK = 1_000  # texts that are prepared together


@keras.saving.register_keras_serializable(package="keras_textvae")
class SubwordTokenizer(Tokenizer):
    """Pieces of words, as SentencePiece learned them (Kudo and Richardson 2018).

    Any valid text comes back as it was, but for `lower`, `tweets` and a model that
    normalises: blanks of all kinds, and characters that no piece spells, since their
    bytes are pieces too. Nothing is unknown, and no text has the id of a special token.

    A model is learned, or read from a file, and then works by an operation of
    tensorflow-text; only `learn`, `learn_from` and `draw` need the package
    `sentencepiece`.

    Args:
        model: bytes of a SentencePiece model, see `from_file`.
        lower: bool. Whether text is lower-cased first.
        tweets: bool. Whether user names and links are replaced first, see
            `replace_names_and_links`.
        right_to_left: bool. Whether sentences begin with the last piece, see
            `Tokenizer`.

    Raises:
        ValueError: if that is no model, its special tokens have other ids than ours, or
            it does not give a text back as it was.
    """

    unit = "subword"

    def __init__(
        self,
        model: bytes,
        lower: bool = False,
        tweets: bool = False,
        right_to_left: bool = False,
    ):
        self.model = model
        self.lower = lower
        self.tweets = tweets
        self._model = PieceModel(model)
        names = self._model.pieces()[FIRST_WORD:]
        texts = [*SPECIAL_TOKENS, *map(_written, names)]
        hidden = self._model.id_of("<0x00>")
        super().__init__([*SPECIAL_TOKENS, *names], texts, "", hidden, right_to_left)
        self._blank = self._model.id_of(BLANK)
        self._check()

    @classmethod
    def learn(
        cls,
        files: Paths,
        size: int | None = None,
        report: Callable[[int], None] = lambda size: None,
        **options: Any,
    ) -> Self:
        """Learns pieces from plain or .gz files, streaming.

        Args:
            files: paths of UTF-8 text, one sentence a line.
            size: int or None. The vocabulary's, see `piece_learning.learn`.
            report: called with how many bytes of a file were read, now and then.
            options: see `learn_from`.
        """
        corpus = read_corpus(files, report)
        texts = itertools.chain.from_iterable(lines for *_, lines in corpus)
        return cls.learn_from(texts, size, **options)

    @classmethod
    def learn_from(
        cls,
        texts: Iterable[str | bytes],
        size: int | None = None,
        algorithm: str = "unigram",
        nfkc: bool = False,
        lower: bool = False,
        tweets: bool = False,
        right_to_left: bool = False,
        most_lines: int = piece_learning.MOST_LINES,
        seed: int = 0,
    ) -> Self:
        """Learns pieces from texts, streaming.

        Args:
            texts: of str.
            size, algorithm, nfkc, most_lines, seed: see `piece_learning.learn`.
            lower, tweets, right_to_left: as in the constructor.

        Raises:
            ValueError: see `piece_learning.learn`.
        """
        if isinstance(texts, str | bytes):
            raise ValueError("Several texts are needed. Received: one")
        texts = _all_prepared(texts, lower, tweets)
        model = piece_learning.learn(texts, size, algorithm, nfkc, most_lines, seed)
        return cls(model, lower, tweets, right_to_left)

    @classmethod
    def from_file(cls, path: str | os.PathLike, **options: Any) -> Self:
        """Reads a model that SentencePiece has written, such as pieces.model.

        It has been trained with `--pad_id=0 --bos_id=1 --eos_id=2 --unk_id=3` and
        `--byte_fallback`. What it normalises, blanks for example unless it has also
        `--remove_extra_whitespaces=false`, comes back normalised.

        Args:
            path: of the file.
            options: as in the constructor.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: as the constructor.
        """
        with open(path, "rb") as file:
            model = file.read()
        try:
            return cls(model, **options)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from error

    @property
    def resources(self) -> list:
        return [*super().resources, self._model]

    def draw(self, text, seed: int):  # [B] -> int32 [B, (T)]
        """Ids as `tokenize` gives them, of a segmentation drawn for each text.

        Not in a graph; it needs the package `sentencepiece`.

        Args:
            text: B of them.
            seed: int below 2**32. The same one draws the same.
        """
        prepared = _prepared(without_mark(text), self.lower, self.tweets).numpy()
        drawn = self._sampler.draw([text.decode() for text in prepared], seed)
        return self._framed(tf.RaggedTensor.from_row_lengths(*drawn), BOS, EOS)

    @functools.cached_property
    def _sampler(self):
        return PieceSampler(self.model)

    @functools.cached_property
    def fillings(self) -> np.ndarray:
        """What may stand for a hidden word, without other blanks: bool [3, V].

        Which ids may be the only piece of a whole word, the first of several, and a
        piece of any other place.
        """
        texts = [name.removeprefix(BLANK) for name in self.tokens]
        of_words = [
            number >= FIRST_WORD
            and not _BYTE.fullmatch(text)
            and not any(c.isspace() or c in (BLANK, _ESCAPE) for c in text)
            for number, text in enumerate(texts)
        ]
        first = [token.startswith(BLANK) for token in self.tokens]
        alone = [a and text != "" for a, text in zip(first, texts, strict=True)]
        return np.array([alone, first, np.logical_not(first)]) & of_words

    def begins(self, written):  # string [B, T] -> bool [B, T]
        """Whether a hidden word, as `tokenize_hidden` writes it, is a whole one."""
        return tf.equal(written, _HIDDEN_WHOLE)

    def decode(self, ids, unknown=None):  # int and string [B, T] -> [B]
        text = super().decode(ids, unknown)
        # The first word too begins with a blank.
        return _unescaped(tf.strings.regex_replace(text, "^ ", "", False))

    def _pieces(self, text):  # [B] -> int32 [B, (N)]
        return self._model.tokenize(_prepared(text, self.lower, self.tweets))

    def _hiding(self, text):
        """As `Tokenizer`'s. A blank before a hidden word is part of it."""
        text = _with_hidden_words(_prepared(text, self.lower, self.tweets))
        ids = self._model.tokenize(text).to_tensor(PAD)  # [B, N]
        hidden = tf.equal(ids, self._hidden)
        blank = tf.equal(ids, self._blank) & tf.pad(hidden, [[0, 0], [0, 1]])[:, 1:]
        whole = tf.pad(blank, [[0, 0], [1, 0]])[:, :-1]
        words = tf.where(whole, _HIDDEN_WHOLE, "_")
        written = tf.where(hidden, words, self._write(ids))
        kept = tf.not_equal(ids, PAD) & ~blank
        ids, hidden, written = (
            tf.ragged.boolean_mask(x, kept) for x in (ids, hidden, written)
        )
        return ids, hidden.flat_values, written.flat_values

    def _look_up(self, pieces):
        return pieces

    def _write(self, pieces):
        return self._texts.lookup(pieces)

    def _check(self):
        """Raises ValueError for a model that cannot serve."""
        frame = self._model.tokenize([""], framed=True).to_list()[0]
        pad, unk = self._model.id_of(SPECIAL_TOKENS[PAD]), self._model.id_of("\0")
        special = [pad, *frame, unk]
        if special != [PAD, BOS, EOS, UNK]:
            raise ValueError(
                "The ids of <pad>, of the beginning, the end and what is unknown must "
                f"be 0, 1, 2 and 3. Received: {special}"
            )
        ids = self.encode([_PROBE])
        inner = ids[0, 1:-1]
        if bool(tf.reduce_any(inner < FIRST_WORD)) or self.decode(ids) != _PROBE:
            raise ValueError(
                "The model does not give texts back, for which it needs the pieces of "
                "--byte_fallback, and a blank at the beginning of a word, not the end."
            )

    def get_config(self) -> dict:
        return {
            "model": base64.b64encode(self.model).decode(),
            "lower": self.lower,
            "tweets": self.tweets,
            "right_to_left": self.right_to_left,
        }

    @classmethod
    def from_config(cls, config: dict) -> Self:
        options = {**config}
        model = base64.b64decode(options.pop("model"), validate=True)
        return cls(model, **options)


def _written(name):
    """Returns what is written for a piece: bytes, or text with blanks."""
    byte = _BYTE.fullmatch(name)
    return bytes([int(byte[1], 16)]) if byte else name.replace(BLANK, " ")


def _prepared(text, lower, tweets):  # [B] -> [B]
    """Returns texts as SentencePiece is given them."""
    text = batch_of_text(text)
    if tweets:
        text = replace_names_and_links(text)
    for character, figure in _ESCAPED.items():
        text = tf.strings.regex_replace(text, character, _ESCAPE + figure)
    return tf.strings.lower(text, encoding="utf-8") if lower else text


def _all_prepared(texts, lower, tweets) -> Iterator[str]:
    """Yields any number of texts as SentencePiece is given them."""
    texts = iter(texts)
    while chunk := [*itertools.islice(texts, _CHUNK)]:
        for text in _prepared(without_mark(chunk), lower, tweets).numpy():
            yield text.decode()


def _unescaped(text):  # [B] -> [B]
    for character, figure in reversed(_ESCAPED.items()):
        text = tf.strings.regex_replace(text, _ESCAPE + figure, character)
    return text


def _with_hidden_words(text):  # [B] -> [B]
    """Writes hidden words as NUL."""
    for _ in range(2):  # since two that follow each other share a blank
        text = tf.strings.regex_replace(text, _HIDDEN_WORD, "\\1\0\\2")
    return text
