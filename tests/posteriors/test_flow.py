"""The flow is its steps, one after the other, on a Gaussian's sample.

B: batch size. H: feature size. D: latent size.
"""

import keras
import numpy as np
import pytest

from keras_textvae.posteriors import NormalizingFlow
from keras_textvae.posteriors.flow import KINDS

B, H, D = 3, 5, 4


def values(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def trained(layer):
    layer.build((None, H))
    for k, weight in enumerate(layer.trainable_weights):
        weight.assign(0.5 * values(*weight.shape, seed=k))
    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_z_and_its_log_ratio_against_the_steps(kind):
    layer = trained(NormalizingFlow(D, 3, kind))
    features, noise = values(B, H, seed=20), values(B, D, seed=21)
    kernel, bias = layer.start.projection.get_weights()
    mean, log_var = np.split(features @ kernel + bias, 2, axis=1)
    z = mean + np.exp(log_var / 2) * noise
    log_q = -0.5 * (np.log(2 * np.pi) + log_var + noise**2).sum(1)
    for k, step in enumerate(layer.flow):
        if kind == "autoregressive" and k > 0:
            z = z[:, ::-1]
        z, log_det = (x.numpy() for x in step(z, features))
        log_q -= log_det
    log_p = -0.5 * (np.log(2 * np.pi) + z**2).sum(1)
    outputs = layer.draw(features, noise)
    np.testing.assert_allclose(outputs["z"], z, atol=1e-5)
    np.testing.assert_allclose(outputs["log_ratio"], log_q - log_p, atol=1e-4)
    np.testing.assert_array_equal(outputs["kl"], outputs["log_ratio"])


def test_reversing_between_the_steps_couples_every_pair_of_dimensions():
    layer = trained(NormalizingFlow(D, 2, "autoregressive"))
    features, noise = values(1, H), values(1, D)
    z = layer.draw(features, noise)["z"]
    moved = np.zeros((D, D), bool)
    for d in range(D):
        other = noise.copy()
        other[0, d] += 1.0
        moved[d] = np.abs(layer.draw(features, other)["z"] - z)[0] > 1e-6
    assert moved.sum() > D * (D + 1) / 2  # more than one triangle


def test_an_autoregressive_flow_starts_near_its_gaussian():
    initializer = keras.initializers.RandomUniform(-0.01, 0.01)
    layer = NormalizingFlow(D, 1, "autoregressive", initializer)
    features, noise = values(B, H), values(B, D)
    layer.build((None, H))
    ratio = layer.draw(features, noise)["log_ratio"]
    gate = 1 / (1 + np.exp(-2.0))  # all that is left of the step
    expected = 0.5 * (gate**2 - 1) * (noise**2).sum(1) - D * np.log(gate)
    np.testing.assert_allclose(ratio, expected, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_one_dimension_is_enough(kind):
    outputs = NormalizingFlow(1, 2, kind)(values(B, H))
    assert outputs["z"].shape == (B, 1)
    assert np.isfinite(outputs["log_ratio"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "`steps` must be positive. Received: steps=0"),
        ({"kind": "radial"}, "one of planar, autoregressive. Received: kind='radial'"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        NormalizingFlow(D, **arguments)
