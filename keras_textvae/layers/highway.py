"""Highway layers.

H: feature size.
"""

import keras

from keras_textvae.layers.initializers import Initializer, own_initializer


@keras.saving.register_keras_serializable("keras_textvae")
class Highway(keras.layers.Layer):
    """y = t h(x) + (1 - t) x, h(x) = relu(W x + b), t = sigmoid(W_t x + b_t).

    Srivastava et al. 2015, equation 3. It starts by carrying x: b_t is -1 at first.

    Args:
        initializer: initializer of both kernels and of b; b_t starts at -1 whatever it
            is. None means `glorot_uniform` and zeros.

    Call arguments:
        x: float [..., H].

    Returns:
        float [..., H], in the policy's compute dtype.
    """

    def __init__(self, initializer: Initializer | None = None, **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.get(initializer)

    def build(self, x_shape):
        size = x_shape[-1]
        bias = own_initializer(self.initializer, "zeros")
        self.hidden = self._dense(size, bias, "relu")
        self.gate = self._dense(size, keras.initializers.Constant(-1.0), "sigmoid")
        self.hidden.build(x_shape)
        self.gate.build(x_shape)

    def _dense(self, size, bias_initializer, activation):
        return keras.layers.Dense(
            size,
            activation=activation,
            kernel_initializer=own_initializer(self.initializer, "glorot_uniform"),
            bias_initializer=bias_initializer,
            dtype=self.dtype_policy,
        )

    def call(self, x):
        t = self.gate(x)
        return t * self.hidden(x) + (1.0 - t) * x

    def get_config(self) -> dict:
        return super().get_config() | {
            "initializer": keras.initializers.serialize(self.initializer)
        }


def highway_layers(
    count: int, initializer: Initializer | None, dtype: str | keras.DTypePolicy
) -> list[Highway]:
    """Returns `count` new highway layers, to be applied one after the other.

    Args:
        count: int.
        initializer: see `Highway`.
        dtype: the layers' policy.

    Raises:
        ValueError: for a negative count.
    """
    if count < 0:
        raise ValueError(f"`highways` must not be negative. Received: highways={count}")
    return [Highway(initializer, dtype=dtype) for _ in range(count)]
