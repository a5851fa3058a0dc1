"""Posterior families q(z|x) over the standard normal prior p(z) = N(0, I).

B: batch size. H: feature size. D: latent size. Divergences and densities are in nats
per sentence.

Every family is a layer, features [B, H] -> {"z", "kl", ...}, and answers three
questions: a sample of z, its KL divergence from the prior, and the mode.
"""

import math

import keras
from keras import ops

from keras_textvae.layers import own_initializer

# exp(15) is still harmless in float32; untrained models do ask for more.
MAX_LOG_VAR = 15.0


def sample(mean, log_var, noise):  # [B, D], [B, D], [B, D] -> [B, D]
    """Returns z = mean + exp(log_var / 2) * noise, differentiable in both."""
    return mean + ops.exp(0.5 * log_var) * noise


def log_prob(z, mean, log_var):  # [B, D] x 3 -> [B]
    """Log-density of N(mean, exp(log_var)) at z, summed over the dimensions."""
    deviation = ops.square(z - mean) * ops.exp(-log_var)
    return -0.5 * ops.sum(math.log(2 * math.pi) + log_var + deviation, axis=-1)


def kl_to_standard_normal(mean, log_var):  # [B, D], [B, D] -> [B]
    """KL(N(mean, exp(log_var)) || N(0, I)), in closed form, summed over D."""
    per_dimension = ops.expm1(log_var) - log_var + ops.square(mean)
    return 0.5 * ops.sum(per_dimension, axis=-1)


@keras.saving.register_keras_serializable("keras_textvae")
class DiagonalGaussian(keras.layers.Layer):
    """q(z|x) = N(mean(x), diag(exp(log_var(x)))), its KL in closed form.

    Kingma and Welling 2014; both papers use it. `log_var` is held within
    +-`MAX_LOG_VAR` so that its exponential stays finite.

    Args:
        latent_dim: int. D.
        initializer: initializer of the kernel and bias of the projection to 2D. None
            means `glorot_uniform` and zeros.

    Call arguments:
        features: float [B, H].

    Returns:
        A dict of float32 tensors: `z`, `mean`, `log_var`, each [B, D], and `kl` [B].
    """

    def __init__(self, latent_dim, initializer=None, **kwargs):
        super().__init__(**kwargs)
        if latent_dim < 1:
            raise ValueError(
                f"`latent_dim` must be positive. Received: latent_dim={latent_dim}"
            )
        self.latent_dim = latent_dim
        self.initializer = keras.initializers.get(initializer)
        self.noise = keras.random.SeedGenerator()
        self.projection = keras.layers.Dense(
            2 * latent_dim,
            kernel_initializer=own_initializer(self.initializer, "glorot_uniform"),
            bias_initializer=own_initializer(self.initializer, "zeros"),
            dtype=self.dtype_policy,
            name="projection",
        )

    def build(self, features_shape):
        self.projection.build(features_shape)

    def call(self, features):
        mean, log_var = self.parameters(features)
        noise = keras.random.normal(ops.shape(mean), dtype="float32", seed=self.noise)
        return {
            "z": sample(mean, log_var, noise),
            "kl": kl_to_standard_normal(mean, log_var),
            "mean": mean,
            "log_var": log_var,
        }

    def parameters(self, features):  # [B, H] -> [B, D], [B, D]
        """Returns `mean`, which is also the mode, and `log_var`, float32."""
        projected = ops.cast(self.projection(features), "float32")
        mean, log_var = ops.split(projected, 2, axis=-1)
        return mean, ops.clip(log_var, -MAX_LOG_VAR, MAX_LOG_VAR)

    def get_config(self):
        return super().get_config() | {
            "latent_dim": self.latent_dim,
            "initializer": keras.initializers.serialize(self.initializer),
        }
