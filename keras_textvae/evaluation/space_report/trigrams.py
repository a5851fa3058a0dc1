"""A small language model that owes nothing to the models it judges.

V: vocabulary size. N: sentences. G: different n-grams.
"""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

START, END, UNKNOWN = 0, 1, 2
FIRST = 3  # id of the first word
DISCOUNTS = 0.1, 0.9  # so that counted and other words all have some probability


class TrigramModel:
    """An interpolated Kneser-Ney trigram model (Kneser and Ney 1995).

        p(w|uv) = max(c(uvw) - d3, 0) / c(uv) + d3 n(uv) / c(uv) p(w|v),

    where c counts, and n is the number of different words that follow. p(w|v) and p(w)
    are of the same kind, with the number of different words that precede in place of c;
    below p(w) is the uniform distribution. Each discount is n1 / (n1 + 2 n2), of the
    n-grams counted once and twice, held within `DISCOUNTS`. What is not in the
    vocabulary is one word more.

    Args:
        sentences: lists of words, or of characters, to learn from.
        vocabulary: the words; None takes those of `sentences`.

    Raises:
        ValueError: if there is no sentence.
    """

    def __init__(
        self,
        sentences: Iterable[Sequence[str]],
        vocabulary: Iterable[str] | None = None,
    ):
        sentences = list(sentences)
        if not sentences:
            raise ValueError("No sentence to learn a language model from.")
        words = itertools.chain(*sentences) if vocabulary is None else vocabulary
        words = dict.fromkeys(words)
        self.ids = {word: number for number, word in enumerate(words, start=FIRST)}
        self.size = FIRST + len(self.ids)  # of the numbers, START among them
        trigrams, times = np.unique(self._trigrams(sentences)[0], return_counts=True)
        bigrams, before = np.unique(trigrams % self.size**2, return_counts=True)
        unigrams, wide = np.unique(bigrams % self.size, return_counts=True)
        self._orders = [
            _Order(unigrams, wide, self.size),
            _Order(bigrams, before, self.size),
            _Order(trigrams, times, self.size),
        ]

    @property
    def vocabulary(self) -> list[str]:
        """The words, without what stands for the end and for other words."""
        return list(self.ids)

    def nll(self, sentences: Iterable[Sequence[str]]) -> np.ndarray:
        """Returns -log p of each sentence, its end counted: nats, float64 [N]."""
        keys, rows, count = self._trigrams(sentences)
        return np.bincount(rows, -np.log(self._probabilities(keys)), count)

    def nll_per_word(self, sentences: Sequence[Sequence[str]]) -> float:
        """Returns -log p of sentences in nats a word, each one's end counted as one."""
        return float(np.sum(self.nll(sentences)) / sum(len(s) + 1 for s in sentences))

    def next_words(self, history: Sequence[str]) -> np.ndarray:
        """Returns p(w|history), float64 [V].

        They are those of the end, of a word outside the vocabulary, and of each word of
        `vocabulary`.
        """
        u, v = [START, START, *map(self._id, history)][-2:]
        following = np.arange(END, self.size)
        return self._probabilities((u * self.size + v) * self.size + following)

    def _id(self, word):
        return self.ids.get(word, UNKNOWN)

    def _trigrams(self, sentences):  # -> int64 [K], int64 [K], N
        """A number for each trigram of sentences, whose it is, and the sentences."""
        sentences = list(sentences)
        lengths = np.array([len(words) + 1 for words in sentences], "int64")
        ids = np.fromiter(
            itertools.chain.from_iterable(
                [START, START, *map(self._id, words), END] for words in sentences
            ),
            "int64",
            np.sum(lengths + 2),
        )
        rows = np.repeat(np.arange(len(sentences)), lengths)
        last = np.arange(np.sum(lengths)) + 2 * (rows + 1)
        u, v, w = ids[last - 2], ids[last - 1], ids[last]
        return (u * self.size + v) * self.size + w, rows, len(sentences)

    def _probabilities(self, trigrams):  # [K] -> [K]
        probability = np.full(len(trigrams), 1.0 / (self.size - 1))  # START never comes
        for length, order in enumerate(self._orders, start=1):
            probability = order.interpolate(trigrams % self.size**length, probability)
        return probability


class _Order:
    """The n-grams of one length.

    Args:
        grams: int64 [G], sorted numbers of n-grams; the last word is `gram % size`.
        counts: int [G].
        size: of the numbers of words.
    """

    def __init__(self, grams, counts, size):
        once, twice = np.sum(counts == 1), np.sum(counts == 2)
        self.discount = np.clip(once / max(once + 2 * twice, 1), *DISCOUNTS)
        self.size = size
        self.grams, self.counts = grams, counts
        self.histories, first = np.unique(grams // size, return_index=True)
        self.totals = np.add.reduceat(counts, first)
        self.followers = np.diff([*first, len(grams)])

    def interpolate(self, grams, lower):  # [K], [K] -> [K]
        """p of n-grams' last words, where `lower` is p of them by shorter histories."""
        count = _looked_up(grams, self.grams, self.counts)
        history = grams // self.size
        total = _looked_up(history, self.histories, self.totals)
        followers = _looked_up(history, self.histories, self.followers)
        kept = (
            np.maximum(count - self.discount, 0.0) + self.discount * followers * lower
        )
        return np.where(total, kept / np.maximum(total, 1), lower)


def _looked_up(wanted, keys, values):  # [K], [G], [G] -> [K]
    """The value of each wanted key, 0 where there is none; `keys` are sorted."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
