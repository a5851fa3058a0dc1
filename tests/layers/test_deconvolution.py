"""The geometry of the deconvolution, and its batch normalisation.

N: length. C: feature maps.
"""

import keras
import numpy as np
import pytest

from keras_textvae.layers import Deconvolution

D = 5


def latents(rows=3, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, D)).astype("float32")


def one_map(length, taps):
    """One layer of one feature map, z its input sequence, without normalisation."""
    layer = Deconvolution(length, channels=(1,), features=1)
    start = layer.start_length
    layer.build((None, start))
    layer.dense.kernel.assign(np.eye(start))
    layer.convolutions[0].kernel.assign(np.reshape(taps, (3, 1, 1)))
    layer.norms[0].epsilon = 0.0
    return layer


@pytest.mark.parametrize("position", [0, 1, 3])
def test_input_i_writes_outputs_2i_minus_1_to_2i_plus_1(position):
    layer = one_map(8, taps=[1.0, 2.0, 3.0])
    impulse = np.eye(4, dtype="float32")[position : position + 1]
    expected = np.zeros(10)
    expected[2 * position : 2 * position + 3] = [1.0, 2.0, 3.0]  # from -1 on
    np.testing.assert_allclose(layer(impulse)[0, :, 0], expected[1:9], atol=1e-6)


def test_neighbours_overlap_by_one_output():
    outputs = one_map(6, taps=[1.0, 1.0, 1.0])(np.ones((1, 3), "float32"))
    np.testing.assert_allclose(outputs[0, :, 0], [1, 2, 1, 2, 1, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("length", "channels", "start"),
    [(8, (2, 3), 2), (7, (2, 3), 2), (5, (2, 3), 2), (4, (2, 3), 1), (1, (2,), 1)],
)
def test_length_doubles_with_each_layer_and_is_cropped(length, channels, start):
    layer = Deconvolution(length, channels, features=6)
    assert layer(latents()).shape == (3, length, 6)
    assert layer.start_length == start


def test_feature_maps_mirror_the_encoders():
    assert Deconvolution(16, (3, 4, 5), features=6).filters == (4, 3, 6)


def normalised(rows=4):
    layer = Deconvolution(6, (2, 3), features=4)
    z = latents(rows)
    for _ in range(5):
        layer(3.0 * z + 1.0, training=True)  # moves the averages
    return layer, z


def test_with_layer_normalisation_a_row_never_depends_on_its_batch():
    layer = Deconvolution(6, (2, 3), features=4, norm="layer")
    z = latents(4)
    trained = layer(z, training=True)[:1]
    np.testing.assert_allclose(layer(z[:1]), trained, atol=1e-6)


def test_a_row_depends_on_its_batch_in_training_only():
    layer, z = normalised()
    alone = layer(z[:1])
    np.testing.assert_allclose(layer(z)[:1], alone, atol=1e-6)
    together = layer(z, training=True)[:1]
    assert np.abs(together - layer(z[:1], training=True)).max() > 1e-3


def test_evaluation_leaves_the_moving_averages():
    layer, z = normalised()
    before = layer.get_weights()
    layer(z)
    for weight, old in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    layer(z, training=True)
    moved = [
        (weight != old).any()
        for weight, old in zip(layer.get_weights(), before, strict=True)
    ]
    assert sum(moved) == 4  # two layers' means and variances


def test_one_initializer_draws_other_numbers_for_each_weight():
    layer = Deconvolution(4, (2, 2), 2, keras.initializers.RandomUniform(-1, 1))
    layer.build((None, 2))
    first, second = (convolution.get_weights()[0] for convolution in layer.convolutions)
    assert np.abs(first - second).max() > 0.1


def test_configuration_round_trip():
    layer, z = normalised()
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(z), layer(z))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, (2,), 3), "`length` must be positive. Received: length=0"),
        ((4, (), 3), "`channels` needs at least one layer. Received: channels="),
    ],
)
def test_sizes_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        Deconvolution(*arguments)
