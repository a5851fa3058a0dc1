"""The bag of words against its formula, and its losses against the broadcast ones."""

import numpy as np
import pytest

from keras_textvae.decoders import BagOfWordsDecoder
from keras_textvae.generation import generate
from keras_textvae.losses import sentence_nll, token_nll
from keras_textvae.tokens import EOS

V, D = 9, 3
TARGETS = np.array([[4, 5, 8, 2], [6, 2, 0, 0]], "int32")


def latents(rows=2):
    return np.random.default_rng(0).normal(size=(rows, D)).astype("float32")


def build(**kwargs):
    decoder = BagOfWordsDecoder(V, **kwargs)
    decoder.build((None, None), (None, D))
    return decoder


@pytest.mark.parametrize("hidden", [0, 5])
def test_logits_are_a_projection_of_z_at_every_step(hidden):
    decoder, z = build(hidden=hidden), latents()
    h = np.tanh(z @ decoder.hidden_layer.get_weights()[0]) if hidden else z
    expected = h @ decoder.projection.get_weights()[0]
    logits = decoder(TARGETS, z)
    np.testing.assert_allclose(logits[:, 0], expected, atol=1e-6)
    assert logits.shape == (2, 1, V)
    features, state = decoder.initial_state(z)
    for t in range(3):
        step, state = decoder.step(TARGETS[:, t], features, state)
        np.testing.assert_array_equal(step, logits[:, 0])


def test_losses_of_one_step_are_those_of_as_many_equal_ones():
    decoder, z = build(), latents()
    logits = np.asarray(decoder(TARGETS, z))
    repeated = np.repeat(logits, TARGETS.shape[1], axis=1)
    for loss in (token_nll, sentence_nll):
        expected = loss(TARGETS, repeated)
        np.testing.assert_allclose(loss(TARGETS, logits), expected, rtol=1e-5)


def test_its_texts_are_the_likeliest_word_until_the_end():
    decoder = build()
    decoder.projection.bias.assign(np.eye(V)[EOS] * 100)
    ids = np.asarray(generate(decoder, latents(), 5))
    np.testing.assert_array_equal(ids, [[EOS, 0, 0, 0, 0]] * 2)


def test_its_configuration_comes_back():
    config = build(hidden=4).get_config()
    assert BagOfWordsDecoder.from_config(config).get_config() == config
