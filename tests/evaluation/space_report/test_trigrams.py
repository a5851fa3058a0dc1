"""The language model: an example by hand, sums, and what it learns."""

import math

import numpy as np
import pytest

from keras_textvae.evaluation.space_report.trigrams import DISCOUNTS, TrigramModel

TEXTS = ["a b", "a c", "a b", "c"]


def model(texts=TEXTS, **options):
    return TrigramModel([text.split() for text in texts], **options)


def test_an_example_by_hand():
    """The probability of b after a, where sentences begin with a: `<s> a -> b`.

    Trigrams: (s s a) 3, (s s c) 1, (s a b) 2, (s a c) 1, (a b e) 2, (a c e) 1, (s c e)
    1: discount 4 / (4 + 2 * 2) = 1/2. Words that precede bigrams: (s a) 1, (s c) 1,
    (a b) 1, (a c) 1, (b e) 1, (c e) 2: discount 5 / (5 + 2). Words that precede words:
    a 1, b 1, c 2, e 2: discount 2 / (2 + 2 * 2) = 1/3.
    """
    size = 5  # a, b, c, the end, and any other word
    unigram = (1 - 1 / 3) / 6 + 1 / 3 * 4 / 6 / size
    bigram = (1 - 5 / 7) / 2 + 5 / 7 * 2 / 2 * unigram
    trigram = (2 - 0.5) / 3 + 0.5 * 2 / 3 * bigram
    found = model()
    assert found.vocabulary == ["a", "b", "c"]
    end, unknown, a, b, c = found.next_words(["a"])
    assert b == pytest.approx(trigram, abs=1e-12)
    # Nothing was learned after x y, nor after y: the unigrams are left.
    assert found.next_words(["x", "y"])[3] == pytest.approx(unigram, abs=1e-12)


@pytest.mark.parametrize("history", ["", "a", "a b", "b a", "c x", "x a", "x y", "c"])
def test_probabilities_sum_to_one_after_any_history(history):
    probabilities = model().next_words(history.split())
    assert np.sum(probabilities) == pytest.approx(1.0, abs=1e-12)
    assert np.min(probabilities) > 0.0


def test_a_sentence_costs_what_its_words_do_and_its_end():
    found = model()
    words = dict(zip(["", "?", *found.vocabulary], range(5), strict=True))
    sentences = ["a c", "", "c x b"]
    expected = []
    for text in sentences:
        history, nats = [], 0.0
        for word in [*text.split(), ""]:
            nats -= math.log(found.next_words(history)[words.get(word, 1)])
            history.append(word)
        expected.append(nats)
    pieces = [s.split() for s in sentences]
    np.testing.assert_allclose(found.nll(pieces), expected)
    # Five words and three ends.
    assert found.nll_per_word(pieces) == pytest.approx(sum(expected) / 8)


def test_all_counted_often_leaves_something_for_other_words():
    found = model(["a"] * 5 + ["b a"] * 5)
    for history in ("", "a", "b"):
        assert np.min(found.next_words(history.split())) > 0.0
    assert np.isfinite(found.nll([["never", "seen"]]))
    assert DISCOUNTS[0] > 0.0


def test_what_was_learned_costs_less_than_the_same_words_shuffled():
    rng = np.random.default_rng(0)
    texts = [f"the {a} {b} sleeps ." for a in "ABCDEF" for b in "KLMNO"]
    found = model(texts)
    shuffled = [" ".join(rng.permutation(text.split())) for text in texts]
    before, after = (found.nll([t.split() for t in x]) for x in (texts, shuffled))
    assert np.mean(before) < 0.5 * np.mean(after)


def test_a_vocabulary_makes_two_models_comparable():
    """A word that one of them never saw is not the word of all others."""
    found = model(["a a", "a"], vocabulary=["a", "b", "c"])
    assert len(found.next_words([])) == 5
    rare, other = found.nll([["b"]]), found.nll([["c"]])
    assert rare == other > found.nll([["a"]])


def test_no_sentence_is_refused():
    with pytest.raises(ValueError, match="No sentence to learn"):
        TrigramModel([])
