"""Imputation: the joint never falls, and small cases have known answers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.imputation import impute
from keras_textvae.posteriors import log_prob
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, UNK

V, D = 9, 3


@pytest.fixture(scope="module")
def vae():
    return stirred(zoo.lstm_vae(V, 5, 6, D, z_every_step=True))


@pytest.fixture(scope="module")
def language_model():
    return stirred(zoo.rnnlm(V, 5, 6))


def stirred(model):
    model(np.ones((1, 4), "int32"))
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.7, size=weight.shape))
    return model


def sentences(rows=40, longest=8):
    """Ids [B, T], and which are hidden, at least one in each row."""
    rng = np.random.default_rng(3)
    ids = np.full((rows, longest + 2), PAD, "int32")
    hidden = np.zeros(ids.shape, bool)
    ids[:, 0] = BOS
    for row, words in enumerate(rng.integers(2, longest + 1, rows)):
        ids[row, 1 : words + 1] = rng.integers(FIRST_WORD, V, words)
        ids[row, words + 1] = EOS
        hidden[row, 1 : words + 1] = rng.random(words) < 0.4
        hidden[row, 1 + rng.integers(words)] = True
    return ids, hidden


def log_p(model, ids, z):  # [B, T], [B, D] -> [B]
    logits = keras.ops.convert_to_numpy(model.decoder(ids[:, :-1], z))
    logits = logits.astype("float64")
    logits -= np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    targets = ids[:, 1:]
    picked = np.take_along_axis(logits, targets[:, :, None], axis=-1)[:, :, 0]
    return np.sum(picked * (targets != PAD), axis=-1)


@pytest.mark.parametrize("width", [1, 4])
def test_the_joint_never_falls_and_known_words_stay(vae, width):
    ids, hidden = sentences()
    found = impute(vae, ids, hidden, width, steps=6)
    scores = np.asarray(found.scores)
    assert scores.shape == (len(ids), 6)
    assert np.all(np.diff(scores, axis=1) >= 0)
    assert np.any(np.diff(scores, axis=1) > 0)
    np.testing.assert_array_equal(np.asarray(found.ids)[~hidden], ids[~hidden])
    assert np.all(np.asarray(found.ids)[hidden] >= FIRST_WORD)


def test_each_step_is_a_search_from_the_mode_of_the_last_and_never_one_down(vae):
    ids, hidden = sentences()
    before, score = np.where(hidden, UNK, ids), np.full(len(ids), -np.inf)
    taken_later = refused = 0
    for steps in range(1, 6):
        z = vae.mode(before)
        found = impute(vae, ids, hidden, width=3, steps=steps)
        after, reached = np.asarray(found.ids), np.asarray(found.scores)[:, -1]
        joint = log_p(vae, after, z) + np.asarray(log_prob(z, 0.0, 0.0))
        taken = reached > score + 1e-4
        np.testing.assert_allclose(reached[taken], joint[taken], rtol=1e-4)
        np.testing.assert_array_equal(after[~taken], before[~taken])
        np.testing.assert_allclose(reached[~taken], score[~taken], rtol=1e-5)
        taken_later += steps > 1 and np.sum(taken)
        refused += np.sum(~taken)
        before, score = after, reached
    assert taken_later
    assert refused


def test_a_language_model_s_score_is_its_likelihood(language_model):
    ids, hidden = sentences()
    found = impute(language_model, ids, hidden, width=4)
    z = np.zeros((len(ids), 0), "float32")
    expected = log_p(language_model, np.asarray(found.ids), z)
    np.testing.assert_allclose(found.scores[:, 0], expected, rtol=1e-4)


def test_one_hidden_word_is_the_best_of_all_words(language_model):
    ids, hidden = sentences()
    hidden &= np.cumsum(hidden, axis=1) == 1
    found = np.asarray(impute(language_model, ids, hidden, width=V).ids)
    z = np.zeros((len(ids), 0), "float32")
    options = [np.where(hidden, word, ids) for word in range(FIRST_WORD, V)]
    scores = [log_p(language_model, option, z) for option in options]
    best = FIRST_WORD + np.argmax(scores, axis=0)
    np.testing.assert_array_equal(found, np.where(hidden, best[:, None], ids))


def test_rows_never_couple_in_a_graph_of_unknown_size(vae):
    ids, hidden = sentences()
    spec = [tf.TensorSpec([None, None], t) for t in (tf.int32, tf.bool)]
    graph = tf.function(lambda i, h: impute(vae, i, h, 3), input_signature=spec)
    together = graph(ids, hidden)
    for row in range(0, len(ids), 7):
        alone = graph(ids[row : row + 1], hidden[row : row + 1])
        np.testing.assert_array_equal(alone.ids[0], together.ids[row])


def test_no_step_is_refused(vae):
    with pytest.raises(ValueError, match="steps=0"):
        impute(vae, *sentences(), steps=0)
