"""The feed-forward decoder: each id on its own, from z alone.

V: vocabulary size. D: latent size.
"""

import numpy as np
import pytest

from keras_textvae.decoders import DeconvolutionalDecoder
from keras_textvae.generation import generate
from keras_textvae.tokens import BOS, FIRST_WORD

V, D, LENGTH = 11, 3, 7


@pytest.fixture
def decoder():
    decoder = DeconvolutionalDecoder(V, LENGTH, channels=(2, 3), features=4)
    decoder.build((None, None), (None, D))
    decoder(np.ones((5, LENGTH), "int32"), latents(5), training=True)
    return decoder


def latents(rows=2, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, D)).astype("float32")


def sentences(rows=2, time=LENGTH, seed=0):
    ids = np.random.default_rng(seed).integers(FIRST_WORD, V, (rows, time))
    ids[:, 0] = BOS
    return ids.astype("int32")


@pytest.mark.parametrize("training", [True, False])
def test_history_plays_no_part(decoder, training):
    z = latents()
    logits = decoder(sentences(), z, training=training)
    other = decoder(sentences(seed=3), z, training=training)
    assert logits.shape == (2, LENGTH, V)
    np.testing.assert_array_equal(logits, other)


@pytest.mark.parametrize("time", [1, 4, LENGTH])
def test_call_equals_repeated_step(decoder, time):
    ids, z = sentences(time=time), latents()
    features, state = decoder.initial_state(z)
    steps = []
    for t in range(time):
        logits, state = decoder.step(ids[:, t], features, state)
        steps.append(logits)
    np.testing.assert_allclose(np.stack(steps, axis=1), decoder(ids, z), atol=1e-6)


def test_greedy_decoding_is_the_most_probable_id_of_each_position(decoder):
    z = latents(6)
    ids = generate(decoder, z, LENGTH, forbidden=(2,))
    logits = decoder(sentences(6), z).numpy()
    logits[:, :, :3] = -np.inf
    np.testing.assert_array_equal(np.argmax(logits, axis=-1), ids)


def test_z_reaches_every_output(decoder):
    moved = decoder(sentences(1), latents(1, 3)) - decoder(sentences(1), latents(1, 4))
    assert np.abs(moved).max(axis=-1).min() > 1e-6


def test_a_longer_sentence_is_refused(decoder):
    message = r"at most 7 columns, the decoder's length. Received: .* shape \(2, 8\)"
    with pytest.raises(ValueError, match=message):
        decoder(sentences(time=8), latents())


def test_configuration_round_trip(decoder):
    copy = DeconvolutionalDecoder.from_config(decoder.get_config())
    assert copy.get_config() == decoder.get_config()
