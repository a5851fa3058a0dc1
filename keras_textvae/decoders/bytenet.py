"""The decoder with masked convolutions of Semeniuta et al. 2017.

B: batch size. T: time. V: vocabulary size. D: latent size. N: the fixed length. F:
feature maps of the deconvolution. C: feature maps of the masked convolutions.
"""

from collections.abc import Sequence

import keras
from keras import ops

from keras_textvae.decoders.deconvolutional import AuxiliaryDecoder
from keras_textvae.layers import (
    ByteNetBlock,
    DenseLogits,
    EmbeddedIds,
    HighwayBlock,
    Initializer,
    dense,
    normalization,
)

BLOCKS = {"bytenet": ByteNetBlock, "highway": HighwayBlock}


@keras.saving.register_keras_serializable("keras_textvae")
class ByteNetDecoder(AuxiliaryDecoder):
    """Masked convolutions over deconvolved features of z and the previous ids.

    Semeniuta et al. 2017, section 3.3 and figure 2c. Features and previous id, one-hot,
    enter through a gated unit tanh(a) sigmoid(b), where a, b = norm(1x1 convolution);
    `layers` blocks follow, and a projection. The feed-forward decoder's own logits are
    the auxiliary reconstruction of section 3.4.

    The paper says that its skip connections are those of ByteNet, which is the block
    "bytenet"; the authors' code has the block "highway" with batch normalisation. With
    norm="layer", the default, no position sees a later one, in training either; a
    batch's own statistics never enter an evaluation (in the authors' code they do).

    Args:
        vocabulary_size: int. V.
        length: int. N. See `encoders.ConvolutionalEncoder`.
        layers: int. Blocks, each with one masked convolution.
        hidden: int. C.
        block: "bytenet" or "highway", see `layers.ByteNetBlock`, `layers.HighwayBlock`.
        width: int. Inputs that a masked convolution sees.
        dilations: sequence of int, for the layers in turn, again and again.
        norm: "layer" or "batch", see `layers.normalization`.
        channels: sequence of int. The encoder's feature maps, which the deconvolution
            mirrors.
        features: int. F, the feature maps of the last deconvolution.
        keep_rate: float. See `layers.WordDropout`. A dropped word has the id V, which
            stands for nothing else.
        initializer: initializer of every weight and bias. None means the layers' own.

    Call arguments:
        ids: int32 [B, T], `<bos>` first, T <= N.
        z: float [B, D].
        training: bool.
        auxiliary: bool. Return the pair of the logits and the auxiliary logits.
    """

    def __init__(
        self,
        vocabulary_size: int,
        length: int,
        layers: int = 3,
        hidden: int = 256,
        block: str = "bytenet",
        width: int = 2,
        dilations: Sequence[int] = (1,),
        norm: str = "layer",
        channels: Sequence[int] = (128, 256),
        features: int = 200,
        keep_rate: float = 1.0,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(
            vocabulary_size, length, channels, features, initializer, **kwargs
        )
        if layers < 1:
            raise ValueError(f"`layers` must be positive. Received: layers={layers}")
        if block not in BLOCKS:
            raise ValueError(
                f"`block` is one of {', '.join(BLOCKS)}. Received: block={block!r}"
            )
        if not dilations:
            raise ValueError(
                f"`dilations` needs at least one. Received: dilations={dilations}"
            )
        self.layers = layers
        self.hidden = hidden
        self.block = block
        self.width = width
        self.dilations = tuple(dilations)
        self.norm = norm
        dtype = self.dtype_policy
        self.input_projection = dense(2 * hidden, self.initializer, dtype)
        # The product with a one-hot vector is a row of the kernel.
        self.history = EmbeddedIds(
            vocabulary_size + 1,
            2 * hidden,
            keep_rate=keep_rate,
            dropped=vocabulary_size,
            initializer=self.initializer,
            dtype=dtype,
        )
        self.input_norm = normalization(norm, dtype)
        self.blocks = [self._block(layer) for layer in range(layers)]
        if block == "bytenet":
            self.output_norm = normalization(norm, dtype)
        self.logits = DenseLogits(
            vocabulary_size, initializer=self.initializer, dtype=dtype
        )

    def _block(self, layer):
        dilation = self.dilations[layer % len(self.dilations)]
        return BLOCKS[self.block](
            self.hidden,
            self.width,
            dilation,
            self.norm,
            self.initializer,
            dtype=self.dtype_policy,
        )

    @property
    def receptive_field(self) -> int:
        """The number of inputs, the last one counted, that an output depends on.

        `layers` + 1 at width 2 without dilation.
        """
        return 1 + sum(block.memory for block in self.blocks)

    def build(self, ids_shape, z_shape):
        super().build(ids_shape, z_shape)
        self.input_projection.build((None, None, self.features))
        self.history.build(ids_shape)
        self.input_norm.build((None, None, 2 * self.hidden))
        for block in self.blocks:
            block.build((None, None, self.hidden))
        if self.block == "bytenet":
            self.output_norm.build((None, None, self.hidden))
        self.logits.build((None, self.hidden))

    def with_history(self, features, ids, training: bool):
        x = self._enter(features, ids, training)
        for block in self.blocks:
            x = block(x, training=training)
        return self._leave(x, training)

    def initial_state(self, z):
        """Returns the features [B, N, F] of z, and (t, buffers)."""
        features, start = super().initial_state(z)
        rows = ops.shape(z)[0]
        buffers = tuple(block.initial_state(rows) for block in self.blocks)
        return features, (start, buffers)

    def step(self, ids, features, state):
        """Returns the logits [B, V] after `ids` [B], and the new state."""
        t, buffers = state
        here = ops.take(features, t, axis=1)[:, None]  # [B, 1, F]
        x = self._enter(here, ids[:, None], training=False)
        remembered = []
        for block, buffer in zip(self.blocks, buffers, strict=True):
            x, buffer = block.step(x, buffer, t)
            remembered.append(buffer)
        x = self._leave(x, training=False)
        return self.logits(x[:, 0]), (t + 1, tuple(remembered))

    def select_rows(self, state, rows):
        t, buffers = state
        return t, tuple(ops.take(buffer, rows, axis=1) for buffer in buffers)

    def _enter(self, features, ids, training):  # [B, T, F], [B, T] -> [B, T, C]
        # `history` swaps the axes of ids, and time is not first here.
        x = self.input_projection(features) + self.history(ops.transpose(ids))
        x = self.input_norm(x, training=training)
        a, b = ops.split(x, 2, axis=-1)
        return ops.tanh(a) * ops.sigmoid(b)

    def _leave(self, x, training):  # a stack of residual units ends without activation
        if self.block == "highway":
            return x
        return ops.relu(self.output_norm(x, training=training))

    def get_config(self) -> dict:
        return super().get_config() | {
            "layers": self.layers,
            "hidden": self.hidden,
            "block": self.block,
            "width": self.width,
            "dilations": self.dilations,
            "norm": self.norm,
            "keep_rate": self.history.keep_rate,
        }
