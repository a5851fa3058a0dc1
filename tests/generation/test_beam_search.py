"""Beam search against the exhaustive optimum, greedy decoding and one row at a time.

B: batch size. D: latent size. V: vocabulary size. L: ids of a sentence.
"""

import itertools

import keras
import numpy as np
import pytest

from keras_textvae import zoo
from keras_textvae.generation import HIDDEN, beam_search, generate
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD

V, D, L = 7, 2, 4
WORDS = range(FIRST_WORD, V)

MODELS = {
    "lstm": lambda: zoo.lstm_vae(V, 4, 5, D, z_every_step=True),
    "hybrid": lambda: zoo.hybrid_vae(V, L, D, units=5, channels=(3, 4), features=4),
    "bytenet": lambda: zoo.bytenet_vae(
        V, L, D, layers=2, hidden=4, channels=(3, 4), features=4
    ),
    "feedforward": lambda: zoo.feedforward_vae(V, L, D, channels=(3, 4), features=4),
    "language model": lambda: zoo.rnnlm(V, 4, 5),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return stirred(MODELS[request.param]())


def stirred(model):
    model(np.ones((1, L + 1), "int32"))
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.8, size=weight.shape))
    return model


def latents(model, rows=5):
    z = np.random.default_rng(1).normal(size=(rows, model.latent_dim))
    return z.astype("float32")


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def log_p(model, ids, z):
    """log p(ids | z) of rows [N, L], teacher-forced, in float64 -> [N]."""
    history = np.pad(ids, ((0, 0), (1, 0)), constant_values=BOS)[:, :-1]
    z = np.repeat(z[None], len(ids), axis=0)
    logits = array(model.decoder(history, z)).astype("float64")
    logits -= np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    picked = np.take_along_axis(logits, ids[:, :, None], axis=-1)[:, :, 0]
    return np.sum(picked * (ids != PAD), axis=-1)


def every_sentence():
    """All sentences of up to L ids [N, L]; the longest have no `<eos>`."""
    sentences = [
        [*words, EOS] for n in range(L) for words in itertools.product(WORDS, repeat=n)
    ]
    sentences += itertools.product(WORDS, repeat=L)
    return np.array([[*s, *[PAD] * (L - len(s))] for s in sentences], "int32")


def every_completion(fixed):
    """All ways to fill the hidden places of ids [L] -> [N, L]."""
    places = np.flatnonzero(fixed == HIDDEN)
    filled = np.repeat(fixed[None], len(WORDS) ** len(places), axis=0)
    filled[:, places] = [*itertools.product(WORDS, repeat=len(places))]
    return filled


FIXED = np.array(
    [
        [HIDDEN, 5, HIDDEN, EOS],
        [4, HIDDEN, EOS, PAD],
        [6, 5, 4, EOS],
        [HIDDEN, HIDDEN, HIDDEN, EOS],
        [4, 6, HIDDEN, HIDDEN],
    ],
    "int32",
)


def test_with_every_beam_it_finds_the_best_of_all_sentences_in_order(model):
    z = latents(model)
    found = beam_search(model.decoder, z, L, V**L)
    sentences = every_sentence()
    for row in range(len(z)):
        scores = log_p(model, sentences, z[row])
        best = np.argsort(-scores)
        np.testing.assert_array_equal(array(found.ids)[row, :5], sentences[best[:5]])
        finite = array(found.scores)[row, : len(sentences)]
        np.testing.assert_allclose(finite, scores[best], atol=1e-4)
    assert np.all(array(found.scores)[:, len(sentences) :] == -np.inf)


def test_with_every_beam_it_finds_the_best_completion(model):
    z = latents(model)
    found = beam_search(model.decoder, z, L, V**L, FIXED)
    for row, fixed in enumerate(FIXED):
        sentences = every_completion(fixed)
        scores = log_p(model, sentences, z[row])
        best = np.argmax(scores)
        np.testing.assert_array_equal(array(found.ids)[row, 0], sentences[best])
        assert array(found.scores)[row, 0] == pytest.approx(scores[best], abs=1e-4)


@pytest.mark.parametrize("width", [1, 2, 3])
def test_given_ids_never_change_and_scores_are_log_likelihoods(model, width):
    z = latents(model)
    found = beam_search(model.decoder, z, L, width, FIXED)
    ids, scores = array(found.ids), array(found.scores)
    kept = np.broadcast_to(FIXED[:, None], ids.shape)
    np.testing.assert_array_equal(ids[kept != HIDDEN], kept[kept != HIDDEN])
    assert set(ids[kept == HIDDEN]) <= set(WORDS)
    for row in range(len(z)):
        finite = np.isfinite(scores[row])
        expected = log_p(model, ids[row, finite], z[row])
        np.testing.assert_allclose(scores[row, finite], expected, atol=1e-4)
        assert np.all(scores[row, :-1] >= scores[row, 1:])


def test_one_beam_is_greedy(model):
    z = latents(model, rows=20)
    found = array(beam_search(model.decoder, z, L, 1).ids)[:, 0]
    np.testing.assert_array_equal(found, array(generate(model.decoder, z, L)))


@pytest.mark.parametrize("fixed", [None, FIXED])
def test_a_batch_equals_one_at_a_time(model, fixed):
    z = latents(model)
    together = beam_search(model.decoder, z, L, 3, fixed)
    for row in range(len(z)):
        part = None if fixed is None else fixed[row : row + 1]
        alone = beam_search(model.decoder, z[row : row + 1], L, 3, part)
        np.testing.assert_array_equal(alone.ids[0], together.ids[row])
        np.testing.assert_allclose(alone.scores[0], together.scores[row], atol=1e-5)


def test_more_beams_never_find_less(model):
    z = latents(model)
    best = [
        array(beam_search(model.decoder, z, L, width, FIXED).scores)[:, 0]
        for width in (1, V**L)
    ]
    assert np.all(best[0] <= best[1] + 1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((L + 1, 2), "must be at most 4, the decoder's length"), ((L, 0), "width=0")],
)
def test_impossible_arguments_are_refused(arguments, message):
    model = stirred(MODELS["hybrid"]())
    with pytest.raises(ValueError, match=message):
        beam_search(model.decoder, latents(model), *arguments)
