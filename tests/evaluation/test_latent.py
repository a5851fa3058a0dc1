"""The use of the latent space against NumPy, integrals and exact cases.

N: sentences. D: latent size.
"""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_textvae import posteriors, zoo
from keras_textvae.decoders import BagOfWordsDecoder
from keras_textvae.evaluation import (
    active_units,
    evaluate_bound,
    kl_per_dimension,
    mutual_information,
    posterior_samples,
)
from keras_textvae.models import TextVAE
from keras_textvae.tokens import BOS, EOS


class Lookup(keras.layers.Layer):
    """An encoder whose features are the rows of a table, by the first word's id."""

    def __init__(self, table):
        super().__init__()
        self.table = ops.convert_to_tensor(table, "float32")

    def call(self, ids):
        return ops.take(self.table, ids[:, 1], axis=0)


def gaussians(mean, log_var):
    """A model with these posteriors [N, D], and its N sentences."""
    mean, log_var = np.broadcast_arrays(mean, log_var)
    posterior = posteriors.DiagonalGaussian(mean.shape[1])
    return vae(np.concatenate([mean, log_var], axis=1), posterior)


def vae(table, posterior):
    """A model whose posterior projects to the table's rows, and a sentence for each."""
    posterior.build((None, table.shape[1]))
    posterior.projection.kernel.assign(np.eye(table.shape[1]))
    model = TextVAE(Lookup(table), posterior, BagOfWordsDecoder(3 + len(table)))
    return model, np.array([[BOS, n, EOS] for n in range(len(table))], "int32")


def random_gaussians(rows, size):
    rng = np.random.default_rng(3)
    return rng.normal(size=(rows, size)), rng.normal(-1.0, 0.5, (rows, size))


def collapsed(rows=300, size=4):
    return gaussians(np.zeros((rows, size)), np.zeros((rows, size)))


def test_kl_of_each_dimension_against_numpy():
    mean, log_var = random_gaussians(70, 3)
    found = kl_per_dimension(*gaussians(mean, log_var))
    kl = (np.exp(log_var) + mean**2 - 1 - log_var) / 2
    np.testing.assert_allclose(found, np.mean(kl, axis=0), rtol=1e-5)


def test_kl_of_dimensions_adds_up_to_that_of_the_bound():
    model = zoo.lstm_vae(9, 4, 6, 3, initial_range=2.0)
    ids = np.array([[BOS, 4, 5, EOS], [BOS, 6, 7, EOS], [BOS, 8, EOS, 0]], "int32")
    model.compile()
    expected = evaluate_bound(model, ids).kl
    assert np.sum(kl_per_dimension(model, ids)) == pytest.approx(expected, rel=1e-5)
    batches = [ids[:2], ids[2:, :3]]
    assert np.sum(kl_per_dimension(model, batches)) == pytest.approx(expected, rel=1e-5)


def test_draws_of_the_posteriors_against_numpy():
    mean, log_var = random_gaussians(70, 3)
    found = posterior_samples(*gaussians(mean, log_var), seed=5)
    noise = np.random.default_rng(5)  # drawn batch by batch
    noise = np.concatenate([noise.standard_normal((n, 3), "f4") for n in (32, 32, 6)])
    np.testing.assert_allclose(found, mean + np.exp(log_var / 2) * noise, 1e-4, 1e-5)
    means = posterior_samples(*gaussians(mean, log_var), seed=5, noise=0.0)
    np.testing.assert_allclose(means, mean, 1e-5, 1e-6)


def test_draws_of_a_posterior_without_noise_are_its_points():
    found = posterior_samples(*vae(np.eye(4), posteriors.Deterministic(4)))
    np.testing.assert_array_equal(found, np.eye(4))


def test_draws_of_a_flow_are_what_it_makes_of_the_noise():
    model = zoo.lstm_vae(9, 4, 6, 3, posterior="planar", initial_range=2.0)
    ids = np.array([[BOS, 4, 5, EOS], [BOS, 6, 7, EOS]], "int32")
    noise = np.random.default_rng(1).standard_normal((2, 3), "float32")
    expected = model.infer(ids, noise)["z"]
    np.testing.assert_allclose(posterior_samples(model, ids, seed=1), expected, 1e-5)


def test_a_posterior_that_is_the_prior_carries_nothing():
    np.testing.assert_array_equal(kl_per_dimension(*collapsed()), np.zeros(4))
    assert mutual_information(*collapsed()) == pytest.approx(0.0, abs=1e-9)
    units = active_units(*collapsed())
    assert units.count == 0
    np.testing.assert_array_equal(units.variances, np.zeros(4))


def test_a_posterior_that_ignores_the_sentence_carries_nothing_but_has_a_kl():
    model, ids = gaussians(np.full((300, 2), 3.0), np.full((300, 2), -2.0))
    assert mutual_information(model, ids) == pytest.approx(0.0, abs=1e-9)
    assert active_units(model, ids).count == 0
    assert np.min(kl_per_dimension(model, ids)) > 4.5


def test_well_separated_posteriors_tell_every_sentence():
    mean = 50.0 * np.arange(300)[:, None] * [1.0, -1.0]
    found = mutual_information(*gaussians(mean, np.zeros_like(mean)))
    assert found == pytest.approx(math.log(300), abs=1e-9)


def test_two_well_separated_clusters_carry_one_bit():
    mean = np.where(np.arange(300) % 2, 20.0, -20.0)[:, None]
    found = mutual_information(*gaussians(mean, np.zeros_like(mean)))
    assert found == pytest.approx(math.log(2), abs=1e-9)


def test_mutual_information_against_an_integral():
    """Five posteriors of one dimension that overlap, 1,000 sentences of each."""
    means, log_vars = np.linspace(-1.0, 1.5, 5), np.linspace(-2.0, 0.0, 5)
    z = np.linspace(-9.0, 9.0, 4001)
    q = np.exp(-((z - means[:, None]) ** 2) / 2 / np.exp(log_vars)[:, None])
    q /= np.sqrt(2 * math.pi * np.exp(log_vars))[:, None]
    log_ratio = np.log(q) - np.log(np.mean(q, axis=0))
    exact = np.mean(np.trapezoid(q * log_ratio, z))
    deviation = math.sqrt(np.mean(np.trapezoid(q * (log_ratio - exact) ** 2, z)))
    model, ids = gaussians(
        np.tile(means, 1000)[:, None], np.tile(log_vars, 1000)[:, None]
    )
    error = deviation / math.sqrt(5000)
    assert mutual_information(model, ids) == pytest.approx(exact, abs=4 * error)
    assert error < 0.05 * exact


def test_mutual_information_is_the_kl_less_that_of_the_aggregate():
    """With the noise of the estimate itself, the densities one by one."""
    mean, log_var = (x[:, None] for x in random_gaussians(40, 3))  # [N, 1, D]
    noise = np.random.default_rng(5).standard_normal((40, 3))
    z = mean[:, 0] + np.exp(log_var[:, 0] / 2) * noise

    def log_normal(mean, log_var):
        square = (z - mean) ** 2 / np.exp(log_var)
        return -0.5 * np.sum(np.log(2 * math.pi) + log_var + square, axis=-1)

    prior = log_normal(0.0, np.zeros(3))
    posterior = log_normal(mean[:, 0], log_var[:, 0])
    aggregate = np.log(np.mean(np.exp(log_normal(mean, log_var)), axis=0))
    expected = np.mean(posterior - prior) - np.mean(aggregate - prior)
    model, ids = gaussians(mean[:, 0], log_var[:, 0])
    assert mutual_information(model, ids, seed=5) == pytest.approx(expected, rel=1e-5)
    assert mutual_information(model, ids, seed=6) != expected
    assert expected < math.log(40)


def test_posteriors_of_extreme_variances_stay_finite():
    log_var = np.where(np.arange(300) % 2, 15.0, -15.0)[:, None]
    found = mutual_information(*gaussians(np.zeros_like(log_var), log_var))
    assert found == pytest.approx(math.log(2), abs=0.01)


def test_units_are_active_above_the_threshold():
    # Variances 0.04, 0.0025 and 0.
    mean = np.where(np.arange(100) % 2, 1.0, -1.0)[:, None] * [0.2, 0.05, 0.0] + 7.0
    model, ids = gaussians(mean, np.zeros_like(mean))
    units = active_units(model, ids)
    np.testing.assert_allclose(units.variances, [0.04, 0.0025, 0.0], atol=1e-6)
    assert units.count == 1
    assert active_units(model, ids, threshold=0.001).count == 2


def test_units_of_other_posteriors_can_be_counted():
    assert active_units(*vae(np.eye(4), posteriors.Deterministic(4))).count == 4


def test_what_needs_a_gaussian_says_so():
    model, ids = vae(np.eye(4), posteriors.Deterministic(4))
    with pytest.raises(ValueError, match="is needed. Received: Deterministic$"):
        mutual_information(model, ids)
    with pytest.raises(ValueError, match="is needed. Received: LanguageModel$"):
        mutual_information(zoo.rnnlm(5, 2, 2), ids)


def test_a_posterior_without_a_prior_has_no_kl_in_any_dimension():
    found = kl_per_dimension(*vae(np.eye(4), posteriors.Deterministic(4)))
    np.testing.assert_array_equal(found, np.zeros(4))


def test_kl_of_the_dimensions_of_a_posterior_in_steps():
    """The parts of one step are a diagonal Gaussian; of more, the noise's mean."""
    features = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
    for steps in (1, 2):
        posterior = posteriors.MultiStep(4, steps, units=5, initializer="normal")
        posterior.build((None, 3))
        model = TextVAE(Lookup(features), posterior, BagOfWordsDecoder(203))
        ids = np.array([[BOS, n, EOS] for n in range(200)], "int32")
        found = kl_per_dimension(model, ids, seed=1)
        noise = np.random.default_rng(1).standard_normal((200, 4), "float32")
        kl = model.posterior.draw(features, noise)["kl"]
        np.testing.assert_allclose(found, np.mean(kl, axis=0), rtol=1e-4)
        other = kl_per_dimension(model, ids, seed=2)
        assert np.array_equal(found[: 4 // steps], other[: 4 // steps])
        assert (steps == 1) == np.array_equal(found, other)


def test_what_has_no_kl_per_dimension_says_so():
    for model, name in (
        (zoo.lstm_vae(5, 2, 2, 2, posterior="planar"), "NormalizingFlow"),
        (zoo.rnnlm(5, 2, 2), "LanguageModel"),
    ):
        ids = np.array([[BOS, 4, EOS]], "int32")
        model(ids)
        message = f"per dimension is needed. Received: {name}$"
        with pytest.raises(ValueError, match=message):
            kl_per_dimension(model, ids)


@pytest.mark.parametrize("measure", [active_units, posterior_samples])
def test_a_language_model_has_no_z(measure):
    with pytest.raises(ValueError, match="with z is needed. Received: LanguageModel$"):
        measure(zoo.rnnlm(5, 2, 2), np.array([[BOS, 1, EOS]]))


@pytest.mark.parametrize(
    "measure", [kl_per_dimension, active_units, mutual_information, posterior_samples]
)
def test_no_sentences_are_refused(measure):
    with pytest.raises(ValueError, match="no sentence"):
        measure(collapsed()[0], [])
