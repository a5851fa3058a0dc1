"""Masked convolutions: sequences whose outputs never see later inputs.

B: batch size. T: time. C: feature maps of the input. F: of the output. S: the steps
that a layer remembers. K: width.

Each layer also computes one step at a time from a ring buffer [S, B, C] of its past
inputs: `step(x [B, 1, C], buffer, t) -> outputs, buffer`, where t counts from 0.
"""

import keras
from keras import ops

from keras_textvae.layers.initializers import Initializer, own_initializer
from keras_textvae.layers.normalization import normalization


@keras.saving.register_keras_serializable("keras_textvae")
class CausalConvolution(keras.layers.Layer):
    """y_t = b + sum over k < K of x_{t - k dilation} W_k; x is zero before its start.

    One matrix product over all positions.

    Args:
        filters: int. F.
        width: int. K, at least 2. A kernel of 3 centred at t whose later third is
            masked (Semeniuta et al. 2017, the authors' code) has width 2.
        dilation: int.
        initializer: initializer of kernel and bias. None means `glorot_uniform` and
            zeros.

    Call arguments:
        x: float [B, T, C].
    """

    def __init__(
        self,
        filters: int,
        width: int = 2,
        dilation: int = 1,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if width < 2:
            raise ValueError(f"`width` must be at least 2. Received: width={width}")
        if dilation < 1:
            raise ValueError(
                f"`dilation` must be positive. Received: dilation={dilation}"
            )
        self.filters = filters
        self.width = width
        self.dilation = dilation
        self.initializer = keras.initializers.get(initializer)

    @property
    def memory(self) -> int:
        """S, the steps before t that output t sees."""
        return (self.width - 1) * self.dilation

    def build(self, input_shape):
        self.channels = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(self.width * self.channels, self.filters),
            initializer=own_initializer(self.initializer, "glorot_uniform"),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.filters,),
            initializer=own_initializer(self.initializer, "zeros"),
            name="bias",
        )

    def call(self, x):
        time = ops.shape(x)[1]
        padded = ops.pad(x, ((0, 0), (self.memory, 0), (0, 0)))
        starts = [self.memory - k * self.dilation for k in range(self.width)]
        return self._product([padded[:, start : start + time] for start in starts])

    def initial_state(self, rows):
        """Returns the buffer of `rows` sequences before their start: zeros."""
        return ops.zeros((self.memory, rows, self.channels), self.compute_dtype)

    def step(self, x, buffer, t):
        """Computes output t [B, 1, F] of input t [B, 1, C]; also the new buffer."""
        x = ops.cast(x, self.compute_dtype)
        ages = [k * self.dilation for k in range(1, self.width)]
        past = [ops.take(buffer, (t - age) % self.memory, axis=0) for age in ages]
        outputs = self._product([x, *(rows[:, None] for rows in past)])
        slot = ops.reshape(t % self.memory, (1, 1))
        return outputs, ops.scatter_update(buffer, slot, x[None, :, 0])

    def _product(self, taps):  # K x [B, T, C] -> [B, T, F]
        x = ops.concatenate(taps, axis=-1)
        rows = ops.reshape(x, (-1, self.width * self.channels))
        outputs = ops.matmul(rows, self.kernel) + self.bias
        return ops.reshape(outputs, (*ops.shape(x)[:2], self.filters))

    def get_config(self) -> dict:
        return super().get_config() | {
            "filters": self.filters,
            "width": self.width,
            "dilation": self.dilation,
            "initializer": keras.initializers.serialize(self.initializer),
        }


class _Block(keras.layers.Layer):
    """A causal convolution with something around it, from C maps to C maps."""

    def __init__(
        self,
        channels: int,
        width: int = 2,
        dilation: int = 1,
        norm: str = "layer",
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if channels < 2:
            raise ValueError(
                f"`channels` must be at least 2. Received: channels={channels}"
            )
        self.channels = channels
        self.width = width
        self.dilation = dilation
        self.norm = norm
        self.initializer = keras.initializers.get(initializer)

    @property
    def memory(self) -> int:
        """S, the steps before t that output t sees."""
        return self.convolution.memory

    def initial_state(self, rows):
        """Returns the buffer of `rows` sequences before their start."""
        return self.convolution.initial_state(rows)

    def _convolution(self, filters):
        return CausalConvolution(
            filters,
            self.width,
            self.dilation,
            self.initializer,
            dtype=self.dtype_policy,
        )

    def get_config(self) -> dict:
        return super().get_config() | {
            "channels": self.channels,
            "width": self.width,
            "dilation": self.dilation,
            "norm": self.norm,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable("keras_textvae")
class HighwayBlock(_Block):
    """y = sigmoid(f) x + sigmoid(i) tanh(g), where i, f, g = norm(convolution(x)).

    This is the block in the authors' code of Semeniuta et al. 2017, not the residual
    unit of the ByteNet that the paper cites.

    Args:
        channels: int. C.
        width, dilation: see `CausalConvolution`.
        norm: "layer" or "batch", see `normalization`.
        initializer: initializer of every weight and bias. None means the layers' own.

    Call arguments:
        x: float [B, T, C].
        training: bool.
    """

    def __init__(self, channels: int, *args, **kwargs):
        super().__init__(channels, *args, **kwargs)
        self.convolution = self._convolution(3 * channels)
        self.gates_norm = normalization(self.norm, self.dtype_policy)

    def build(self, input_shape):
        self.convolution.build(input_shape)
        self.gates_norm.build((*input_shape[:-1], 3 * self.channels))

    def call(self, x, training: bool = False):
        return self._gate(x, self.convolution(x), training)

    def step(self, x, buffer, t):
        """Computes output t [B, 1, C] of input t [B, 1, C]; also the new buffer."""
        gates, buffer = self.convolution.step(x, buffer, t)
        return self._gate(x, gates, training=False), buffer

    def _gate(self, x, gates, training):
        i, f, g = ops.split(self.gates_norm(gates, training=training), 3, axis=-1)
        return ops.sigmoid(f) * x + ops.sigmoid(i) * ops.tanh(g)


@keras.saving.register_keras_serializable("keras_textvae")
class ByteNetBlock(_Block):
    """The residual unit of Kalchbrenner et al. 2016, section 3.4 and figure 3.

    y = x + W_2 h(convolution(h(W_1 h(x)))), h(x) = relu(norm(x)); W_1 halves the
    feature maps and W_2 restores them.

    Args and call arguments: those of `HighwayBlock`; C is even.
    """

    def __init__(self, channels: int, *args, **kwargs):
        super().__init__(channels, *args, **kwargs)
        if channels % 2:
            raise ValueError(f"`channels` must be even. Received: channels={channels}")
        self.norms = [normalization(self.norm, self.dtype_policy) for _ in range(3)]
        self.narrow = self._dense(channels // 2)
        self.convolution = self._convolution(channels // 2)
        self.widen = self._dense(channels)

    def _dense(self, size):
        return keras.layers.Dense(
            size,
            kernel_initializer=own_initializer(self.initializer, "glorot_uniform"),
            bias_initializer=own_initializer(self.initializer, "zeros"),
            dtype=self.dtype_policy,
        )

    def build(self, input_shape):
        half = (*input_shape[:-1], self.channels // 2)
        self.narrow.build(input_shape)
        self.convolution.build(half)
        self.widen.build(half)
        for norm, shape in zip(self.norms, (input_shape, half, half), strict=True):
            norm.build(shape)

    def call(self, x, training: bool = False):
        narrowed = self._narrow(x, training)
        return x + self._widen(self.convolution(narrowed), training)

    def step(self, x, buffer, t):
        """Computes output t [B, 1, C] of input t [B, 1, C]; also the new buffer."""
        narrowed = self._narrow(x, training=False)
        convolved, buffer = self.convolution.step(narrowed, buffer, t)
        return x + self._widen(convolved, training=False), buffer

    def _narrow(self, x, training):
        x = self.narrow(ops.relu(self.norms[0](x, training=training)))
        return ops.relu(self.norms[1](x, training=training))

    def _widen(self, x, training):
        return self.widen(ops.relu(self.norms[2](x, training=training)))
