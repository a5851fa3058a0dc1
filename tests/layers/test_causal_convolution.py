"""Masked convolutions: against NumPy, never the future, and one step at a time.

B: batch size. T: time. C: feature maps.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.layers import ByteNetBlock, CausalConvolution, HighwayBlock

T, C = 9, 6

BLOCKS = {
    "bytenet": lambda norm: ByteNetBlock(C, 3, 2, norm),
    "highway": lambda norm: HighwayBlock(C, 2, 1, norm),
}


def inputs(rows=2, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, T, C)).astype("float32")


def randomised(layer, shape=(None, None, C)):
    """Builds a layer, and moves its weights from where they start."""
    layer.build(shape)
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(weight + rng.normal(size=weight.shape, scale=0.3))
    return layer


@pytest.fixture(params=BLOCKS)
def block(request):
    return randomised(BLOCKS[request.param]("layer"))


def repeated_step(layer, x):
    buffer, outputs = layer.initial_state(len(x)), []
    for t in range(x.shape[1]):
        output, buffer = layer.step(x[:, t : t + 1], buffer, tf.constant(t))
        outputs.append(output)
    return np.concatenate(outputs, axis=1)


def oracle(x, kernel, bias, width, dilation):
    """The formula, one position and one tap at a time."""
    taps = kernel.reshape(width, C, -1)
    outputs = np.zeros((*x.shape[:2], bias.size)) + bias
    for t in range(x.shape[1]):
        for k in range(width):
            if t >= k * dilation:
                outputs[:, t] += x[:, t - k * dilation] @ taps[k]
    return outputs


@pytest.mark.parametrize(
    ("width", "dilation"), [(2, 1), (3, 1), (2, 4), (3, 3), (2, 20)]
)
def test_a_convolution_is_its_formula(width, dilation):
    layer = randomised(CausalConvolution(4, width, dilation))
    x = inputs()
    expected = oracle(x, *layer.get_weights(), width, dilation)
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    np.testing.assert_allclose(repeated_step(layer, x), expected, atol=1e-5)
    assert layer.memory == (width - 1) * dilation


@pytest.mark.parametrize("norm", ["layer", "batch"])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_one_step_at_a_time_is_the_block(name, norm):
    block = randomised(BLOCKS[name](norm))
    x = inputs()
    block(x, training=True)
    np.testing.assert_allclose(repeated_step(block, x), block(x), atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_a_block_s_gradient_never_reaches_later_inputs(block, training):
    x = tf.constant(inputs(rows=1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = tf.reduce_sum(tf.sin(block(x, training=training)), axis=-1)
    jacobian = tape.jacobian(outputs, x)[0, :, 0]  # [T, T, C]
    reached = np.abs(jacobian).max(axis=-1) > 0
    for t in range(T):
        seen = {t - age for age in range(0, block.memory + 1, block.dilation)}
        assert {*np.flatnonzero(reached[t])} == {i for i in seen if i >= 0}


def layer_norm(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + 1e-4)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_highway_block_is_its_formula():
    block = HighwayBlock(C)
    block.build((None, None, C))
    x = inputs()
    convolved = oracle(x, *block.convolution.get_weights(), 2, 1)
    i, f, g = np.split(layer_norm(convolved), 3, axis=-1)
    expected = sigmoid(f) * x + sigmoid(i) * np.tanh(g)
    np.testing.assert_allclose(block(x), expected, atol=1e-5)


def test_a_bytenet_block_is_its_formula():
    block = ByteNetBlock(2 * C)
    block.build((None, None, 2 * C))
    x = np.concatenate([inputs(), inputs(seed=5)], axis=-1)

    def hidden(x):
        return np.maximum(layer_norm(x), 0)

    narrow, b_narrow = block.narrow.get_weights()
    widen, b_widen = block.widen.get_weights()
    weights = block.convolution.get_weights()
    convolved = oracle(hidden(hidden(x) @ narrow + b_narrow), *weights, 2, 1)
    expected = x + hidden(convolved) @ widen + b_widen
    np.testing.assert_allclose(block(x), expected, atol=1e-5)


def test_a_buffer_holds_what_an_output_still_needs():
    layer = randomised(CausalConvolution(4, width=3, dilation=4))
    assert layer.initial_state(5).shape == (8, 5, C)


@pytest.mark.parametrize("name", BLOCKS)
def test_configuration_round_trip(name):
    block = BLOCKS[name]("batch")
    copy = type(block).from_config(block.get_config())
    assert copy.get_config() == block.get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CausalConvolution(4, width=1), "`width` must be at least 2. .*=1"),
        (lambda: CausalConvolution(4, dilation=0), "`dilation` must be positive. .*=0"),
        (lambda: HighwayBlock(1), "`channels` must be at least 2. Received: .*=1"),
        (lambda: ByteNetBlock(7), "`channels` must be even. Received: channels=7"),
        (lambda: HighwayBlock(4, norm="none"), "layer, batch. Received: 'none'"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_mixed_precision_computes_in_it_and_keeps_float32_weights():
    layer = CausalConvolution(4, dtype=keras.DTypePolicy("mixed_bfloat16"))
    outputs = layer(inputs())
    assert outputs.dtype == tf.bfloat16
    assert layer.kernel.dtype == "float32"
    assert layer.initial_state(2).dtype == tf.bfloat16
