"""Holes, in made-up posteriors whose aggregate is known."""

import math

import numpy as np
import pytest

from keras_textvae.evaluation.space_report.holes import kl_of_moments, share_outside

N, D = 2000, 4


def posteriors(spread=0.5, size=D):
    """Posteriors of variance 1 - spread whose aggregate is N(0, I)."""
    mean = np.random.default_rng(1).normal(0.0, math.sqrt(spread), (N, size))
    return mean, np.full((N, size), math.log(1.0 - spread))


def test_there_are_none_where_the_aggregate_is_the_prior():
    mean, log_var = posteriors()
    assert kl_of_moments(mean, np.exp(log_var)) == pytest.approx(0.0, abs=0.01)
    assert share_outside(mean, log_var) == pytest.approx(0.01, abs=0.01)


def test_moments_that_are_known_give_the_divergence_of_gaussians():
    mean = np.array([[3.0, 1.0], [3.0, -1.0]])  # variances 0 and 1
    variance = np.array([[0.5, 1.0], [0.5, 2.0]])
    # N(3, 0.5) x N(0, 1 + 1.5)
    expected = 0.5 * (0.5 + 9 - 1 - math.log(0.5) + 2.5 - 1 - math.log(2.5))
    assert kl_of_moments(mean, variance) == pytest.approx(expected, abs=1e-12)


def test_correlated_dimensions_are_no_independent_ones():
    mean, log_var = posteriors(size=1)
    twice = np.repeat(mean, 2, axis=1), np.repeat(np.exp(log_var), 2, axis=1)
    spread = np.var(mean)
    covariance = np.array([[spread + 0.5, spread], [spread, spread + 0.5]])
    expected = 0.5 * (np.trace(covariance) - 2 - np.log(np.linalg.det(covariance)))
    expected += np.mean(mean) ** 2
    assert kl_of_moments(*twice) == pytest.approx(expected, abs=1e-9)


def test_posteriors_far_from_the_prior_leave_it_outside():
    mean, log_var = posteriors()
    shifted = mean + 4.0
    assert kl_of_moments(shifted, np.exp(log_var)) == pytest.approx(D * 8.0, rel=0.02)
    assert share_outside(shifted, log_var) > 0.9


def test_a_shell_with_the_moments_of_the_prior_has_a_hole_inside():
    """Which moments can't tell, and densities can."""
    mean, log_var = posteriors(0.9)
    mean *= math.sqrt(0.99 * D) / np.linalg.norm(mean, axis=1, keepdims=True)
    log_var = np.full_like(log_var, math.log(0.01))
    assert kl_of_moments(mean, np.exp(log_var)) < 0.02
    assert share_outside(mean, log_var) > 0.5


def test_the_bound_by_moments_is_below_the_divergence_itself():
    """Of two far clusters on a line, by an integral."""
    mean, variance = np.array([[-3.0], [3.0]]), np.full((2, 1), 0.25)
    z = np.linspace(-12.0, 12.0, 20_001)
    q = np.mean(np.exp(-((z - mean) ** 2) / 0.5) / math.sqrt(0.5 * math.pi), axis=0)
    log_p = -0.5 * z**2 - 0.5 * math.log(2 * math.pi)
    exact = np.trapezoid(q * (np.log(q + 1e-300) - log_p), z)
    bound = kl_of_moments(mean, variance)
    assert 0.5 * exact < bound < exact


def test_more_sentences_do_not_move_the_share_without_holes():
    mean, log_var = posteriors(0.98)
    found = [share_outside(mean[:n], log_var[:n]) for n in (400, N)]
    assert max(found) < 0.04
