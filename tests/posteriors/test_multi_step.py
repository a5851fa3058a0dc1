"""Each part's Gaussian against NumPy, and what it may depend on.

B: batch size. H: feature size. D: latent size.
"""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import posteriors
from keras_textvae.posteriors import MultiStep

B, H, D, UNITS = 3, 5, 6, 4


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained(steps, **kwargs):
    layer = MultiStep(D, steps, UNITS, **kwargs)
    layer.build((None, H))
    for k, weight in enumerate(layer.trainable_weights):
        weight.assign(0.5 * values(*weight.shape, seed=k))
    return layer


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def numpy_draw(layer, features, noise):
    """Returns z, its mean and log_var, with an LSTM written out."""
    kernel, recurrent, bias = layer.lstm.get_weights()
    (context,) = layer.context.get_weights()
    projection, projection_bias = layer.projection.get_weights()
    h, c = np.zeros((2, len(noise), UNITS))
    part = np.zeros((len(noise), D // layer.steps))
    drawn = []
    for part_noise in np.split(noise, layer.steps, axis=1):
        gates = part @ kernel + features @ context + h @ recurrent + bias
        i, f, o, g = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        mean, log_var = np.split(h @ projection + projection_bias, 2, axis=1)
        part = mean + np.exp(log_var / 2) * part_noise
        drawn.append((part, mean, log_var))
    return [np.concatenate(x, axis=1) for x in zip(*drawn, strict=True)]


@pytest.mark.parametrize("steps", [1, 2, 3, D])
def test_against_numpy(steps):
    layer = trained(steps)
    features, noise = values(B, H, seed=20), values(B, D, seed=21)
    z, mean, log_var = numpy_draw(layer, features, noise)
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var)
    log_q = -0.5 * (np.log(2 * np.pi) + log_var + noise**2).sum(1)
    log_p = -0.5 * (np.log(2 * np.pi) + z**2).sum(1)
    outputs = layer.draw(features, noise)
    np.testing.assert_allclose(outputs["z"], z, atol=1e-5)
    np.testing.assert_allclose(outputs["kl"], kl, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["log_ratio"], log_q - log_p, atol=1e-4)
    mode, _, _ = numpy_draw(layer, features, np.zeros((B, D)))
    np.testing.assert_allclose(outputs["mean"], mode, atol=1e-5)
    np.testing.assert_allclose(layer.mode(features), mode, atol=1e-5)


@pytest.mark.parametrize(("steps", "exact"), [(1, True), (2, False)])
def test_the_kl_is_exact_in_one_step_and_estimated_in_more(steps, exact):
    same = np.repeat(values(1, H), 50, axis=0)
    kl = trained(steps).draw(same, values(50, D))["kl"]
    assert (np.ptp(np.sum(kl, axis=1)) < 1e-5) == exact


def test_a_part_depends_on_the_parts_before_it_alone():
    layer, noise = trained(3), tf.constant(values(1, D))
    with tf.GradientTape() as tape:
        tape.watch(noise)
        z = layer.draw(values(1, H), noise)["z"]
    matrix = tape.jacobian(z, noise)[0, :, 0].numpy()
    part = np.arange(D) // 2
    later = part[:, None] < part
    np.testing.assert_array_equal(matrix[later], 0.0)
    earlier = part[:, None] > part
    assert np.abs(matrix[earlier]).min() > 0
    within = (part[:, None] == part) & ~np.eye(D, dtype=bool)
    np.testing.assert_array_equal(matrix[within], 0.0)


@pytest.mark.parametrize("asked", [-1e6, 1e6])
def test_extreme_log_variances_stay_finite_in_value_and_gradient(asked):
    layer = trained(2)
    layer.projection.bias.assign([0.0] * (D // 2) + [asked] * (D // 2))
    with tf.GradientTape() as tape:
        outputs = layer(values(B, H))
        loss = tf.reduce_sum(outputs["kl"]) + tf.reduce_sum(outputs["z"])
    for tensor in [*outputs.values(), *tape.gradient(loss, layer.trainable_variables)]:
        assert np.isfinite(tensor).all()
    largest = np.sign(asked) * posteriors.MAX_LOG_VAR
    spread = np.log(np.std(layer(np.repeat(values(1, H), 500, 0))["z"][:, 0]))
    np.testing.assert_allclose(spread, largest / 2, atol=0.2)


def test_without_a_number_of_steps_a_dimension_is_drawn_at_a_time():
    assert MultiStep(D).steps == D


@pytest.mark.parametrize("steps", [0, 4, 7])
def test_steps_divide_the_latent_size(steps):
    with pytest.raises(
        ValueError, match=f"divisible by `steps`. Received: latent_dim=6, steps={steps}"
    ):
        MultiStep(D, steps)


def test_units_must_be_positive():
    with pytest.raises(ValueError, match="`units` must be positive"):
        MultiStep(D, 2, units=0)
