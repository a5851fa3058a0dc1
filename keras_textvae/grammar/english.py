"""The built-in corpus: English declarative sentences with known labels.

Subject and verb agree in number, verbs and times in tense; a topic fixes the nouns and
verbs, a sentiment the adjectives and adverbs. Every noun, verb, adjective and adverb
has one reading, relative clauses open with a word of their own, and places, times and
manners belong to the main clause alone, so a sentence has exactly one derivation. The
entropy of derivations is therefore that of sentences, and a sentence shows its labels.
"""

import functools
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras_textvae.grammar.lexicon import lexical_rules, read_lexicon
from keras_textvae.grammar.pcfg import ProbabilisticGrammar
from keras_textvae.grammar.syntax import expand

SENTIMENTS = ("positive", "negative", "neutral")
TENSES = {"past": 0.45, "present": 0.35, "future": 0.2}
NUMBERS = {"singular": 0.6, "plural": 0.4}
SPLITS = ("train", "valid", "test")


class Labels(NamedTuple):
    """What a sentence is about and how it says it.

    `number` is that of the subject, `tense` that of the main clause.
    """

    topic: str
    sentiment: str
    tense: str
    number: str


class Example(NamedTuple):
    """A sentence of the built-in corpus; `log_prob` is exact, in nats."""

    text: str
    labels: Labels
    log_prob: float


@functools.cache
def english() -> ProbabilisticGrammar:
    """The grammar of the built-in corpus.

    `english().entropy()` is the exact entropy of the corpus, in nats per sentence. It
    is the least expected negative log-likelihood, so no model's bound is smaller,
    except by chance on a finite sample.
    """
    return build(read_lexicon())


def build(lexicon: Mapping) -> ProbabilisticGrammar:
    """The grammar over the words of a lexicon laid out like `lexicon.toml`."""
    topics = tuple(lexicon["topics"])
    features = {"t": topics, "s": SENTIMENTS, "z": TENSES, "n": NUMBERS}
    start = [
        (
            TENSES[labels.tense]
            * NUMBERS[labels.number]
            / (len(topics) * len(SENTIMENTS)),
            _symbol(labels),
        )
        for labels in itertools.starmap(Labels, itertools.product(*features.values()))
    ]
    return ProbabilisticGrammar(
        {"S": start, **expand(features), **lexical_rules(lexicon)}
    )


def labels_of(words: Sequence[str]) -> Labels | None:
    """The labels of a sentence, or None if the built-in grammar cannot produce it.

    Args:
        words: the sentence as a sequence of words.
    """
    chart = english().inside(words)
    for rule in english().rules["S"]:
        (symbol,) = rule.right
        if len(words) in chart.get((symbol, 0), ()):
            return _labels(symbol)
    return None


def generate(count: int, seed: int, split: str = "train") -> Iterator[Example]:
    """Draws sentences from the built-in grammar.

    The same seed and split give the same sentences on every platform, and a larger
    count continues a smaller one. The splits of a seed are independent.

    Args:
        count: how many sentences.
        seed: a non-negative integer.
        split: one of `SPLITS`.

    Returns:
        An iterator over the examples.

    Raises:
        ValueError: if `count` or `seed` is negative or `split` is unknown.
    """
    if count < 0:
        raise ValueError(f"`count` must not be negative. Received: count={count}")
    if seed < 0:
        raise ValueError(f"`seed` must not be negative. Received: seed={seed}")
    if split not in SPLITS:
        raise ValueError(f"`split` must be one of {SPLITS}. Received: split={split!r}")
    sequence = np.random.SeedSequence(seed, spawn_key=(SPLITS.index(split),))
    state = sequence.generate_state(8).astype("<u4").tobytes()
    rng = random.Random(int.from_bytes(state, "little"))
    return (_example(english(), rng) for _ in range(count))


def _example(grammar, rng):
    sample = grammar.sample(rng)
    (symbol,) = sample.derivation[0].right
    return Example(" ".join(sample.words), _labels(symbol), sample.log_prob)


def _symbol(labels):
    return f"Sentence[{','.join(labels)}]"


@functools.cache
def _labels(symbol):
    return Labels(*symbol.removeprefix("Sentence[").removesuffix("]").split(","))
