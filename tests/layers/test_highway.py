"""Highway layers against NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.layers import Highway, highway_layers

H = 5


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained(**kwargs):
    layer = Highway(**kwargs)
    layer.build((None, H))
    for k, weight in enumerate(layer.weights):
        weight.assign(values(*weight.shape, seed=k))
    return layer


def numpy_highway(layer, x):
    kernel, bias = layer.hidden.get_weights()
    gate_kernel, gate_bias = layer.gate.get_weights()
    t = 1 / (1 + np.exp(-(x @ gate_kernel + gate_bias)))
    return t * np.maximum(x @ kernel + bias, 0) + (1 - t) * x


@pytest.mark.parametrize("shape", [(3, H), (2, 3, H), (0, H)])
def test_against_numpy(shape):
    layer, x = trained(), values(*shape, seed=9)
    np.testing.assert_allclose(layer(x), numpy_highway(layer, x), atol=1e-6)


@pytest.mark.parametrize("initializer", [None, "zeros", "random_normal"])
def test_it_starts_by_carrying(initializer):
    layer = Highway(initializer)
    layer.build((None, H))
    np.testing.assert_array_equal(layer.gate.get_weights()[1], np.full(H, -1.0))
    if initializer == "zeros":
        carried = 1 - 1 / (1 + np.exp(1.0))
        np.testing.assert_allclose(layer(values(2, H)), carried * values(2, H), 1e-6)


def test_one_initializer_draws_other_numbers_for_each_weight():
    layer = Highway(keras.initializers.RandomUniform(-1, 1))
    layer.build((None, H))
    first, second = layer.hidden.get_weights()[0], layer.gate.get_weights()[0]
    assert np.abs(first - second).max() > 0.1


def test_every_weight_gets_a_gradient():
    layer = trained()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(layer(values(3, H))))
    for gradient in tape.gradient(loss, layer.trainable_variables):
        assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_stays_close_to_float32(policy):
    layer, x = trained(dtype=policy), values(3, H)
    y = layer(x)
    assert keras.backend.standardize_dtype(y.dtype) == policy[6:]
    expected = numpy_highway(layer, x)
    np.testing.assert_allclose(tf.cast(y, tf.float32), expected, atol=0.05)


def test_configuration_round_trip():
    layer = trained(initializer="random_normal")
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    copy.set_weights(layer.get_weights())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(values(2, H)), layer(values(2, H)))


def test_as_many_layers_as_asked_but_not_fewer_than_none():
    layers = highway_layers(2, None, "mixed_bfloat16")
    assert [layer.dtype_policy.name for layer in layers] == ["mixed_bfloat16"] * 2
    assert highway_layers(0, None, "float32") == []
    with pytest.raises(ValueError, match="not be negative. Received: highways=-1"):
        highway_layers(-1, None, "float32")
