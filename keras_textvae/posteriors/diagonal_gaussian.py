"""The diagonal Gaussian of both papers.

B: batch size. H: feature size. D: latent size.
"""

import keras
from keras import ops

from keras_textvae.layers import Initializer
from keras_textvae.posteriors.densities import (
    MAX_LOG_VAR,
    kl_to_standard_normal,
    log_ratio,
    sample,
)
from keras_textvae.posteriors.posterior import Posterior


@keras.saving.register_keras_serializable("keras_textvae")
class DiagonalGaussian(Posterior):
    """q(z|x) = N(mean(x), diag(exp(log_var(x)))), its KL in closed form.

    Kingma and Welling 2014; both papers use it. `log_var` is held within
    +-`MAX_LOG_VAR` so that its exponential stays finite. The mode is the mean.

    Args:
        latent_dim, initializer: see `Posterior`.
        variance: what the second half of the projection is: "log", the logarithm of
            the variance, or "softplus", softplus^-1 of it (Bowman et al. 2016,
            section 3).

    Call arguments:
        features: float [B, H].

    Returns:
        A dict of float32 tensors: those of `Posterior.draw`, and `mean` and `log_var`,
        [B, D] each.
    """

    def __init__(
        self,
        latent_dim: int,
        initializer: Initializer | None = None,
        variance: str = "log",
        **kwargs,
    ):
        super().__init__(latent_dim, initializer, **kwargs)
        if variance not in ("log", "softplus"):
            raise ValueError(
                f'`variance` is "log" or "softplus". Received: variance={variance!r}'
            )
        self.variance = variance
        self.projection = self.dense(2 * latent_dim, name="projection")

    def build(self, features_shape):
        self.projection.build(features_shape)

    def draw(self, features, noise) -> dict:
        mean, log_var = self.parameters(features)
        z = sample(mean, log_var, noise)
        return {
            "z": z,
            "kl": kl_to_standard_normal(mean, log_var),
            "log_ratio": log_ratio(z, noise, 0.5 * ops.sum(log_var, axis=-1)),
            "mean": mean,
            "log_var": log_var,
        }

    def mode(self, features):
        return self.parameters(features)[0]

    def parameters(self, features):  # [B, H] -> [B, D], [B, D]
        """Returns `mean` and `log_var`, float32."""
        projected = ops.cast(self.projection(features), "float32")
        mean, log_var = ops.split(projected, 2, axis=-1)
        if self.variance == "softplus":
            # Below the bound the variance, and its gradient, would round to zero.
            log_var = ops.log(ops.softplus(ops.maximum(log_var, -MAX_LOG_VAR)))
        return mean, ops.clip(log_var, -MAX_LOG_VAR, MAX_LOG_VAR)

    def get_config(self) -> dict:
        return super().get_config() | {"variance": self.variance}
