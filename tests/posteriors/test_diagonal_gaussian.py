"""Posteriors: densities, divergences and samples against NumPy and Monte Carlo.

B: batch size. H: feature size. D: latent size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import posteriors
from keras_textvae.posteriors import DiagonalGaussian

B, H, D = 2, 4, 3


def gaussians(rows=B):
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(2, rows, D)).astype("float32")
    return mean, log_var


def features(rows=B, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, H)).astype("float32")


def numpy_log_prob(z, mean, log_var):
    """Dimension by dimension, from the density itself."""
    variance = np.exp(log_var.astype("float64"))
    density = np.exp(-0.5 * (z - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
    return np.log(density).sum(-1)


def test_log_prob_against_the_density():
    mean, log_var = gaussians()
    z = mean + 1.5
    np.testing.assert_allclose(
        posteriors.log_prob(z, mean, log_var),
        numpy_log_prob(z, mean, log_var),
        rtol=1e-5,
    )


def test_kl_is_the_mean_log_ratio_of_samples():
    mean, log_var = gaussians(rows=1)
    noise = np.random.default_rng(2).normal(size=(100_000, D)).astype("float32")
    z = np.asarray(posteriors.sample(mean, log_var, noise))
    ratio = numpy_log_prob(z, mean, log_var)
    ratio -= numpy_log_prob(z, np.zeros(D), np.zeros(D))
    error = ratio.std() / np.sqrt(len(ratio))
    kl = float(np.sum(posteriors.kl_to_standard_normal(mean, log_var)))
    assert abs(kl - ratio.mean()) < 3 * error
    assert error < 0.02 * kl  # or the comparison says nothing


def test_kl_against_numpy():
    mean, log_var = (x.astype("float64") for x in gaussians())
    sigma = np.exp(log_var / 2)
    expected = -np.log(sigma) + (sigma**2 + mean**2) / 2 - 0.5
    kl = posteriors.kl_to_standard_normal(*gaussians())
    np.testing.assert_allclose(kl, expected, rtol=1e-5, atol=1e-7)
    total = posteriors.total_kl(kl)
    np.testing.assert_allclose(total, expected.sum(-1), rtol=1e-5)
    np.testing.assert_array_equal(posteriors.total_kl(total), total)


@pytest.mark.parametrize("log_var", [0.0, 1e-4, -1e-4, 3e-4, 1e-7])
def test_kl_of_a_nearly_collapsed_posterior_is_not_negative(log_var):
    kl = posteriors.kl_to_standard_normal(
        np.zeros((1, 50), "float32"), np.full((1, 50), log_var, "float32")
    )
    exact = 0.5 * (np.expm1(log_var) - log_var)
    np.testing.assert_allclose(kl, np.full((1, 50), exact), rtol=1e-2, atol=1e-12)


def test_sample_gradients():
    mean, log_var = (tf.constant(x) for x in gaussians())
    noise = tf.constant(features(B)[:, :D])
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        z = posteriors.sample(mean, log_var, noise)
    in_mean, in_log_var = tape.gradient(z, [mean, log_var])
    np.testing.assert_array_equal(in_mean, np.ones((B, D)))
    expected = 0.5 * np.exp(0.5 * log_var) * noise
    np.testing.assert_allclose(in_log_var, expected, rtol=1e-5)


def test_outputs_of_the_layer_fit_together():
    layer = DiagonalGaussian(D, "random_normal")
    outputs = layer(features())
    kernel, bias = layer.projection.get_weights()
    projected = features() @ kernel + bias
    np.testing.assert_allclose(outputs["mean"], projected[:, :D], atol=1e-6)
    np.testing.assert_allclose(outputs["log_var"], projected[:, D:], atol=1e-6)
    kl = posteriors.kl_to_standard_normal(outputs["mean"], outputs["log_var"])
    np.testing.assert_array_equal(outputs["kl"], kl)
    mean, log_var = layer.parameters(features())
    np.testing.assert_array_equal(mean, outputs["mean"])
    np.testing.assert_array_equal(log_var, outputs["log_var"])


def test_samples_have_the_posteriors_moments_and_never_repeat():
    layer = DiagonalGaussian(D, "random_normal")
    same = np.repeat(features(1), 20_000, axis=0)
    outputs = layer(same)
    z, mean, log_var = (outputs[name] for name in ("z", "mean", "log_var"))
    scaled = (z - mean) / np.exp(0.5 * log_var)
    np.testing.assert_allclose(np.mean(scaled, axis=0), 0.0, atol=4 / np.sqrt(20_000))
    covariance = np.cov(scaled, rowvar=False)
    np.testing.assert_allclose(covariance, np.eye(D), atol=0.05)
    assert np.abs(layer(same)["z"] - z).min() > 0


@pytest.mark.parametrize("asked", [-1e6, 1e6])
def test_extreme_log_variances_stay_finite_in_value_and_gradient(asked):
    layer = DiagonalGaussian(D)
    layer.build((None, H))
    layer.projection.bias.assign([0.0] * D + [asked] * D)
    with tf.GradientTape() as tape:
        outputs = layer(features())
        loss = tf.reduce_sum(outputs["kl"]) + tf.reduce_sum(outputs["z"])
    for tensor in [*outputs.values(), *tape.gradient(loss, layer.trainable_variables)]:
        assert np.isfinite(tensor).all()
    bound = np.sign(asked) * posteriors.MAX_LOG_VAR
    np.testing.assert_allclose(outputs["log_var"], bound)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_everything_but_the_projection_is_float32(policy):
    layer = DiagonalGaussian(D, "random_normal", dtype=policy)
    outputs = layer(features())
    assert {tensor.dtype for tensor in outputs.values()} == {tf.float32}
    mean, log_var = (outputs[name].numpy() for name in ("mean", "log_var"))
    exact = posteriors.kl_to_standard_normal(mean, log_var)
    np.testing.assert_allclose(outputs["kl"], exact, rtol=1e-6)


def test_unknown_batch_in_a_graph_and_no_rows():
    layer = DiagonalGaussian(D)
    layer.build((None, H))
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None, H])])
    mean = layer(features())["mean"]
    np.testing.assert_allclose(graph(features())["mean"], mean, atol=1e-6)
    assert graph(features(rows=0))["z"].shape == (0, D)


def test_configuration_round_trip():
    layer = DiagonalGaussian(D, "random_normal")
    layer(features())
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    copy.set_weights(layer.get_weights())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(copy(features())["kl"], layer(features())["kl"])


def test_latent_dim_must_be_positive():
    with pytest.raises(ValueError, match="Received: latent_dim=0"):
        DiagonalGaussian(0)
