"""Gaussian mixtures against scikit-learn, NumPy and exact cases.

N: points. D: latent size. K: components.
"""

import sys

import numpy as np
import pytest
from sklearn import mixture

from keras_textvae.mixtures import FLOOR, GaussianMixture, check_fit


def points(count=600):  # [N, 3]
    """Two clusters, the first a third of all, neither round."""
    rng = np.random.default_rng(0)
    scale = rng.normal(size=(3, 3))
    first = rng.normal(size=(count // 3, 3)) @ scale + [9.0, 0.0, -4.0]
    return np.concatenate([first, rng.normal(size=(count - len(first), 3))])


@pytest.mark.parametrize("components", [1, 2])
def test_a_fit_is_that_of_scikit_learn(components):
    z = points()
    fitted = GaussianMixture.fit(z, components, seed=1)
    expected = mixture.GaussianMixture(components, random_state=1).fit(z)
    np.testing.assert_allclose(fitted.log_prob(z), expected.score_samples(z), 1e-4)
    assert (fitted.components, fitted.latent_dim) == (components, 3)


def test_one_component_is_the_mean_and_the_covariance():
    z = points()
    fitted = GaussianMixture.fit(z)
    np.testing.assert_allclose(fitted.means[0], np.mean(z, axis=0), rtol=1e-5)
    covariance = fitted.factors[0] @ fitted.factors[0].T
    np.testing.assert_allclose(covariance, np.cov(z.T, bias=True), rtol=1e-4, atol=1e-4)


def test_a_draw_is_that_of_the_component_where_the_uniform_falls():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(3, 2)).astype("float32")
    factors = np.tril(rng.normal(size=(3, 2, 2))).astype("float32")
    density = GaussianMixture(np.float32([0.25, 0.5, 0.25]), means, factors)
    uniform = np.float32([0.0, 0.2, 0.25, 0.7, 0.75, 0.99])
    noise = rng.normal(size=(6, 2)).astype("float32")
    chosen = [0, 0, 1, 1, 2, 2]
    expected = [means[k] + factors[k] @ noise[b] for b, k in enumerate(chosen)]
    found = np.asarray(density.sample(noise, uniform))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_draws_have_the_moments_of_the_points():
    z, rng = points(), np.random.default_rng(1)
    fitted = GaussianMixture.fit(z, 2)
    noise = rng.standard_normal((20_000, 3)).astype("float32")
    drawn = np.asarray(fitted.sample(noise, rng.random(20_000).astype("float32")))
    np.testing.assert_allclose(np.mean(drawn, axis=0), np.mean(z, axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(z.T), rtol=0.1, atol=0.1)


def test_scaled_it_varies_as_much_less_about_the_same_means():
    whole, rng = GaussianMixture.fit(points(), 2), np.random.default_rng(1)
    half = whole.scaled(0.5)
    noise = rng.standard_normal((50, 3), "float32")
    uniform = rng.random(50, "float32")
    at_means = whole.sample(np.zeros_like(noise), uniform)
    np.testing.assert_allclose(
        half.sample(noise, uniform) - at_means,
        0.5 * (whole.sample(noise, uniform) - at_means),
        atol=1e-5,
    )
    with pytest.raises(ValueError, match="Received: scale=0"):
        whole.scaled(0)


def test_a_constant_dimension_has_a_density():
    fitted = GaussianMixture.fit(np.zeros((5, 2)))
    np.testing.assert_allclose(fitted.factors[0], np.sqrt(FLOOR) * np.eye(2))
    assert fitted.log_prob(np.zeros((1, 2))) == pytest.approx(-np.log(2e-6 * np.pi))


@pytest.mark.parametrize(
    ("z", "components", "message"),
    [
        (np.zeros((3, 3)), 1, "Received: 3 points, 3 dimensions, components=1$"),
        (np.zeros((4, 2)), 5, "Received: 4 points, 2 dimensions, components=5$"),
        (np.zeros(4), 1, r"finite numbers \[N, D\]. Received: shape \(4,\)"),
        (np.float32([[0], [np.nan], [np.inf]]), 1, "Received: 2 of 3 that are not"),
        (np.zeros((4, 2)), 0, "`components` is an int, positive. Received: compon"),
        (np.zeros((4, 2)), 1.5, "`components` is an int, positive. Received: compo"),
    ],
)
def test_what_cannot_be_fitted_is_told_in_one_line(z, components, message):
    with pytest.raises(ValueError, match=message) as error:
        GaussianMixture.fit(z, components)
    assert "\n" not in str(error.value)


def test_more_components_than_one_need_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    check_fit(9, 2, 1)
    with pytest.raises(ValueError, match=r"pip install keras_textvae\[density\]"):
        check_fit(9, 2, 2)


@pytest.mark.parametrize(
    "shapes", [((2,), (3, 4), (3, 4, 4)), ((3,), (3, 4), (3, 4)), ((0,), (0, 4), (0,))]
)
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match=r"factors \[K, D, D\]. Received: shapes \("):
        GaussianMixture(*map(np.zeros, shapes))
