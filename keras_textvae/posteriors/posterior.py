"""What every posterior family promises.

B: batch size. H: feature size. D: latent size. Divergences and densities are in nats
per sentence.
"""

import math

import keras
from keras import ops

from keras_textvae.layers import Initializer, dense, standard_normal


class Posterior(keras.layers.Layer):
    """q(z|x), from the features of x; a subclass adds `draw` and `mode`.

    Args:
        latent_dim: int. D.
        initializer: initializer of every kernel and bias. None means the layers' own.

    Call arguments:
        features: float [B, H].

    Returns:
        What `draw` returns, with noise of the layer's own.
    """

    def __init__(
        self, latent_dim: int, initializer: Initializer | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        if latent_dim < 1:
            raise ValueError(
                f"`latent_dim` must be positive. Received: latent_dim={latent_dim}"
            )
        self.latent_dim = latent_dim
        self.initializer = keras.initializers.get(initializer)
        self.noise = keras.random.SeedGenerator()

    def call(self, features):
        shape = (ops.shape(features)[0], self.latent_dim)
        return self.draw(features, standard_normal(shape, self.noise))

    @property
    def least_kl(self) -> float:
        """The least mean KL of a training batch, nats per sentence."""
        return 0.0

    @property
    def most_kl(self) -> float:
        """The most that it may be."""
        return math.inf

    def draw(self, features, noise) -> dict:
        """Samples z as a function of noise.

        Args:
            features: float [B, H].
            noise: float32 [B, D], standard normal.

        Returns:
            A dict of float32 tensors: `z` [B, D]; `kl`, KL(q(z|x) || p(z)): per
            dimension [B, D] where each has a closed form, or [B], exact or estimated
            from this one z, as the family says (`posteriors.total_kl` is [B] of both);
            and, where q has a density, `log_ratio` [B] = log q(z|x) - log p(z).
        """
        raise NotImplementedError

    def mode(self, features):  # [B, H] -> float32 [B, D]
        """Returns the z that stands for q(z|x) where one is needed."""
        raise NotImplementedError

    def dense(self, units: int, **kwargs) -> keras.layers.Dense:
        """Returns a `Dense` with the posterior's initializer and precision."""
        return dense(units, self.initializer, self.dtype_policy, **kwargs)

    def get_config(self) -> dict:
        return super().get_config() | {
            "latent_dim": self.latent_dim,
            "initializer": keras.initializers.serialize(self.initializer),
        }
