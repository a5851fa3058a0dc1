"""Steps of flows: log-determinants against the Jacobian, and invertibility.

B: batch size. D: latent size. H: feature size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.layers import AutoregressiveFlow, PlanarFlow

B, D, H = 3, 4, 5

BUILDERS = {
    "planar": PlanarFlow,
    "autoregressive": lambda **kw: AutoregressiveFlow(9, **kw),
    "autoregressive, few units": lambda **kw: AutoregressiveFlow(2, **kw),
}


@pytest.fixture(params=BUILDERS)
def builder(request):
    return BUILDERS[request.param]


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def trained(layer, size=D, scale=1.0):
    layer.build((None, size), (None, H))
    for k, weight in enumerate(layer.weights):
        weight.assign(scale * values(*weight.shape, seed=k))
    return layer


def inputs(size=D, rows=B, dtype="float32"):
    z, features = values(rows, size, seed=20), values(rows, H, seed=21)
    return z.astype(dtype), features.astype(dtype)


def jacobian(layer, z, features):
    """dz'/dz [B, D, D], having checked that no row sees another."""
    z = tf.constant(z)
    with tf.GradientTape() as tape:
        tape.watch(z)
        moved, _ = layer(z, features)
    whole = tape.jacobian(moved, z).numpy()  # [B, D, B, D]
    rows = range(len(z))
    own = np.stack([whole[k, :, k] for k in rows])
    whole[rows, :, rows] = 0.0
    np.testing.assert_array_equal(whole, 0.0)
    return own


@pytest.mark.parametrize("size", [1, 2, D])
@pytest.mark.parametrize("scale", [0.2, 1.0])
def test_log_det_is_that_of_the_jacobian(builder, size, scale):
    layer = trained(builder(dtype="float64"), size, scale)
    z, features = inputs(size, dtype="float64")
    sign, expected = np.linalg.slogdet(jacobian(layer, z, features))
    log_det = layer(z, features)[1]
    np.testing.assert_array_equal(sign, 1.0)
    np.testing.assert_allclose(log_det, expected, rtol=1e-7, atol=1e-7)
    assert np.abs(expected).max() > 0.01


def numpy_planar(layer, z, features):
    projected = features @ layer.projection.get_weights()[0]
    projected += layer.projection.get_weights()[1]
    u, w, b = np.split(projected, [z.shape[1], 2 * z.shape[1]], axis=1)
    wu = (w * u).sum(1, keepdims=True)
    m = np.logaddexp(0, wu + np.log(np.e - 1)) - 1
    u_hat = u + (m - wu) * w / (w * w).sum(1, keepdims=True)
    return z + u_hat * np.tanh((w * z).sum(1, keepdims=True) + b), u_hat, w


def test_planar_step_against_numpy():
    layer, (z, features) = trained(PlanarFlow()), inputs()
    expected, _, _ = numpy_planar(layer, z, features)
    np.testing.assert_allclose(layer(z, features)[0], expected, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 3.0, 10.0])
@pytest.mark.parametrize("size", [1, D])
def test_planar_steps_are_invertible_whatever_the_weights(size, scale):
    layer = trained(PlanarFlow(dtype="float64"), size, scale)
    _, features = inputs(size, rows=200, dtype="float64")
    _, _, w = numpy_planar(layer, np.zeros((200, size)), features)
    far = 1e3 * w / np.linalg.norm(w, axis=1, keepdims=True)
    u_hat = (layer(far, features)[0] - far) - (layer(-far, features)[0] + far)
    slope = 1 + 0.5 * np.sum(u_hat * w, axis=1)  # as tanh is 1 and -1
    assert slope.min() > 0
    # Along w, the only direction that can fold, z' grows with z.
    line = np.linspace(-2, 2, 101)[:, None, None] * far / 1e3  # [N, B, D]
    moved = layer(line.reshape(-1, size), np.tile(features, (101, 1)))[0]
    along_w = np.sum(moved.numpy().reshape(line.shape) * w, axis=-1)
    assert (np.diff(along_w, axis=0) > 0).all()


def test_a_planar_step_without_u_or_w_is_the_identity():
    z, features = inputs()
    for zeroed in (slice(0, D), slice(D, 2 * D), slice(0, 2 * D)):
        layer = trained(PlanarFlow())
        for weight in layer.weights:
            value = weight.numpy()
            value[..., zeroed] = 0.0
            weight.assign(value)
        if zeroed != slice(D, 2 * D):
            np.testing.assert_allclose(layer(z, features)[0], z, atol=1e-6)
        np.testing.assert_allclose(layer(z, features)[1], 0.0, atol=1e-6)


def numpy_autoregressive(layer, z, features):
    """Dimension by dimension, hidden unit by hidden unit."""
    inner, outer, bias = (w.numpy() for w in (layer.inner, layer.outer, layer.bias))
    kernel, context_bias = layer.context.get_weights()
    size, context = z.shape[1], features @ kernel + context_bias
    hidden = np.empty_like(context)
    for k in range(layer.units):
        seen = k % size
        hidden[:, k] = np.tanh(z[:, :seen] @ inner[:seen, k] + context[:, k])
    moved = np.empty_like(z)
    for d in range(size):
        units = [k for k in range(layer.units) if k % size <= d]
        m, s = (
            hidden[:, units] @ outer[units, column] + bias[column]
            for column in (d, size + d)
        )
        gate = 1 / (1 + np.exp(-s))
        moved[:, d] = gate * z[:, d] + (1 - gate) * m
    return moved


@pytest.mark.parametrize("size", [1, D])
def test_autoregressive_step_against_numpy(size):
    layer, (z, features) = trained(AutoregressiveFlow(9), size), inputs(size)
    expected = numpy_autoregressive(layer, z, features)
    np.testing.assert_allclose(layer(z, features)[0], expected, atol=1e-5)


def test_the_jacobian_of_an_autoregressive_step_is_triangular():
    layer = trained(AutoregressiveFlow(9))
    matrix = jacobian(layer, *inputs())
    np.testing.assert_array_equal(np.triu(matrix, 1), 0.0)
    below = np.tril_indices(D, -1)
    assert np.abs(matrix[:, *below]).min() > 0


def test_an_autoregressive_step_starts_near_the_identity():
    layer = AutoregressiveFlow(9, keras.initializers.RandomUniform(-0.01, 0.01))
    z, features = inputs()
    moved, log_det = layer(z, features)
    gate = 1 / (1 + np.exp(-2.0))
    np.testing.assert_allclose(moved, gate * z, atol=0.02)
    np.testing.assert_allclose(log_det, D * np.log(gate), atol=0.02)


@pytest.mark.parametrize("size", [1, D])
def test_extreme_inputs_stay_finite_in_value_and_gradient(builder, size):
    layer = trained(builder(), size)
    extremes = np.array([-1e6, -30.0, 0.0, 30.0, 1e6], "float32")
    z, x = (grid.ravel()[:, None] for grid in np.meshgrid(extremes, extremes))
    z, x = (tf.constant(z * np.ones(size, "f")), tf.constant(x * np.ones(H, "f")))
    with tf.GradientTape() as tape:
        tape.watch([z, x])
        moved, log_det = layer(z, x)
        loss = tf.reduce_sum(moved) + tf.reduce_sum(log_det)
    gradients = tape.gradient(loss, [z, x, *layer.trainable_variables])
    for tensor in [moved, log_det, *gradients]:
        assert np.isfinite(tensor).all()


@pytest.mark.parametrize("initializer", [None, "zeros"])
def test_first_steps_stay_finite(builder, initializer):
    layer, (z, features) = builder(initializer=initializer), inputs()
    with tf.GradientTape() as tape:
        moved, log_det = layer(z, features)
        loss = tf.reduce_sum(tf.sin(moved)) + tf.reduce_sum(log_det)
    for tensor in [moved, *tape.gradient(loss, layer.trainable_variables)]:
        assert np.isfinite(tensor).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_only_the_projection_of_the_features_is_in_half_precision(builder, policy):
    layer, (z, features) = trained(builder(dtype=policy), scale=0.5), inputs()
    exact = trained(builder(), scale=0.5)
    for found, expected in zip(layer(z, features), exact(z, features), strict=True):
        assert found.dtype == tf.float32
        np.testing.assert_allclose(found, expected, atol=0.05)
    # In half precision this z would be rounded away.
    nudged = layer(z + np.float32(1e-5), features)[0] - layer(z, features)[0]
    assert np.abs(nudged).max(axis=-1).min() > 1e-6


def test_configuration_round_trip(builder):
    layer, (z, features) = trained(builder(initializer="random_normal")), inputs()
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    copy.set_weights(layer.get_weights())
    assert copy.get_config() == layer.get_config()
    for ours, theirs in zip(copy(z, features), layer(z, features), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_units_must_be_positive():
    with pytest.raises(ValueError, match="must be positive. Received: units=0"):
        AutoregressiveFlow(0)
