"""The LSTM layer: weights, configuration, and Keras's own LSTM as a second path."""

import keras
import numpy as np
import pytest

from keras_textvae.layers import LSTM

UNITS, INPUTS = 4, 3


def values(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def keras_gate_order(weight):
    """From our gates i, f, o, g to Keras's i, f, g, o."""
    i, f, o, g = np.split(weight, 4, axis=-1)
    return np.concatenate([i, f, g, o], axis=-1)


@pytest.mark.parametrize("stateful", [False, True])
def test_plain_layer_is_keras_lstm_with_the_gates_reordered(stateful):
    x = values((2, 5, INPUTS))
    state = [values((2, UNITS), 1), values((2, UNITS), 2)] if stateful else None
    ours, theirs = LSTM(UNITS), keras.layers.LSTM(UNITS, return_sequences=True)
    ours.build(x.shape)
    ours.set_weights([values(weight.shape, 3) for weight in ours.weights])
    theirs.build(x.shape)
    theirs.set_weights([keras_gate_order(weight) for weight in ours.get_weights()])
    expected = theirs(x, initial_state=state)
    np.testing.assert_allclose(ours(x, state), expected, atol=1e-6)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_a_sequence_continues_from_the_state_of_its_steps(layer_norm):
    x = values((2, 6, INPUTS))
    layer = LSTM(UNITS, layer_norm=layer_norm)
    whole = layer(x)
    projected = layer.project(x)
    state = layer.zero_state(len(x))
    for t in range(4):
        state = layer.step(projected[:, t], state)
        np.testing.assert_allclose(state[0], whole[:, t], atol=1e-6)
    np.testing.assert_allclose(layer(x[:, 4:], state), whole[:, 4:], atol=1e-6)


def test_one_hot_inputs_are_projected_as_their_vectors():
    layer = LSTM(UNITS, initializer="random_normal")
    layer.build((None, None, INPUTS))
    ids = np.array([[0, 2, 1], [1, 1, 0]])
    expected = layer.project(np.eye(INPUTS, dtype="float32")[ids])
    np.testing.assert_allclose(layer.project(ids), expected, atol=1e-6)


def test_only_the_forget_gate_starts_open():
    layer = LSTM(UNITS)
    layer.build((None, None, INPUTS))
    expected = np.repeat([0.0, 1.0, 0.0, 0.0], UNITS)
    np.testing.assert_array_equal(layer.get_weights()[2], expected)


def test_initializer_is_used_for_kernels_and_bias_and_not_for_the_norm():
    layer = LSTM(UNITS, True, keras.initializers.RandomUniform(0.3, 0.4))
    layer.build((None, None, INPUTS))
    *drawn, gamma, beta = layer.get_weights()
    for weight in drawn:
        assert weight.min() >= 0.3
        assert weight.max() <= 0.4
    np.testing.assert_array_equal(gamma, 1.0)
    np.testing.assert_array_equal(beta, 0.0)


def test_one_initializer_draws_other_numbers_for_each_weight():
    layer = LSTM(UNITS, initializer=keras.initializers.RandomUniform(-1, 1))
    layer.build((None, None, UNITS))
    kernel, recurrent_kernel, bias = layer.get_weights()
    assert np.abs(kernel - recurrent_kernel).max() > 0.1
    assert np.abs(kernel[0] - bias).max() > 0.1


@pytest.mark.parametrize("initializer", [None, "zeros", "random_normal"])
def test_configuration_round_trip(initializer):
    layer = LSTM(UNITS, True, initializer, name="mine", dtype="mixed_bfloat16")
    config = keras.saving.serialize_keras_object(layer)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == layer.get_config()
    x = values((1, 2, INPUTS))
    layer.build(x.shape)
    copy.build(x.shape)
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(x), layer(x))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_mixed_precision_keeps_weights_and_outputs_in_float32(policy, layer_norm):
    x = values((2, 5, INPUTS))
    exact, mixed = LSTM(UNITS, layer_norm), LSTM(UNITS, layer_norm, dtype=policy)
    mixed.build(x.shape)
    exact.build(x.shape)
    exact.set_weights(mixed.get_weights())
    outputs = mixed(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    assert {weight.dtype for weight in mixed.weights} == {"float32"}
    np.testing.assert_allclose(outputs, exact(x), atol=0.03)


def test_units_must_be_positive():
    with pytest.raises(ValueError, match="`units` must be positive. Received: units=0"):
        LSTM(0)


def test_recurrent_dropout_drops_weights_once_for_all_steps_and_sentences():
    layer = LSTM(UNITS, recurrent_dropout=0.5)
    x = np.repeat(values((1, 6, INPUTS)), 2, axis=0)
    still = layer(x)
    trained = np.array(layer(x, training=True))
    assert np.abs(trained - still).max() > 1e-4
    np.testing.assert_allclose(trained[0], trained[1], atol=1e-6)
    # The first step has no past to lose.
    np.testing.assert_allclose(trained[:, 0], still[:, 0], atol=1e-6)


def test_recurrent_dropout_is_that_of_the_kernel_it_drops():
    layer, dropped = LSTM(UNITS, recurrent_dropout=0.5), []
    x = values((2, 6, INPUTS))
    layer.build(x.shape)
    dropout = layer.kernel_dropout
    layer.kernel_dropout = lambda kernel: dropped.append(dropout(kernel)) or dropped[0]
    trained = layer(x, training=True)
    plain = LSTM(UNITS)
    plain.build(x.shape)
    (kernel,) = dropped
    plain.set_weights([layer.kernel, kernel, layer.bias])
    np.testing.assert_allclose(trained, plain(x), atol=1e-6)
    ratio = np.array(kernel) / np.array(layer.recurrent_kernel)
    assert set(np.round(ratio.ravel(), 4)) == {0.0, 2.0}
