"""The figures of what a space writes: reconstructions, samples, paths.

N: texts. D: latent size. S: points of a path.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np

from keras_textvae.evaluation.space_report import overlap
from keras_textvae.evaluation.space_report.figures import (
    Paths,
    Reconstruction,
    TextSet,
)
from keras_textvae.evaluation.space_report.trigrams import TrigramModel
from keras_textvae.paths import line

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace

ROWS = 128  # that are decoded together
COMPARED = 200  # texts on either side of a BLEU of all against all
POINTS = 11  # of a path

SENTENCES = "true sentences"
RECONSTRUCTIONS = "reconstructions"
MIDPOINTS = "midpoints of paths"


class Source(NamedTuple):
    """Where samples come from: its name, and how `TextSpace.sample` draws from it."""

    name: str
    temperature: float
    fitted: bool


def sources(space: "TextSpace") -> list[Source]:
    """Returns the sources of samples, that of greedy ones of the space's own first."""
    drawn = [
        Source(f"{whose}, {how}", temperature, fitted)
        for whose, fitted in (("prior", False), ("fitted density", True))
        for how, temperature in (("greedy", 0.0), ("temperature 1", 1.0))
        if space.density or not fitted
    ]
    return sorted(drawn, key=lambda source: source.fitted != space.fitted)


class Reader:
    """Texts as a space reads them: unknown words are <unk>, a crop has its length.

    Args:
        space: `TextSpace`.
    """

    def __init__(self, space: "TextSpace"):
        self.space = space
        self.unit = space.codec.tokenizer.decoded_unit

    def fitting(self, texts: Sequence[str]) -> list[int]:
        """Returns the numbers of the texts that are not blank, nor too long."""
        if not texts:
            return []
        fits = np.asarray(self.space.codec.fits(texts))
        return [n for n, text in enumerate(texts) if fits[n] and text.strip()]

    def as_read(self, ids: np.ndarray) -> list[str]:
        """Returns the texts of ids int32 [N, T]."""
        return [text.decode() for text in self.space.codec.decode(ids).numpy()]

    def pieces(self, texts: Iterable[str]) -> list[list[str]]:
        """Returns the words, or the characters, of each text."""
        return self.space.codec.tokenizer.decoded_pieces(texts)


class Judge:
    """Judges sets of texts against true sentences.

    Args:
        reader: `Reader`.
        sentences: list of str, true sentences as they are read, in an order that says
            nothing of them.
        training: list of str, others to learn a language model from; or None.
    """

    def __init__(
        self, reader: Reader, sentences: list[str], training: list[str] | None
    ):
        self.reader = reader
        half = min(COMPARED, len(sentences) // 2)
        self.compared = max(half, 1)
        self.sentences = reader.pieces(sentences)
        self.references = self.sentences[half : 2 * half]
        self.training = training and reader.pieces(training)
        self.model = TrigramModel(self.training) if self.training else None

    def judge(self, name: str, texts: list[str], learned: list[str] | None) -> TextSet:
        """Returns the figures of a set of texts.

        Args:
            name: whose they are.
            texts: list of str.
            learned: list of str, from which the language model of `reverse_nll` is
                learned; None leaves it out.
        """
        pieces = self.reader.pieces(texts)
        some = pieces[: self.compared]
        return TextSet(
            name,
            len(texts),
            float(np.mean([*map(len, pieces)])),
            len({*texts}) / len(texts),
            overlap.distinct(pieces, 1),
            overlap.distinct(pieces, 2),
            None if self.model is None else self.model.nll_per_word(pieces),
            overlap.self_bleu(some),
            overlap.bleu_among(some, self.references),
            overlap.bleu_among(self.references, some),
            self._reverse_nll(learned),
        )

    def true_sentences(self, texts: list[str]) -> TextSet:
        """Returns the figures of true sentences, with which others are compared.

        The language model of their `reverse_nll` is learned from as many others.
        """
        learned = self.training and self.training[: len(texts)]
        return self.judge(SENTENCES, texts, None)._replace(
            reverse_nll=self._reverse(learned)
        )

    def _reverse_nll(self, texts):
        return self._reverse(texts and self.reader.pieces(texts))

    def _reverse(self, learned):
        if not learned or self.model is None:
            return None
        model = TrigramModel(learned, self.model.vocabulary)
        return model.nll_per_word(self.sentences)


def reconstruction(
    reader: Reader, sentences: list[str], texts: list[str]
) -> Reconstruction:
    """Returns how well texts are reconstructions of sentences."""
    before, after = reader.pieces(sentences), reader.pieces(texts)
    same = [a == b for a, b in zip(before, after, strict=True)]
    return Reconstruction(
        len(texts),
        float(np.mean(same)),
        overlap.in_place(before, after),
        len({*texts}) / len(texts),
        overlap.bleu(after, before),
    )


def lines(mean: np.ndarray, count: int) -> np.ndarray:
    """Returns the points of lines between pairs of neighbouring rows, [count, S, D]."""
    first, last = mean[0 : 2 * count : 2], mean[1 : 2 * count : 2]
    share = np.linspace(0.0, 1.0, POINTS, dtype="float32")[:, None]
    return line(first[:, None], last[:, None], share)


def path_figures(reader: Reader, paths: list[list[str]]) -> Paths:
    """Returns the figures of paths, lists of S texts."""
    pieces = [reader.pieces(path) for path in paths]
    neighbours = [pair for path in pieces for pair in zip(path, path[1:], strict=False)]
    befores, afters = zip(*neighbours, strict=True)
    return Paths(
        len(paths),
        len(paths[0]),
        float(np.mean([len({*path}) for path in paths])),
        overlap.bleu(afters, befores),
        overlap.bleu([path[-1] for path in pieces], [path[0] for path in pieces]),
    )


def decoded(compute: Callable, rows, verbose: int = 0) -> list[str]:
    """Returns the texts that `compute` makes of rows, some at a time."""
    starts = range(0, len(rows), ROWS)
    progress = keras.utils.Progbar(len(starts), verbose=verbose, unit_name="batch")
    texts = []
    for done, start in enumerate(starts, start=1):
        texts += compute(rows[start : start + ROWS])
        progress.update(done)
    return texts


def sample(
    space: "TextSpace", count: int, seed: int, source: Source, verbose: int = 0
) -> list[str]:
    """Returns samples, some at a time; text i is that of seed + i."""

    def drawn(seeds):
        return space.sample(
            len(seeds),
            seeds[0],
            temperature=source.temperature,
            fitted=source.fitted,
        )

    return decoded(drawn, range(seed, seed + count), verbose)
