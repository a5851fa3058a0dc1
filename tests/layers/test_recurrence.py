"""The recurrence and its hand-written gradient, against NumPy and autodiff.

B: batch size. T: time. H: hidden size. Arguments stand in the order x [T, B, 4H],
h [B, H], c [B, H], recurrent kernel [H, 4H], and with layer normalisation gamma [4H],
beta [4H].
"""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.layers import recurrence

BATCH, UNITS = 3, 4
ORACLE_EPSILON = 1e-4

both = pytest.mark.parametrize("norm", [False, True], ids=["plain", "normalised"])
lengths = pytest.mark.parametrize("time", [1, 5])


def arguments(time, norm, scale=1.0):
    rng = np.random.default_rng(time)
    shapes = [(time, BATCH, 4 * UNITS), (BATCH, UNITS), (BATCH, UNITS)]
    shapes += [(UNITS, 4 * UNITS)] + [(4 * UNITS,)] * 2 * norm
    return [scale * rng.normal(size=shape).astype("float32") for shape in shapes]


def run(x, h, c, kernel, *norm):
    return recurrence.lstm(x, h, c, kernel, norm or None)


def gates(x, h, kernel, norm):
    """One step's activations i, f, o, g in NumPy."""
    a = x + h @ kernel
    if norm:
        centred = a - a.mean(-1, keepdims=True)
        a = centred / np.sqrt(a.var(-1, keepdims=True) + ORACLE_EPSILON)
        a = a * norm[0] + norm[1]
    i, f, o, g = np.split(a, 4, axis=-1)
    return *(1 / (1 + np.exp(-gate)) for gate in (i, f, o)), np.tanh(g)


def numpy_lstm(x, h, c, kernel, *norm):
    outputs = []
    for x_t in x:
        i, f, o, g = gates(x_t, h, kernel, norm)
        c = f * c + i * g
        h = o * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs)


def unrolled(x, h, c, kernel, *norm):
    """The plain loop in TensorFlow, for automatic differentiation."""
    outputs = []
    for x_t in tf.unstack(x):
        a = x_t + h @ kernel
        if norm:
            mean, variance = tf.nn.moments(a, axes=[-1], keepdims=True)
            a = (a - mean) / tf.sqrt(variance + ORACLE_EPSILON) * norm[0] + norm[1]
        i, f, o, g = tf.split(a, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        outputs.append(h)
    return tf.stack(outputs)


def gradients(function, args, upstream):
    args = [tf.convert_to_tensor(argument) for argument in args]
    with tf.GradientTape() as tape:
        tape.watch(args)
        loss = tf.reduce_sum(function(*args) * upstream)
    return [gradient.numpy() for gradient in tape.gradient(loss, args)]


def upstream_of(time):
    rng = np.random.default_rng(99)
    return rng.normal(size=(time, BATCH, UNITS)).astype("float32")


@both
@lengths
def test_forward_is_the_numpy_recurrence(norm, time):
    args = arguments(time, norm)
    expected = numpy_lstm(*(argument.astype("float64") for argument in args))
    np.testing.assert_allclose(run(*args), expected, atol=2e-6)


@both
@lengths
def test_gradient_of_every_argument_is_autodiffs(norm, time):
    args, upstream = arguments(time, norm), upstream_of(time)
    ours = gradients(run, args, upstream)
    theirs = gradients(unrolled, args, upstream)
    assert len(ours) == len(args)
    for our, their in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-5)


@both
def test_gradient_of_the_last_output_alone(norm):
    args, upstream = arguments(5, norm), upstream_of(5)
    upstream[:-1] = 0.0
    for our, their in zip(
        gradients(run, args, upstream),
        gradients(unrolled, args, upstream),
        strict=True,
    ):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-5)


@both
def test_gradient_is_the_finite_difference_of_the_oracle(norm):
    args, upstream = arguments(4, norm), upstream_of(4)
    exact = [argument.astype("float64") for argument in args]
    rng = np.random.default_rng(5)
    for k, gradient in enumerate(gradients(run, args, upstream)):
        direction = rng.normal(size=gradient.shape)
        loss = []
        for sign in (1, -1):
            moved = list(exact)
            moved[k] = exact[k] + sign * 1e-5 * direction
            loss.append(np.sum(numpy_lstm(*moved) * upstream))
        slope = (loss[0] - loss[1]) / 2e-5
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-4, abs=1e-4)


@both
def test_sequence_equals_repeated_steps(norm):
    x, h, c, kernel, *pair = arguments(6, norm)
    outputs = run(x, h, c, kernel, *pair)
    for x_t, expected in zip(x, outputs, strict=True):
        h, c = recurrence.lstm_step(x_t, h, c, kernel, pair or None)
        np.testing.assert_allclose(h, expected, atol=1e-6)


@both
def test_unknown_batch_and_time_in_a_graph(norm):
    args, upstream = arguments(3, norm), upstream_of(3)
    state = tf.TensorSpec([None, UNITS])
    specs = [tf.TensorSpec([None, None, 4 * UNITS]), state, state]
    specs += [tf.TensorSpec(argument.shape) for argument in args[3:]]

    @tf.function(input_signature=[*specs, tf.TensorSpec([None, None, UNITS])])
    def graph(*inputs):
        *inner, weights = inputs
        with tf.GradientTape() as tape:
            tape.watch(inner)
            outputs = run(*inner)
            loss = tf.reduce_sum(outputs * weights)
        return outputs, tape.gradient(loss, inner)

    outputs, found = graph(*args, upstream)
    np.testing.assert_allclose(outputs, run(*args), atol=1e-6)
    for our, eager in zip(found, gradients(run, args, upstream), strict=True):
        np.testing.assert_allclose(our, eager, rtol=1e-5, atol=1e-6)


@both
def test_bfloat16_products_stay_close_to_float32(norm):
    args, upstream = arguments(6, norm, scale=0.5), upstream_of(6)
    exact, exact_gradients = run(*args), gradients(run, args, upstream)
    args[3] = tf.cast(args[3], tf.bfloat16)
    half, half_gradients = run(*args), gradients(run, args, upstream)
    assert half.dtype == tf.float32
    np.testing.assert_allclose(half, exact, atol=0.02)
    for gradient, expected in zip(half_gradients, exact_gradients, strict=True):
        error = np.abs(gradient.astype("float32") - expected).max()
        assert error < 0.05 * np.abs(expected).max()
    assert [gradient.dtype.name for gradient in half_gradients[:4]] == [
        *["float32"] * 3,
        "bfloat16",
    ]


def test_normalisation_is_joint_over_the_gates():
    x, h, c, kernel, gamma, beta = arguments(3, True)
    outputs = run(x, h, c, kernel, gamma, beta)
    shifted = run(x + 5.0, h, c, kernel, gamma, beta)
    np.testing.assert_allclose(shifted, outputs, atol=1e-5)
    x[..., :UNITS] += 5.0  # one gate alone is not normalised away
    assert np.abs(run(x, h, c, kernel, gamma, beta) - outputs).max() > 0.1


@both
@pytest.mark.parametrize("scale", [0.0, 1e4])
def test_saturated_and_constant_inputs_stay_finite(norm, scale):
    args = arguments(4, norm)
    args[0] *= scale
    args[1] *= scale
    for value in [run(*args), *gradients(run, args, upstream_of(4))]:
        assert np.isfinite(value).all()
