"""A posterior that draws z part by part.

B: batch size. H: feature size. D: latent size. S: steps. P: size of a part, D / S. U:
hidden size.
"""

import keras
from keras import ops

from keras_textvae.layers import LSTM, Initializer
from keras_textvae.posteriors.densities import (
    MAX_LOG_VAR,
    kl_to_standard_normal,
    log_ratio,
    sample,
)
from keras_textvae.posteriors.posterior import Posterior


@keras.saving.register_keras_serializable("keras_textvae")
class MultiStep(Posterior):
    """q(z|x) = product over s of N(z_s; mean_s, diag(exp(log_var_s))), z = z_1 ... z_S.

    An LSTM reads the features and z_{s-1}, zeros at first, at step s, and its output is
    projected to `mean_s` and `log_var_s`, which so depend on x and on all parts before.
    It is the multistep recognition model that Bowman et al. 2016, section 3, mention,
    after DRAW (Gregor et al. 2015). It differs from DRAW: the steps are the recognition
    model's alone. The decoder has no canvas, reads all of z at once, and the LSTM never
    sees what it makes of the parts so far; nor does it look at x again, only at its
    features.

    `kl` is each dimension's KL divergence in closed form, given the parts drawn before
    its own. Their sum is an estimate of KL(q(z|x) || p(z)) from this one z, exact where
    S is 1. `log_var_s` is held within +-`MAX_LOG_VAR`.

    Args:
        latent_dim, initializer: see `Posterior`.
        steps: int, a divisor of D. S. None means D, a dimension at a time.
        units: int. U.

    Call arguments:
        features: float [B, H].

    Returns:
        A dict of float32 tensors: those of `Posterior.draw`, and `mean` [B, D], each
        part the mean given the means before it. That is what `mode` returns; it is
        neither the mean of q(z|x) nor exactly its mode.
    """

    def __init__(
        self,
        latent_dim: int,
        steps: int | None = None,
        units: int = 64,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(latent_dim, initializer, **kwargs)
        steps = latent_dim if steps is None else steps
        if steps < 1 or latent_dim % steps:
            raise ValueError(
                "`latent_dim` must be divisible by `steps`. Received: "
                f"latent_dim={latent_dim}, steps={steps}"
            )
        self.steps = steps
        self.units = units
        self.lstm = LSTM(units, initializer=self.initializer, dtype=self.dtype_policy)
        self.context = self.dense(4 * units, use_bias=False, name="context")
        self.projection = self.dense(2 * latent_dim // steps, name="projection")

    def build(self, features_shape):
        self.lstm.build((None, None, self.latent_dim // self.steps))
        self.context.build(features_shape)
        self.projection.build((None, self.units))

    def draw(self, features, noise) -> dict:
        z, mean, log_var = self._draw_parts(features, noise)
        return {
            "z": z,
            "kl": kl_to_standard_normal(mean, log_var),
            "log_ratio": log_ratio(z, noise, 0.5 * ops.sum(log_var, axis=-1)),
            "mean": self.mode(features),
        }

    def mode(self, features):
        rows = ops.shape(features)[0]
        return self._draw_parts(features, ops.zeros((rows, self.latent_dim)))[0]

    def _draw_parts(self, features, noise):
        """Returns z, and the mean and log_var that it was drawn from, [B, D] each."""
        context = ops.cast(self.context(features), "float32")  # [B, 4U]
        state = self.lstm.zero_state(ops.shape(features)[0])
        noises = ops.split(noise, self.steps, axis=-1)  # S x [B, P]
        part, parts = ops.zeros_like(noises[0]), []
        for part_noise in noises:
            state = self.lstm.step(self.lstm.project(part) + context, state)
            mean, log_var = self._parameters(state[0])
            part = sample(mean, log_var, part_noise)
            parts.append((part, mean, log_var))
        return [ops.concatenate(x, axis=-1) for x in zip(*parts, strict=True)]

    def _parameters(self, outputs):  # [B, U] -> [B, P], [B, P]
        projected = ops.cast(self.projection(outputs), "float32")
        mean, log_var = ops.split(projected, 2, axis=-1)
        return mean, ops.clip(log_var, -MAX_LOG_VAR, MAX_LOG_VAR)

    def get_config(self) -> dict:
        return super().get_config() | {"steps": self.steps, "units": self.units}
