"""The hybrid decoder: its auxiliary head, its length, its batch normalisation.

V: vocabulary size. D: latent size.
"""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.decoders import HybridDecoder
from keras_textvae.tokens import BOS, FIRST_WORD

V, D, LENGTH = 11, 3, 6


@pytest.fixture
def decoder():
    decoder = HybridDecoder(V, LENGTH, units=5, channels=(2, 3), features=4)
    decoder.build((None, None), (None, D))
    return decoder


def sentences(rows=2, time=LENGTH, seed=0):
    ids = np.random.default_rng(seed).integers(FIRST_WORD, V, (rows, time))
    ids[:, 0] = BOS
    return ids.astype("int32")


def latents(rows=2, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, D)).astype("float32")


def test_auxiliary_logits_see_z_alone(decoder):
    z = latents()
    logits, auxiliary = decoder(sentences(seed=0), z, auxiliary=True)
    others, same = decoder(sentences(seed=1), z, auxiliary=True)
    assert auxiliary.shape == logits.shape
    np.testing.assert_array_equal(same, auxiliary)
    assert np.abs(others - logits).max() > 1e-4
    _, moved = decoder(sentences(), z + 1.0, auxiliary=True)
    assert np.abs(moved - auxiliary).max() > 1e-4


def test_auxiliary_logits_are_a_projection_of_the_features(decoder):
    z = latents()
    _, auxiliary = decoder(sentences(time=4), z, auxiliary=True)
    kernel, bias = decoder.historyless_logits.get_weights()
    expected = decoder.deconvolution(z).numpy()[:, :4] @ kernel + bias
    np.testing.assert_allclose(auxiliary, expected, atol=1e-5)


def test_logits_with_and_without_the_auxiliary_head_are_the_same(decoder):
    ids, z = sentences(), latents()
    np.testing.assert_array_equal(decoder(ids, z, auxiliary=True)[0], decoder(ids, z))


def test_z_enters_through_the_features_alone(decoder):
    ids = sentences()
    decoder.lstm.kernel.assign(tf.zeros_like(decoder.lstm.kernel))
    np.testing.assert_array_equal(decoder(ids, latents()), decoder(ids, latents(2, 5)))


def test_training_normalises_with_the_batch_and_evaluation_with_averages(decoder):
    ids, z = sentences(4), latents(4)
    decoder(ids, z, training=True)
    alone, together = decoder(ids[:1], z[:1]), decoder(ids, z)[:1]
    np.testing.assert_allclose(alone, together, atol=1e-5)
    batch = decoder(ids, z, training=True)[:1]
    assert np.abs(batch - decoder(ids, z)[:1]).max() > 1e-4


def test_features_are_computed_once_for_the_whole_sentence(decoder):
    z = latents()
    features, (t, (h, c)) = decoder.initial_state(z)
    np.testing.assert_array_equal(features, decoder.deconvolution(z))
    assert int(t) == 0
    np.testing.assert_array_equal([h, c], 0.0)


def test_a_longer_sentence_is_refused(decoder):
    message = r"at most 6 columns, the decoder's length. Received: .* shape \(2, 7\)"
    with pytest.raises(ValueError, match=message):
        decoder(sentences(time=7), latents())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"length": 0}, "`length` must be positive. Received: length=0"),
        ({"channels": ()}, "`channels` needs at least one layer"),
        ({"keep_rate": 2.0}, "`keep_rate` must lie in"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        HybridDecoder(**{"vocabulary_size": V, "length": 4, "units": 5} | changes)
