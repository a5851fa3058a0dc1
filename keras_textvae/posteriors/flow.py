"""Posteriors that bend a Gaussian by a normalising flow.

B: batch size. H: feature size. D: latent size.
"""

import keras
from keras import ops

from keras_textvae.layers import AutoregressiveFlow, Initializer, PlanarFlow
from keras_textvae.posteriors.densities import log_ratio, sample
from keras_textvae.posteriors.diagonal_gaussian import DiagonalGaussian
from keras_textvae.posteriors.posterior import Posterior

KINDS = ("planar", "autoregressive")


@keras.saving.register_keras_serializable("keras_textvae")
class NormalizingFlow(Posterior):
    """z = f_K(... f_1(z_0)), z_0 from a diagonal Gaussian; each f_k sees the features.

    log q(z|x) = log q(z_0|x) - sum over k of log |det df_k| (Rezende and Mohamed 2015).
    `kl` [B] has no closed form: it is `log_ratio`, an estimate from the one sample z,
    and can be negative.

    Args:
        latent_dim, initializer: see `Posterior`. The gates of "autoregressive" start
            open whatever the initializer, see `layers.AutoregressiveFlow`.
        steps: int. K.
        kind: "planar", `layers.PlanarFlow`; or "autoregressive",
            `layers.AutoregressiveFlow` with 4 D units, the order of the dimensions
            reversed between the steps.

    Call arguments:
        features: float [B, H].

    Returns:
        A dict of float32 tensors: those of `Posterior.draw`, and `mean` [B, D], the
        flow of z_0's mean. That is what `mode` returns; it is neither the mean of
        q(z|x) nor exactly its mode.
    """

    def __init__(
        self,
        latent_dim: int,
        steps: int = 4,
        kind: str = "planar",
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(latent_dim, initializer, **kwargs)
        if steps < 1:
            raise ValueError(f"`steps` must be positive. Received: steps={steps}")
        if kind not in KINDS:
            raise ValueError(
                f"`kind` is one of {', '.join(KINDS)}. Received: kind={kind!r}"
            )
        self.steps = steps
        self.kind = kind
        self.start = DiagonalGaussian(
            latent_dim, self.initializer, dtype=self.dtype_policy
        )
        self.flow = [self._step() for _ in range(steps)]

    def _step(self):
        if self.kind == "planar":
            return PlanarFlow(self.initializer, dtype=self.dtype_policy)
        return AutoregressiveFlow(
            4 * self.latent_dim, self.initializer, dtype=self.dtype_policy
        )

    def build(self, features_shape):
        self.start.build(features_shape)
        for step in self.flow:
            step.build((None, self.latent_dim), features_shape)

    def draw(self, features, noise) -> dict:
        mean, log_var = self.start.parameters(features)
        z, log_det = self._bend(sample(mean, log_var, noise), features)
        ratio = log_ratio(z, noise, log_det + 0.5 * ops.sum(log_var, axis=-1))
        mode, _ = self._bend(mean, features)
        return {"z": z, "kl": ratio, "log_ratio": ratio, "mean": mode}

    def mode(self, features):
        return self._bend(self.start.mode(features), features)[0]

    def _bend(self, z, features):  # [B, D], [B, H] -> [B, D], [B]
        total = 0.0
        for k, step in enumerate(self.flow):
            if k and self.kind == "autoregressive":
                z = ops.flip(z, axis=-1)
            z, log_det = step(z, features)
            total = total + log_det
        return z, total

    def get_config(self) -> dict:
        return super().get_config() | {"steps": self.steps, "kind": self.kind}
