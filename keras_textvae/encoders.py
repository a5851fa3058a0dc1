"""Encoders: ids [B, T] -> features [B, H].

B: batch size. T: time, `<bos>` included. V: vocabulary size. E: embedding size. H:
feature size. N: the fixed length of a convolutional model, `<bos>` not counted.
Padding a batch further never changes its features.
"""

import math
from collections.abc import Sequence

import keras
from keras import ops

from keras_textvae.layers import (
    LSTM,
    Initializer,
    highway_layers,
    id_inputs,
    normalization,
    own_initializer,
)
from keras_textvae.tokens import PAD

POOLINGS = ("last", "mean", "max")


@keras.saving.register_keras_serializable("keras_textvae")
class LSTMEncoder(keras.layers.Layer):
    """The last output of a single-layer LSTM over the sentence, or a mean or maximum.

    Bowman et al. 2016, section 3, where it is the last; they also tried feedforward
    layers before z, and found that those must be highway layers.

    Args:
        vocabulary_size: int. V.
        embedding_dim: int. E. None feeds the LSTM one-hot ids.
        units: int. H.
        layer_norm: bool. See `layers.LSTM`.
        dropout: float. Rate of dropout on the embeddings, in training.
        initializer: initializer of every weight and bias, but see `layers.Highway`.
            None means the layers' own.
        highways: int. How many highway layers the pooled output passes through.
        pooling: str. "last", the last output; "mean" or "max", of each unit over the
            outputs of all words, which is worth more to a classifier.
        keep_rate: float in (0, 1]. Each word is hidden from the encoder, see
            `layers.id_inputs`, with probability 1 - `keep_rate`, in training: what it
            says of a text must follow from any part of it (a denoising criterion, Im et
            al. 2017).

    Call arguments:
        ids: int32 [B, T], at least one id in each row not `<pad>`.

    Returns:
        float32 [B, H].

    Raises:
        ValueError: for another pooling, or a keep rate out of range.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int | None,
        units: int,
        *,
        layer_norm: bool = False,
        dropout: float = 0.0,
        initializer: Initializer | None = None,
        highways: int = 0,
        pooling: str = "last",
        keep_rate: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not 0.0 < keep_rate <= 1.0:
            raise ValueError(
                f"`keep_rate` must lie in (0, 1]. Received: keep_rate={keep_rate}"
            )
        self.keep_rate = keep_rate
        if pooling not in POOLINGS:
            raise ValueError(
                f"`pooling` is one of {', '.join(POOLINGS)}. "
                f"Received: pooling={pooling!r}"
            )
        self.pooling = pooling
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.layer_norm = layer_norm
        self.dropout = dropout
        self.initializer = keras.initializers.get(initializer)
        self.highways = highways
        dtype = self.dtype_policy
        self.text = id_inputs(
            vocabulary_size,
            embedding_dim,
            keep_rate if keep_rate < 1.0 else None,
            dtype,
            dropout=dropout,
            initializer=self.initializer,
        )
        self.lstm = LSTM(
            units, layer_norm=layer_norm, initializer=self.initializer, dtype=dtype
        )
        self.highway_layers = highway_layers(highways, self.initializer, dtype)

    @property
    def stages(self) -> list[keras.layers.Layer]:
        """The layers with weights, from the text upwards."""
        text = [] if self.embedding_dim is None else [self.text]
        return [*text, self.lstm, *self.highway_layers]

    def build(self, ids_shape):
        for layer in self.highway_layers:
            layer.build((None, self.units))
        self.text.build(ids_shape)
        self.lstm.build((None, None, self.text.size))

    def call(self, ids):
        outputs = self.lstm.recur(self.lstm.project(self.text(ids)))  # [B, T, H]
        features = _pooled(self.pooling, outputs, ids != PAD)
        for layer in self.highway_layers:
            features = layer(features)
        return ops.cast(features, "float32")

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "layer_norm": self.layer_norm,
            "dropout": self.dropout,
            "initializer": keras.initializers.serialize(self.initializer),
            "highways": self.highways,
            "pooling": self.pooling,
            "keep_rate": self.keep_rate,
        }


def _pooled(pooling, outputs, present):  # [B, T, H], [B, T] -> [B, H]
    count = ops.sum(ops.cast(present, "int32"), axis=-1)  # [B]
    if pooling == "last":
        last = count[:, None, None] - 1
        return ops.take_along_axis(outputs, last, axis=1)[:, 0]
    if pooling == "max":
        return ops.max(ops.where(present[..., None], outputs, -1.0), axis=1)
    total = ops.sum(ops.where(present[..., None], outputs, 0.0), axis=1)
    return total / ops.cast(count, outputs.dtype)[:, None]


@keras.saving.register_keras_serializable("keras_textvae")
class ConvolutionalEncoder(keras.layers.Layer):
    """Strided, normalised convolutions and ReLU over one-hot ids.

    Semeniuta et al. 2017, section 3.3 and figure 2a, with batch normalisation. Each
    layer has width 3 and stride 2; output i sees inputs 2i - 1, 2i and 2i + 1. `<pad>`
    is the zero vector. A length that the strides do not divide is padded to one that
    they do. The first layer reads its kernel's rows where a one-hot vector would select
    them.

    Args:
        vocabulary_size: int. V.
        length: int. N, the ids of a sentence or crop after `<bos>`, `<eos>` included;
            shorter batches are padded to it. What lies beyond it is not seen.
        channels: sequence of int, the feature maps of each layer.
        initializer: initializer of every weight and bias. None means the layers' own.
        norm: "batch" or "layer", see `layers.normalization`. A batch's statistics tell
            how long its sentences are, where batches have sentences of near-equal
            lengths: training comes to rely on that, and evaluation does without.

    Call arguments:
        ids: int32 [B, T], `<bos>` first.

    Returns:
        float [B, H], H = ceil(N / 2**layers) * channels[-1].
    """

    def __init__(
        self,
        vocabulary_size: int,
        length: int,
        channels: Sequence[int] = (128, 256),
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
        self.vocabulary_size = vocabulary_size
        self.length = length
        self.channels = tuple(channels)
        self.norm = norm
        self.initializer = keras.initializers.get(initializer)
        self.lookup = keras.layers.Embedding(
            vocabulary_size,
            3 * self.channels[0],
            embeddings_initializer=own_initializer(self.initializer, "glorot_uniform"),
            dtype=self.dtype_policy,
        )
        self.convolutions = [self._convolution(size) for size in self.channels[1:]]
        self.norms = [normalization(norm, self.dtype_policy) for _ in self.channels]

    def _convolution(self, filters):
        return keras.layers.Conv1D(
            filters,
            kernel_size=3,
            strides=2,
            data_format="channels_last",
            kernel_initializer=own_initializer(self.initializer, "glorot_uniform"),
            bias_initializer=own_initializer(self.initializer, "zeros"),
            dtype=self.dtype_policy,
        )

    @property
    def stages(self) -> list[keras.layers.Layer]:
        """The layers with weights, from the text upwards."""
        first, *others = self.norms
        pairs = zip(self.convolutions, others, strict=True)
        return [self.lookup, first, *(layer for pair in pairs for layer in pair)]

    @property
    def padded_length(self) -> int:
        """The length that the strides divide, at least N."""
        stride = 2 ** len(self.channels)
        return stride * math.ceil(self.length / stride)

    def build(self, ids_shape):
        self.lookup.build(ids_shape)
        for convolution, size in zip(
            self.convolutions, self.channels[:-1], strict=True
        ):
            convolution.build((None, None, size))
        for norm, size in zip(self.norms, self.channels, strict=True):
            norm.build((None, None, size))

    def call(self, ids, training: bool = False):
        x = self._first_convolution(
            fit_length(ids[:, 1:], self.length, self.padded_length)
        )
        x = ops.relu(self.norms[0](x, training=training))
        for convolution, norm in zip(self.convolutions, self.norms[1:], strict=True):
            # One zero on the left centres the window of output i on input 2i.
            x = convolution(ops.pad(x, ((0, 0), (1, 0), (0, 0))))
            x = ops.relu(norm(x, training=training))
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2]))

    def _first_convolution(self, ids):  # [B, N] -> [B, N / 2, channels[0]]
        before = ops.pad(ids[:, 1:-1:2], ((0, 0), (1, 0)), constant_values=PAD)
        windows = before, ids[:, ::2], ids[:, 1::2]  # [B, N / 2] each
        kernels = ops.split(ops.cast(self.lookup.embeddings, self.compute_dtype), 3, -1)
        return sum(map(_select_rows, kernels, windows))

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "length": self.length,
            "channels": self.channels,
            "norm": self.norm,
            "initializer": keras.initializers.serialize(self.initializer),
        }


def _select_rows(kernel, ids):  # [V, H], [B, T] -> [B, T, H], zeros at `<pad>`
    mask = ops.cast(ids != PAD, kernel.dtype)[:, :, None]
    return ops.take(kernel, ids, axis=0) * mask


def fit_length(ids, length: int, padded_length: int):
    """Cuts ids [B, T] to `length` and pads them with `<pad>` to `padded_length`."""
    ids = ops.pad(ids[:, :length], ((0, 0), (0, padded_length)))[:, :padded_length]
    return ops.reshape(ids, (-1, padded_length))
