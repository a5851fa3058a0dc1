"""Posteriors by name, as architectures and recipes take them."""

import functools

from keras_textvae.layers import Initializer
from keras_textvae.posteriors import (
    BatchNormalizedGaussian,
    Deterministic,
    DiagonalGaussian,
    MultiStep,
    NormalizingFlow,
    Posterior,
)

# name -> the posterior of a latent size and an `initializer`.
POSTERIORS = {
    "gaussian": DiagonalGaussian,
    "softplus": functools.partial(DiagonalGaussian, variance="softplus"),
    "batch_normalized": BatchNormalizedGaussian,
    "deterministic": Deterministic,
    "planar": functools.partial(NormalizingFlow, kind="planar"),
    "autoregressive": functools.partial(NormalizingFlow, kind="autoregressive"),
    "multi_step": MultiStep,
}


def named_posterior(
    name: str,
    latent_dim: int,
    initializer: Initializer | None = None,
    mean_scale: float | None = None,
) -> Posterior:
    """Returns a new posterior of a name.

    Args:
        name: one of
            "gaussian", `posteriors.DiagonalGaussian`;
            "softplus", the same, its variance the softplus of a projection;
            "batch_normalized", `posteriors.BatchNormalizedGaussian`;
            "deterministic", `posteriors.Deterministic`: the sequence autoencoder of
            Bowman et al. 2016, section 2.1;
            "planar" or "autoregressive", `posteriors.NormalizingFlow` of that kind;
            "multi_step", `posteriors.MultiStep`, a dimension at a time.
        latent_dim, initializer: see `posteriors.Posterior`.
        mean_scale: float. gamma of "batch_normalized"; None means its own.

    Raises:
        ValueError: for another name, or a scale that the posterior does not have.
    """
    if name not in POSTERIORS:
        raise ValueError(
            f"`posterior` is one of {', '.join(POSTERIORS)}. "
            f"Received: posterior={name!r}"
        )
    if mean_scale is None:
        return POSTERIORS[name](latent_dim, initializer=initializer)
    if name != "batch_normalized":
        raise ValueError(
            "`mean_scale` needs posterior='batch_normalized'. "
            f"Received: posterior={name!r}, mean_scale={mean_scale}"
        )
    return BatchNormalizedGaussian(
        latent_dim, initializer=initializer, scale=mean_scale
    )
