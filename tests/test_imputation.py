"""Imputation: the joint never falls, and small cases have known answers."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.imputation import impute, impute_in_pieces
from keras_textvae.posteriors import log_prob
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, UNK

V, D = 9, 3


@pytest.fixture(scope="module")
def vae():
    return stirred(zoo.lstm_vae(V, 5, 6, D, z_every_step=True))


@pytest.fixture(scope="module")
def language_model():
    return stirred(zoo.rnnlm(V, 5, 6))


def stirred(model, scale=0.7):
    model(np.ones((1, 4), "int32"))
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=scale, size=weight.shape))
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


# Ids of pieces: which may be a whole word, which may begin one of several, which may
# follow; 8 is none of a word.
PIECES = {"alone": [4, 5], "first": [4, 5, 6], "other": [7, 4]}
ALLOWED = np.array([[i in ids for i in range(V)] for ids in PIECES.values()])
LONGEST = 11
# So sure of what comes next that more pieces are often likelier than one.
SURE = 3.0


@pytest.fixture(scope="module")
def sure_vae():
    return stirred(zoo.lstm_vae(V, 5, 6, D, z_every_step=True), SURE)


@pytest.fixture(scope="module")
def sure_language_model():
    return stirred(zoo.rnnlm(V, 5, 6), SURE)


def fills(count, begins, reverse):
    """All pieces that a hidden word of a count of them may be."""
    kinds = ["other"] * count
    if begins:
        kinds[-1 if reverse else 0] = "alone" if count == 1 else "first"
    return itertools.product(*(PIECES[kind] for kind in kinds))


def completions(row, hidden, begins, counts, reverse):
    """All sentences [L] with so many pieces in the places of hidden words."""
    places = np.flatnonzero(hidden)
    every = [
        fills(count, begins[place], reverse)
        for place, count in zip(places, counts, strict=True)
    ]
    for words in itertools.product(*every):
        parts, before = [], 0
        for place, word in zip(places, words, strict=True):
            parts += [*row[before:place], *word]
            before = place + 1
        parts += row[before:].tolist()
        ids = np.array([i for i in parts if i != PAD])
        yield np.pad(ids, (0, max(LONGEST - len(ids), 0)), constant_values=PAD)


def searched(model, row, hidden, begins, most, reverse):
    """The completion by coordinate ascent, each search exhaustive, and its log p."""
    counts = [1] * np.sum(hidden)
    for word in range(len(counts)):
        best = None
        for count in range(1, most + 1):
            tried = [*counts[:word], count, *counts[word + 1 :]]
            options = np.stack([*completions(row, hidden, begins, tried, reverse)])
            if options.shape[1] > LONGEST:
                continue
            scores = log_p(model, options, np.zeros((len(options), 0), "float32"))
            top = np.argmax(scores)
            if best is None or scores[top] > best[0]:
                best = scores[top], tried, options[top]
        counts = best[1]
    return best[2], best[0]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("words", [1, 2])
def test_pieces_are_those_of_an_exhaustive_search(sure_language_model, words, reverse):
    ids, hidden = sentences(rows=16)
    hidden &= np.cumsum(hidden, axis=1) <= words
    begins = np.random.default_rng(5).random(ids.shape) < 0.7
    found = impute_in_pieces(
        sure_language_model,
        ids,
        hidden,
        begins,
        3,
        ALLOWED,
        LONGEST,
        36,
        reverse=reverse,
    )
    lengths = set()
    for row in range(len(ids)):
        arguments = ids[row], hidden[row], begins[row]
        expected, score = searched(sure_language_model, *arguments, 3, reverse)
        length = found.ids.shape[1]
        np.testing.assert_array_equal(found.ids[row], expected[:length])
        assert np.all(expected[length:] == PAD)
        np.testing.assert_allclose(found.scores[row, 0], score, rtol=1e-4)
        lengths.add(np.sum(expected != PAD) - np.sum(ids[row] != PAD))
    assert len(lengths) > 1  # words of one piece, and of more


def test_one_word_of_a_vae_has_the_pieces_of_the_largest_joint(sure_vae):
    ids, hidden = sentences(rows=6)
    hidden &= np.cumsum(hidden, axis=1) == 1
    begins = np.ones(ids.shape, bool)
    found = impute_in_pieces(sure_vae, ids, hidden, begins, 2, ALLOWED, LONGEST)
    counts = set()
    for row in range(len(ids)):
        (place,) = np.flatnonzero(hidden[row])
        alone = impute(sure_vae, ids[row][None], 1 * hidden[row][None], allowed=ALLOWED)
        two = np.insert(ids[row], place, UNK)[None]
        kinds = np.zeros(two.shape, "int32")
        kinds[0, place : place + 2] = 2, 3
        two = impute(sure_vae, two, kinds, allowed=ALLOWED)
        scores = [float(x.scores[0, -1]) for x in (alone, two)]
        np.testing.assert_allclose(found.scores[row, -1], max(scores), rtol=1e-4)
        best = (alone, two)[np.argmax(scores)].ids[0]
        np.testing.assert_array_equal(found.ids[row, : len(best)], best)
        counts.add(1 + np.argmax(scores))
    assert counts == {1, 2}


def test_pieces_are_the_same_in_a_graph_that_takes_any_number_of_them(sure_vae):
    ids, hidden = sentences(rows=4)
    begins = np.ones(ids.shape, bool)
    spec = [tf.TensorSpec([None, None], t) for t in (tf.int32, tf.bool, tf.bool)]
    graph = tf.function(
        lambda i, h, b, n: impute_in_pieces(sure_vae, i, h, b, n, ALLOWED, LONGEST, 3),
        input_signature=[*spec, tf.TensorSpec([], tf.int32)],
    )
    for most in (1, 3):
        eager = impute_in_pieces(
            sure_vae, ids, hidden, begins, most, ALLOWED, LONGEST, 3
        )
        found = graph(ids, hidden, begins, most)
        np.testing.assert_array_equal(found.ids, eager.ids)
        assert np.all(np.sum(found.ids != PAD, axis=1) <= LONGEST)
        row = graph(ids[3:4], hidden[3:4], begins[3:4], most).ids[0]
        np.testing.assert_array_equal(row, found.ids[3, : len(row)])
