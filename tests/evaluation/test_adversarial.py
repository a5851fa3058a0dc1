"""The adversarial error where it is known: nothing to find, or everything."""

import numpy as np
import pytest

from keras_textvae.evaluation import AdversarialError, adversarial_error
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD
from tests.step_by_step import step_by_step

V = 40


def sentences(count, seed, words=V):
    """`<bos> w ... <eos>`, 1 to 6 words that rise."""
    rng = np.random.default_rng(seed)
    ids = np.full((count, 8), PAD, "int32")
    ids[:, 0] = BOS
    for row, length in zip(ids, rng.integers(1, 7, count), strict=True):
        row[1 : length + 1] = np.sort(rng.integers(FIRST_WORD, words, length))
        row[length + 1] = EOS
    return ids


def shuffled(ids, seed):
    """The same words in another order."""
    rng = np.random.default_rng(seed)
    ids = ids.copy()
    for row in ids:
        length = np.sum(row != PAD) - 2
        row[1 : length + 1] = rng.permutation(row[1 : length + 1])
    return ids


def test_accuracies_become_errors():
    found = AdversarialError(accuracy=0.8, sentences=400, epochs=3)
    assert found.error == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(0.02)
    assert found._replace(accuracy=0.2).error == pytest.approx(0.3)


def test_true_sentences_are_not_told_from_true_ones():
    halves = sentences(50_000, 1), sentences(50_000, 2)
    found = adversarial_error(*halves, V, batch_size=512)
    assert found.error < 0.02
    assert found.sentences == 10_000
    assert found.standard_error == pytest.approx(0.005, rel=0.01)


def test_an_lstm_does_not_tell_true_sentences_from_true_ones():
    halves = sentences(10_000, 1), sentences(10_000, 2)
    found = adversarial_error(*halves, V, "lstm", units=8, patience=1, batch_size=512)
    assert found.error < 0.02


def test_unigrams_find_replaced_words():
    true, false = sentences(1500, 1, V - 1), sentences(1500, 2, V - 1)
    false[:, 1] = V - 1
    found = adversarial_error(true, false, V, learning_rate=0.1)
    assert found.error > 0.45
    assert 1 < found.epochs < 100


def test_the_order_of_words_is_for_the_lstm_to_find():
    true = sentences(6000, 1)
    true = true[true[:, 5] != PAD]  # four words or more
    half = len(true) // 2
    halves = true[:half], shuffled(true[half : 2 * half], 3)
    assert adversarial_error(*halves, V).error < 0.1
    found = adversarial_error(*halves, V, "lstm", units=32, learning_rate=0.01)
    assert found.error > 0.45


@step_by_step()
def test_the_same_seed_gives_the_same_figures():
    halves = sentences(300, 1), sentences(300, 2, words=V // 2)
    found = [
        adversarial_error(
            *halves, V, "lstm", seed=1, units=4, epochs=2, learning_rate=0.01
        )
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0][1:] == (60, 2)


def test_sentences_at_the_same_place_fall_into_the_same_part():
    """Or the words that one half alone has shown would speak against the other."""
    words = np.random.default_rng(0).permutation(np.arange(FIRST_WORD, 1000))
    ids = np.stack([np.full_like(words, BOS), words, np.full_like(words, EOS)], axis=1)
    found = adversarial_error(ids, ids, 1000, learning_rate=0.1, patience=1)
    assert found.accuracy == 0.5


@step_by_step()
def test_padding_and_the_form_of_the_sentences_change_nothing():
    true, false = sentences(100, 1), sentences(100, 2, words=V // 2)
    padded = np.pad(true, ((0, 0), (0, 5)))
    ragged = [row[row != PAD].tolist() for row in false]
    expected = adversarial_error(true, false, V, epochs=2)
    assert adversarial_error(padded, ragged, V, epochs=2) == expected


@step_by_step()
def test_sentences_of_one_length_and_a_single_batch():
    ids = np.full((10, 3), [BOS, 5, EOS])
    found = adversarial_error(ids, ids, V, epochs=1)
    assert found == AdversarialError(accuracy=0.5, sentences=2, epochs=1)


GOOD = sentences(12, 1)


@pytest.mark.parametrize(
    ("true", "false", "message"),
    [
        ([], [], "at least 10. Received: 0 true, 0 false$"),
        (GOOD[:9], GOOD[:9], "at least 10. Received: 9 true, 9 false$"),
        (GOOD, GOOD[:11], "as many true .* Received: 12 true, 11 false$"),
        (GOOD, GOOD * 10, "`false` must be below vocabulary_size=40. Received: ids fr"),
        (GOOD, -GOOD, "`false` must be below vocabulary_size=40. Received: ids from -"),
        (GOOD * 0, GOOD, "`true` has a sentence without ids.$"),
        (
            GOOD,
            GOOD[:, 1:],
            "of both halves or of none. Received: it starts 12 true, 0 false$",
        ),
    ],
)
def test_bad_sentences_are_refused_in_one_line(true, false, message):
    with pytest.raises(ValueError, match=message) as error:
        adversarial_error(true, false, V)
    assert "\n" not in str(error.value)


def test_an_unknown_classifier_is_refused():
    with pytest.raises(ValueError, match="Received: classifier='bigram'$"):
        adversarial_error(GOOD, GOOD, V, "bigram")
