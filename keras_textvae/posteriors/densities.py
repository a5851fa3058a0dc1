"""Gaussian densities and divergences, in nats per sentence or dimension.

B: batch size. D: latent size.
"""

import math

from keras import ops

# exp(15) is still harmless in float32; untrained models do ask for more.
MAX_LOG_VAR = 15.0


def sample(mean, log_var, noise):  # [B, D], [B, D], [B, D] -> [B, D]
    """Returns z = mean + exp(log_var / 2) * noise, differentiable in both."""
    return mean + ops.exp(0.5 * log_var) * noise


def log_prob(z, mean, log_var):  # [B, D] x 3 -> [B]
    """Log-density of N(mean, exp(log_var)) at z, summed over the dimensions."""
    deviation = ops.square(z - mean) * ops.exp(-log_var)
    return -0.5 * ops.sum(math.log(2 * math.pi) + log_var + deviation, axis=-1)


def kl_to_standard_normal(mean, log_var):  # [B, D], [B, D] -> [B, D]
    """KL(N(mean, exp(log_var)) || N(0, 1)) of each dimension, in closed form."""
    return 0.5 * (ops.expm1(log_var) - log_var + ops.square(mean))


def total_kl(kl):  # [B, D] or [B] -> [B]
    """The KL of sentences: a posterior's `kl` summed over D, or as it is."""
    return ops.sum(kl, axis=-1) if len(kl.shape) == 2 else kl


def log_ratio(z, noise, log_det):  # [B, D], [B, D], [B] -> [B]
    """log q(z) - log N(z; 0, I) where z = T(noise), noise ~ N(0, I).

    By the change of variables log q(z) = log N(noise; 0, I) - log |det dT/dnoise|; the
    last term is `log_det`. Its expectation is the KL divergence.
    """
    return 0.5 * ops.sum(ops.square(z) - ops.square(noise), axis=-1) - log_det
