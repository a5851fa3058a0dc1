"""How much of the latent space a model uses.

B: batch size. T: time, `<bos>` included. N: sentences. D: latent size. Information and
divergences are in nats per sentence.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_textvae.evaluation.batches import Compiled, of_ids
from keras_textvae.posteriors import DiagonalGaussian

if TYPE_CHECKING:
    from keras_textvae.models import TextVAE

ROWS = 256  # of the matrix [N, N] of densities, in memory at a time


class ActiveUnits(NamedTuple):
    """The latent dimensions that a set of sentences moves.

    Attributes:
        count: int. The dimensions whose variance exceeds the threshold.
        variances: float64 [D], over sentences, of the posterior mean.
    """

    count: int
    variances: np.ndarray


def kl_per_dimension(model: "TextVAE", batches: Iterable, seed: int = 0) -> np.ndarray:
    """Returns the KL divergence of each dimension of z, mean over sentences.

    For a `posteriors.DiagonalGaussian` that is KL(q(z_d|x) || p(z_d)); for a
    `MultiStep`, the same given the parts of z drawn before.

    Args:
        model: `models.TextVAE` whose posterior has a KL per dimension: all families but
            `posteriors.NormalizingFlow`.
        batches: as for `evaluate_bound`.
        seed: int. Seeds the noise in z, on which the KL of a `MultiStep` depends.

    Returns:
        float64 [D], nats per sentence; their sum is the KL of `evaluate_bound`, up to
        noise.

    Raises:
        ValueError: for another posterior or a language model; for no sentences.
    """
    kl, rng = Compiled(_kl, model), np.random.default_rng(seed)
    kls = []
    for ids in of_ids(batches, model):
        noise = rng.standard_normal((len(ids), model.latent_dim), "float32")
        kls.append(kl.on(ids, noise))
        if kls[0].ndim != 2 or not model.latent_dim:
            part = getattr(model, "posterior", model)
            raise ValueError(
                "A posterior with a KL per dimension is needed. "
                f"Received: {type(part).__name__}"
            )
    return np.mean(np.concatenate(kls), axis=0, dtype="float64")


def active_units(
    model: "TextVAE", batches: Iterable, threshold: float = 0.01
) -> ActiveUnits:
    """Counts the dimensions of z that depend on the sentence.

    Dimension d is active if Var_x(E_q(z|x)[z_d]) > threshold. Burda et al. 2016.

    Args:
        model: `models.TextVAE`. `Posterior.mode` stands in for E_q(z|x)[z]: it is equal
            for a `DiagonalGaussian`, and close for families whose mean has no closed
            form.
        batches: as for `evaluate_bound`.
        threshold: float.

    Returns:
        An `ActiveUnits`.

    Raises:
        ValueError: for a language model, which has no z; for no sentences.
    """
    _require_z(model)
    mode = Compiled(_mode, model)
    means = np.concatenate([mode.on(ids) for ids in of_ids(batches, model)])
    variances = np.var(means, axis=0, dtype="float64")
    return ActiveUnits(int(np.sum(variances > threshold)), variances)


def posterior_samples(
    model: "TextVAE", batches: Iterable, seed: int = 0, noise: float = 1.0
) -> np.ndarray:
    """Draws one z from the posterior of each sentence.

    Together they are draws from the aggregated posterior q(z), which a density for
    sampling can be fitted to, see `mixtures.GaussianMixture`.

    Args:
        model: `models.TextVAE`, with any posterior.
        batches: as for `evaluate_bound`.
        seed: int. Seeds the noise in z.
        noise: float. What the noise is multiplied by; 0 draws the posteriors' means,
            which `reconstruct` decodes.

    Returns:
        float32 [N, D], in the order of the sentences.

    Raises:
        ValueError: for a language model, which has no z; for no sentences.
    """
    _require_z(model)
    z, rng = Compiled(_z, model), np.random.default_rng(seed)
    drawn = []
    for ids in of_ids(batches, model):
        normal = rng.standard_normal((len(ids), model.latent_dim), "float32")
        drawn.append(z.on(ids, np.float32(noise) * normal))
    return np.concatenate(drawn).astype("float32")


def mutual_information(model: "TextVAE", batches: Iterable, seed: int = 0) -> float:
    """Estimates the information that z carries about which sentence it came from.

    With the aggregated posterior q(z) = 1/N sum_j q(z|x_j) of the N sentences,

        I_q(x, z) = E_x KL(q(z|x) || p(z)) - KL(q(z) || p(z))
                  = E_x E_q(z|x) [log q(z|x) - log q(z)],

    with one z per sentence. Hoffman and Johnson 2016; Dieng et al. 2019; He et al.
    2019. The same z in both terms cancels p(z) and much of the noise. The estimate is
    never above log N: to see more information takes more sentences. It is 0 if z
    ignores x, and noise can make it slightly negative.

    Args:
        model: `models.TextVAE` with a `posteriors.DiagonalGaussian`.
        batches: as for `evaluate_bound`. The time grows as N^2 (10,000 sentences:
            some seconds), the memory as N.
        seed: int. Seeds the noise in z.

    Returns:
        float, nats per sentence.

    Raises:
        ValueError: for another posterior; for no sentences.
    """
    mean, log_var = _gaussians(model, batches)
    noise = np.random.default_rng(seed).standard_normal(mean.shape)
    z = mean + np.exp(0.5 * log_var) * noise
    gained = [
        _log_density_over_mean(z[start : start + ROWS], start, mean, log_var)
        for start in range(0, len(z), ROWS)
    ]
    return float(np.mean(np.concatenate(gained)))


def _log_density_over_mean(z, start, mean, log_var):  # [R, D], [N, D] x 2 -> [R]
    """log q(z_i|x_i) - log 1/N sum_j q(z_i|x_j), where z_0 belongs to x_start."""
    log_q = log_densities_of(z, mean, log_var)  # [R, N]
    own = log_q[np.arange(len(z)), start + np.arange(len(z))]
    highest = np.max(log_q, axis=1)
    log_mean = highest + np.log(np.mean(np.exp(log_q - highest[:, None]), axis=1))
    return own - log_mean


def _require_z(model):
    if not model.latent_dim:
        raise ValueError(f"A model with z is needed. Received: {type(model).__name__}")


def log_densities_of(z, mean, log_var):  # [R, D], [N, D] x 2 -> [R, N]
    """Returns log q(z_i|x_j) of diagonal Gaussians, less the constant of them all."""
    precision = np.exp(-log_var)
    of_x = np.sum(log_var + precision * mean**2, axis=1)  # [N]
    return z @ (precision * mean).T - 0.5 * (z**2 @ precision.T + of_x)


def _gaussians(model, batches):  # -> float64 [N, D], [N, D]
    """The means and log-variances of q(z|x) of all sentences."""
    posterior = getattr(model, "posterior", model)
    if not isinstance(posterior, DiagonalGaussian):
        raise ValueError(
            "A `DiagonalGaussian` posterior is needed. "
            f"Received: {type(posterior).__name__}"
        )
    parameters = Compiled(_parameters, model)
    gaussians = [parameters.on(ids) for ids in of_ids(batches, model)]
    mean, log_var = (np.concatenate(part) for part in zip(*gaussians, strict=True))
    return mean.astype("float64"), log_var.astype("float64")


def _kl(model, ids, noise):  # [B, T], [B, D] -> [B, D], or [B] of some families
    return model.infer(ids, noise)["kl"]


def _z(model, ids, noise):  # [B, T], [B, D] -> [B, D]
    return model.infer(ids, noise)["z"]


def _mode(model, ids):  # [B, T] -> [B, D]
    return model.mode(ids)


def _parameters(model, ids):  # [B, T] -> [B, D], [B, D]
    return model.posterior.parameters(model.encoder(ids, training=False))
