"""How far the aggregated posterior q(z) = 1/N sum_j q(z|x_j) is from the prior.

N: sentences. D: latent size. Divergences are in nats.
"""

import numpy as np

from keras_textvae.evaluation.latent import log_densities_of

ROWS = 512  # of a matrix of densities, in memory at a time
PERCENTILE = 1.0


def kl_of_moments(mean: np.ndarray, variance: np.ndarray) -> float:
    """Returns a lower bound on KL(q(z) || p(z)) by the moments of q(z).

    It is KL(g || p) of the Gaussian g that has the mean and the covariance of q(z).
    KL(q || p) is the cross-entropy of q and p less the entropy of q. The first depends
    on two moments of q alone, since log p(z) is a square of z: it is that of g. And g
    has the most entropy of all densities with these moments. So it is 0 for a ring that
    has the prior's moments, and says nothing of holes inside.

    With few sentences it is too high, by about D^2 / 4N.

    Args:
        mean: float [N, D], of q(z|x); or draws of z.
        variance: float [N, D], of q(z|x); zeros for draws.
    """
    center = np.mean(mean, axis=0, dtype="float64")
    covariance = np.cov(mean, rowvar=False, bias=True, dtype="float64")
    covariance = np.atleast_2d(covariance) + np.diag(np.mean(variance, axis=0))
    _, log_determinant = np.linalg.slogdet(covariance)
    square = np.trace(covariance) + center @ center
    return float(0.5 * (square - len(center) - log_determinant))


def share_outside(mean, log_var, seed: int = 0) -> float:
    """Returns the share of the prior's draws where posteriors hardly reach.

    The posteriors of one half of the sentences are a density. Draws from the posteriors
    of the *other* half show which densities are usual; their first percentile is the
    limit. So the share is about 0.01 where q(z) is p(z), whatever the number of
    sentences, and 1 where no draw of the prior looks like a sentence.

    Args:
        mean, log_var: float [N, D], of q(z|x), N at least 2.
        seed: int. Of the halves and the draws.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(mean))
    one, other = np.array_split(order, 2)
    noise = rng.standard_normal(mean[other].shape)
    usual = mean[other] + np.exp(0.5 * log_var[other]) * noise
    prior = rng.standard_normal((len(one), mean.shape[1]))
    density = mean[one], log_var[one]
    limit = np.percentile(_log_density(usual, *density), PERCENTILE)
    return float(np.mean(_log_density(prior, *density) < limit))


def _log_density(z, mean, log_var):  # [K, D], [N, D] x 2 -> [K]
    """log 1/N sum_j q(z|x_j), up to a constant."""
    rows = range(0, len(z), ROWS)
    return np.concatenate(
        [
            np.logaddexp.reduce(
                log_densities_of(z[r : r + ROWS], mean, log_var), axis=1
            )
            for r in rows
        ]
    )
