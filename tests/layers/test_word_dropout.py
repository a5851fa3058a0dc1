"""Word dropout hides history at the stated rate, and nothing else."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_textvae.layers import WordDropout
from keras_textvae.tokens import BOS, FIRST_WORD, PAD, UNK


def sentences(rows, columns):
    ids = np.random.default_rng(0).integers(FIRST_WORD, 50, (rows, columns))
    ids[:, 0] = BOS
    return ids.astype("int32")


def drop(keep_rate, ids, training=True):
    return ops.convert_to_numpy(WordDropout(keep_rate)(ids, training=training))


@pytest.mark.parametrize("keep_rate", [0.25, 0.62, 0.9])
def test_each_word_is_kept_at_the_keep_rate(keep_rate):
    ids = sentences(200, 101)
    dropped = drop(keep_rate, ids)
    kept = dropped == ids
    np.testing.assert_array_equal(dropped[~kept], UNK)
    words = kept[:, 1:]
    error = np.sqrt(keep_rate * (1 - keep_rate) / words.size)
    assert words.mean() == pytest.approx(keep_rate, abs=4 * error)
    # Words are dropped one by one, not by row or by column.
    assert words.mean(axis=0).std() == pytest.approx(error * np.sqrt(100), rel=0.3)
    assert words.mean(axis=1).std() == pytest.approx(error * np.sqrt(200), rel=0.3)


@pytest.mark.parametrize("keep_rate", [0.0, 0.5])
def test_the_beginning_of_a_sentence_is_never_hidden(keep_rate):
    assert (drop(keep_rate, sentences(100, 3))[:, 0] == BOS).all()


@pytest.mark.parametrize("keep_rate", [0.0, 0.5])
def test_padding_is_never_hidden(keep_rate):
    assert (drop(keep_rate, np.full((5, 20), PAD, "int32")) == PAD).all()


@pytest.mark.parametrize(
    ("keep_rate", "training"), [(1.0, True), (1.0, False), (0.3, False)]
)
def test_nothing_is_hidden_in_evaluation_or_at_rate_one(keep_rate, training):
    ids = sentences(50, 20)
    np.testing.assert_array_equal(drop(keep_rate, ids, training), ids)


@pytest.mark.parametrize("training", [True, False])
def test_everything_is_hidden_at_rate_zero_even_in_evaluation(training):
    dropped = drop(0.0, sentences(5, 20), training)
    np.testing.assert_array_equal(dropped[:, 1:], UNK)


def test_single_steps_are_dropped_too():
    ids = np.full(4000, FIRST_WORD, "int32")
    assert (drop(0.5, ids) == UNK).mean() == pytest.approx(0.5, abs=0.04)


def test_every_call_hides_other_words_and_a_seed_repeats_them():
    def two_calls():
        keras.utils.set_random_seed(3)
        layer = WordDropout(0.5)
        ids = sentences(4, 50)
        return [ops.convert_to_numpy(layer(ids, training=True)) for _ in range(2)]

    first, second = two_calls()
    assert (first != second).any()
    np.testing.assert_array_equal(two_calls(), (first, second))


@pytest.mark.parametrize("keep_rate", [0.0, 0.5])
def test_the_id_in_their_place_can_be_one_of_its_own(keep_rate):
    ids = sentences(5, 20)
    dropped = ops.convert_to_numpy(WordDropout(keep_rate, 99)(ids, training=True))
    assert set(dropped[dropped != ids]) == {99}


def test_configuration_round_trip():
    layer = WordDropout(0.62, 7, name="hide")
    assert WordDropout.from_config(layer.get_config()).get_config() == (
        layer.get_config()
    )


@pytest.mark.parametrize("keep_rate", [-0.1, 1.1, float("nan")])
def test_keep_rate_is_a_probability(keep_rate):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]. Received: keep_rate"):
        WordDropout(keep_rate)
