"""How z enters: the first state, what it adds to the gates, and the highways before.

B: batch size. D: latent size. H: hidden size.
"""

import keras
import numpy as np
import pytest

from keras_textvae.layers import LatentInput

D, UNITS = 3, 5


def latents(size=D):
    return np.random.default_rng(1).normal(size=(2, size)).astype("float32")


def build(**kwargs):
    part = LatentInput(UNITS, **kwargs)
    part.build((None, D))
    return part


def test_the_state_starts_at_a_tanh_of_z():
    part, z = build(), latents()
    part.initial.bias.assign(np.linspace(-1, 1, 2 * UNITS))
    added, (h, c) = part(z)
    kernel, bias = part.get_weights()
    expected = np.tanh(z @ kernel + bias)
    np.testing.assert_allclose(np.concatenate([h, c], -1), expected, atol=1e-6)
    assert added == ()


def test_z_adds_one_vector_to_the_gates_of_every_step():
    part, z = build(every_step=True), latents()
    (added,), _ = part(z)
    np.testing.assert_allclose(added, z @ part.get_weights()[-1], atol=1e-6)
    assert added.shape == (2, 4 * UNITS)


def test_z_passes_through_the_highways_first():
    part, plain = build(every_step=True, highways=2), build(every_step=True)
    plain.set_weights(part.get_weights()[-3:])
    y = z = latents()
    for layer in part.highway_layers:
        y = layer(y)
    flat = keras.tree.flatten
    for output, expected in zip(flat(part(z)), flat(plain(y)), strict=True):
        np.testing.assert_allclose(output, expected, atol=1e-6)
    assert np.abs(y - z).max() > 1e-3


def test_a_z_without_dimensions_leaves_the_state_at_zeros():
    part = LatentInput(UNITS)
    added, state = part(latents(0))
    assert added == ()
    assert not part.weights
    np.testing.assert_array_equal(state, np.zeros((2, 2, UNITS)))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_states_and_gates_are_float32(policy):
    outputs = build(every_step=True, highways=1, dtype=policy)(latents())
    for output in keras.tree.flatten(outputs):
        assert keras.backend.standardize_dtype(output.dtype) == "float32"


def test_configuration_round_trip():
    part = build(every_step=True, highways=1, initializer="random_normal")
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(part)
    )
    assert copy.get_config() == part.get_config()


def test_highways_are_counted():
    with pytest.raises(ValueError, match="Received: highways=-1"):
        LatentInput(UNITS, highways=-1)
