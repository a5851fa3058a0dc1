"""Steps of normalising flows: invertible maps of z, chosen by the features.

B: batch size. D: latent size. H: feature size. U: hidden size.

Each layer is `call(z [B, D], features [B, H]) -> z' [B, D], log |det dz'/dz| [B]`, in
nats. Everything but the projection of the features is in the precision of z, which is
float32 from a posterior, under every policy.
"""

import math

import keras
from keras import ops

from keras_textvae.layers.initializers import Initializer, dense, own_initializer


class _Step(keras.layers.Layer):
    """A step of a flow and its projection of the features."""

    def __init__(self, initializer: Initializer | None = None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.initializer = keras.initializers.get(initializer)

    def _dense(self, units):
        return dense(units, self.initializer, self.dtype_policy)

    def get_config(self) -> dict:
        return super().get_config() | {
            "initializer": keras.initializers.serialize(self.initializer)
        }


# m(x) = softplus(x + _SHIFT) - 1 is zero at x = 0.
_SHIFT = math.log(math.e - 1.0)
# A step compresses at most by exp(7), so that u_hat . w > -1 survives rounding.
_MIN_LOG_SLOPE = -7.0
_TINY = 1e-12  # in place of |w|^2 where w is zero


@keras.saving.register_keras_serializable("keras_textvae")
class PlanarFlow(_Step):
    """z' = z + u_hat tanh(w . z + b), where u, w and b are projected from the features.

    Rezende and Mohamed 2015, equation 10; log det = log(1 + (1 - tanh^2) u_hat . w). It
    is invertible where u_hat . w > -1, hence (appendix A.1)

        u_hat = u + (m(w . u) - w . u) w / |w|^2,  m(x) = softplus(x + c) - 1.

    The paper has c = 0. Here c = log(e - 1), so that m(0) = 0: u = 0 is then the
    identity, and u_hat stays finite as w vanishes. u_hat . w is at least exp(-7) - 1.

    Args:
        initializer: initializer of kernel and bias of the projection. None means
            `glorot_uniform` and zeros.

    Call arguments:
        z: float [B, D].
        features: float [B, H].

    Returns:
        z' [B, D] and log |det dz'/dz| [B].
    """

    def build(self, z_shape, features_shape):
        self.projection = self._dense(2 * z_shape[-1] + 1)
        self.projection.build(features_shape)

    def call(self, z, features):
        size = z.shape[-1]
        projected = ops.cast(self.projection(features), z.dtype)
        u, w, b = ops.split(projected, [size, 2 * size], axis=-1)
        wu = ops.sum(w * u, axis=-1, keepdims=True)  # [B, 1]
        slope = ops.softplus(ops.maximum(wu + _SHIFT, _MIN_LOG_SLOPE))  # 1 + m
        norm = ops.maximum(ops.sum(ops.square(w), axis=-1, keepdims=True), _TINY)
        u_hat = u + (slope - 1.0 - wu) * w / norm
        t = ops.tanh(ops.sum(w * z, axis=-1, keepdims=True) + b)
        # 1 + (1 - t^2) u_hat . w, in a form that cannot round to zero.
        det = ops.square(t) + (1.0 - ops.square(t)) * slope
        return z + u_hat * t, ops.log(det)[:, 0]


@keras.saving.register_keras_serializable("keras_textvae")
class AutoregressiveFlow(_Step):
    """z' = sigmoid(s) z + (1 - sigmoid(s)) m, where m_d and s_d see only z before d.

    The inverse autoregressive flow of Kingma et al. 2016, algorithm 1; log det = sum of
    log sigmoid(s). m and s come from one masked hidden layer (Germain et al. 2015),

        m, s = tanh(z W + context(features)) V + v,

    whose unit k sees the first k mod D dimensions of z. The half of v that belongs to
    s starts at 2 (the paper: 1 or 2), near the identity, and the other at zero.

    Args:
        units: int. U.
        initializer: initializer of the kernels and of the context's bias. None means
            `glorot_uniform` and zeros.

    Call arguments:
        z: float [B, D].
        features: float [B, H].

    Returns:
        z' [B, D] and log |det dz'/dz| [B].
    """

    def __init__(self, units: int, initializer: Initializer | None = None, **kwargs):
        super().__init__(initializer, **kwargs)
        if units < 1:
            raise ValueError(f"`units` must be positive. Received: units={units}")
        self.units = units
        self.context = self._dense(units)

    def build(self, z_shape, features_shape):
        size = z_shape[-1]
        kernel = own_initializer(self.initializer, "glorot_uniform")
        self.inner = self._add("inner", (size, self.units), kernel)
        kernel = own_initializer(self.initializer, "glorot_uniform")
        self.outer = self._add("outer", (self.units, 2 * size), kernel)
        self.bias = self._add("bias", (2 * size,), _open_gate)
        self.context.build(features_shape)

    def _add(self, name, shape, initializer):
        return self.add_weight(
            shape=shape, initializer=initializer, name=name, autocast=False
        )

    def call(self, z, features):
        sees, feeds = self._masks(z.shape[-1])
        context = ops.cast(self.context(features), z.dtype)
        hidden = ops.tanh(ops.matmul(z, self.inner * sees) + context)  # [B, U]
        m, s = ops.split(ops.matmul(hidden, self.outer * feeds) + self.bias, 2, axis=-1)
        gate = ops.sigmoid(s)
        log_det = ops.sum(ops.log_sigmoid(s), axis=-1)
        return gate * z + (1.0 - gate) * m, log_det

    def _masks(self, size):  # [D, U] and [U, 2D] of zeros and ones
        position, seen = ops.arange(size), ops.arange(self.units) % size
        sees = position[:, None] < seen
        feeds = ops.tile(seen[:, None] <= position, (1, 2))
        return ops.cast(sees, self.inner.dtype), ops.cast(feeds, self.outer.dtype)

    def get_config(self) -> dict:
        return super().get_config() | {"units": self.units}


def _open_gate(shape, dtype=None):
    """Zeros for m, and 2 for s."""
    return 2.0 * ops.cast(ops.arange(shape[0]) >= shape[0] // 2, dtype)
