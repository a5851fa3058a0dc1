"""A diagonal Gaussian whose mean cannot collapse.

B: batch size. H: feature size. D: latent size.
"""

import math

import keras

from keras_textvae.layers import Initializer, batch_normalization
from keras_textvae.posteriors.diagonal_gaussian import DiagonalGaussian

# Added to the variances. With Keras's own 1e-3, or 1e-6, training makes the projection
# so small that nothing else is left of the variance, and the mean collapses after all.
EPSILON = 1e-10


@keras.saving.register_keras_serializable("keras_textvae")
class BatchNormalizedGaussian(DiagonalGaussian):
    """q(z|x) = N(mean(x), diag(exp(log_var(x)))), its mean batch-normalised.

    Zhu et al. 2020: with a fixed scale gamma and a learned shift,

        mean_d = gamma (m_d - E[m_d]) / sqrt(Var[m_d]) + shift_d,

    where m is the projection, and E and Var are taken over the batch in training and
    are moving averages otherwise. Hence E[mean_d^2] = gamma^2 + shift_d^2, and as
    exp(v) >= 1 + v the mean KL of a training batch is at least

        D gamma^2 / 2

    nats a sentence, whatever the encoder and the decoder do. A batch needs two
    sentences, and features that differ.

    Args:
        latent_dim, initializer, variance: see `DiagonalGaussian`.
        scale: float, positive. gamma.

    Call arguments:
        features: float [B, H].

    Returns:
        What `DiagonalGaussian` returns.

    Raises:
        ValueError: as `DiagonalGaussian`, and for another scale.
    """

    def __init__(
        self,
        latent_dim: int,
        initializer: Initializer | None = None,
        variance: str = "log",
        scale: float = 0.6,
        **kwargs,
    ):
        super().__init__(latent_dim, initializer, variance, **kwargs)
        if not 0.0 < scale < math.inf:
            raise ValueError(f"`scale` must be positive. Received: scale={scale}")
        self.scale = scale
        self.normalization = batch_normalization(
            "float32", momentum=0.9, epsilon=EPSILON, center=False, scale=False
        )

    @property
    def least_kl(self) -> float:
        """D gamma^2 / 2, nats per sentence."""
        return self.latent_dim * self.scale**2 / 2

    def build(self, features_shape):
        super().build(features_shape)
        self.normalization.build((None, self.latent_dim))
        self.shift = self.add_weight(
            shape=(self.latent_dim,),
            initializer="zeros",
            dtype="float32",
            autocast=False,
            name="shift",
        )

    def parameters(self, features):  # [B, H] -> [B, D], [B, D]
        """Returns `mean` and `log_var`, float32."""
        mean, log_var = super().parameters(features)
        return self.scale * self.normalization(mean) + self.shift, log_var

    def get_config(self) -> dict:
        return super().get_config() | {"scale": self.scale}
