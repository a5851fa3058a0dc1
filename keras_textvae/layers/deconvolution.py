"""The deconvolution of z into a sequence of features.

B: batch size. D: latent size. N: length. F: feature maps of the last layer.
"""

import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_textvae.layers.initializers import Initializer, own_initializer
from keras_textvae.layers.normalization import normalization


@keras.saving.register_keras_serializable("keras_textvae")
class Deconvolution(keras.layers.Layer):
    """A dense layer with ReLU, then normalised transposed convolutions with ReLU.

    The mirror of `encoders.ConvolutionalEncoder`: each layer has width 3 and stride 2;
    input i writes outputs 2i - 1, 2i and 2i + 1, and the length exactly doubles.
    Batch normalisation uses its moving averages outside training, so that a sample
    never depends on the rest of its batch (the authors' code used the batch's own
    statistics). Semeniuta et al. 2017, section 3.2.

    Args:
        length: int. N.
        channels: sequence of int. The encoder's feature maps, first layer first.
        features: int. F.
        initializer: initializer of every weight and bias. None means the layers' own.
        norm: "batch" or "layer", see `encoders.ConvolutionalEncoder`.

    Call arguments:
        z: float [B, D].
        training: bool.

    Returns:
        float [B, N, F].
    """

    def __init__(
        self,
        length: int,
        channels: Sequence[int],
        features: int,
        initializer: Initializer | None = None,
        norm: str = "batch",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if length < 1:
            raise ValueError(f"`length` must be positive. Received: length={length}")
        if not channels:
            raise ValueError(
                f"`channels` needs at least one layer. Received: channels={channels}"
            )
        self.length = length
        self.channels = tuple(channels)
        self.features = features
        self.norm = norm
        self.initializer = keras.initializers.get(initializer)
        self.start_length = math.ceil(length / 2 ** len(self.channels))
        self.dense = keras.layers.Dense(
            self.start_length * self.channels[-1], activation="relu", **self._weights()
        )
        self.filters = (*self.channels[-2::-1], features)
        self.convolutions = [
            keras.layers.Conv1DTranspose(
                size,
                kernel_size=3,
                strides=2,
                data_format="channels_last",
                **self._weights(),
            )
            for size in self.filters
        ]
        self.norms = [normalization(norm, self.dtype_policy) for _ in self.filters]

    def _weights(self):
        return {
            "kernel_initializer": own_initializer(self.initializer, "glorot_uniform"),
            "bias_initializer": own_initializer(self.initializer, "zeros"),
            "dtype": self.dtype_policy,
        }

    def build(self, z_shape):
        self.dense.build(z_shape)
        size = self.channels[-1]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build((None, None, size))
            size = convolution.filters
            norm.build((None, None, size))

    def call(self, z, training: bool = False):
        x = ops.reshape(self.dense(z), (-1, self.start_length, self.channels[-1]))
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            # Without the first output, input i writes 2i - 1, 2i and 2i + 1. A split's
            # gradient is a copy; a slice's takes TensorFlow five times as long.
            x = ops.split(convolution(x), [1], axis=1)[1]
            x = ops.relu(norm(x, training=training))
        return x[:, : self.length]

    def get_config(self) -> dict:
        return super().get_config() | {
            "length": self.length,
            "channels": self.channels,
            "features": self.features,
            "norm": self.norm,
            "initializer": keras.initializers.serialize(self.initializer),
        }
