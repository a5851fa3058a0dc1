"""The posterior of an autoencoder without a prior.

B: batch size. H: feature size. D: latent size.
"""

import keras
from keras import ops

from keras_textvae.layers import Initializer
from keras_textvae.posteriors.posterior import Posterior


@keras.saving.register_keras_serializable("keras_textvae")
class Deterministic(Posterior):
    """z = W features + b, no noise and no prior: `kl` is zero.

    A `TextVAE` with it is the sequence autoencoder of Bowman et al. 2016, section 2.1.
    There is no density, hence no `log_ratio`, and "the bound" bounds nothing.

    Args:
        latent_dim, initializer: see `Posterior`.

    Call arguments:
        features: float [B, H].

    Returns:
        A dict of float32 tensors: `z`, `mean`, which is z, and `kl`, [B, D] each.
    """

    def __init__(
        self, latent_dim: int, initializer: Initializer | None = None, **kwargs
    ):
        super().__init__(latent_dim, initializer, **kwargs)
        self.projection = self.dense(latent_dim, name="projection")

    @property
    def most_kl(self) -> float:
        """0: there is no KL."""
        return 0.0

    def build(self, features_shape):
        self.projection.build(features_shape)

    def draw(self, features, noise) -> dict:
        z = self.mode(features)
        return {"z": z, "mean": z, "kl": ops.zeros_like(z)}

    def mode(self, features):
        return ops.cast(self.projection(features), "float32")
