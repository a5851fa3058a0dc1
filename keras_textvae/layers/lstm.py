"""A single-layer LSTM whose recurrence is `recurrence.lstm`.

B: batch size. T: time. I: input size. H: hidden size.
"""

import keras
from keras import ops

from keras_textvae.layers import products, recurrence
from keras_textvae.layers.initializers import Initializer, own_initializer


@keras.saving.register_keras_serializable("keras_textvae")
class LSTM(keras.layers.Layer):
    """An LSTM, optionally layer-normalised, fast to train on a CPU.

    Gates, states and normalisation are float32 under every precision policy; matrix
    products run in the policy's compute dtype.

    Args:
        units: int. The hidden size H.
        layer_norm: bool. Normalise the four gates' pre-activations jointly, including
            the input part but not the cell state (Semeniuta et al. 2017, section 4; the
            authors' code). Defaults to `False`.
        initializer: one initializer for both kernels and the bias (Semeniuta et al. use
            a uniform one), or None: `glorot_uniform` for the input kernel, `orthogonal`
            for the recurrent one, and zeros for the bias, but ones at the forget gate.
        recurrent_dropout: float. Rate of dropout on the recurrent kernel, in training:
            the same weights are dropped at all steps of all sentences of a batch
            (Merity et al. 2018, section 2).

    Call arguments:
        x: float [B, T, I].
        state: None for zeros, or the pair (h [B, H], c [B, H]).

    Returns:
        The outputs of all steps, float32 [B, T, H].
    """

    def __init__(
        self,
        units: int,
        layer_norm: bool = False,
        initializer: Initializer | None = None,
        recurrent_dropout: float = 0.0,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        if units < 1:
            raise ValueError(f"`units` must be positive. Received: units={units}")
        self.units = units
        self.layer_norm = layer_norm
        self.initializer = keras.initializers.get(initializer)
        self.recurrent_dropout = recurrent_dropout
        self.kernel_dropout = keras.layers.Dropout(
            recurrent_dropout, autocast=False, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        size = 4 * self.units
        self.kernel = self._add("kernel", (input_shape[-1], size), "glorot_uniform")
        self.recurrent_kernel = self._add(
            "recurrent_kernel", (self.units, size), "orthogonal"
        )
        self.bias = self._add("bias", (size,), self._open_forget_gate)
        if self.layer_norm:
            self.gamma = self.add_weight(
                shape=(size,), initializer="ones", name="gamma", autocast=False
            )
            self.beta = self.add_weight(
                shape=(size,), initializer="zeros", name="beta", autocast=False
            )

    def _add(self, name, shape, default):
        return self.add_weight(
            shape=shape,
            initializer=own_initializer(self.initializer, default),
            name=name,
            autocast=False,
        )

    def _open_forget_gate(self, shape, dtype=None):
        return ops.cast(ops.arange(shape[0]) // self.units == 1, dtype)

    def call(self, x, state=None):
        return self.recur(self.project(time_first(x)), state)

    def project(self, x):
        """Projects inputs to the four gates: x W + b.

        Args:
            x: float [..., I]; or int [...], ids below I of one-hot inputs, whose
                products are rows of W.

        Returns:
            float32 [..., 4H].
        """
        kernel = ops.cast(self.kernel, self.compute_dtype)
        if keras.backend.is_int_dtype(x.dtype):
            return ops.cast(ops.take(kernel, x, axis=0), "float32") + self.bias
        product = products.by_matrix(ops.cast(x, self.compute_dtype), kernel)
        return ops.cast(product, "float32") + self.bias

    def recur(self, projected, state=None):
        """Runs the recurrence over projected inputs, time first.

        Args:
            projected: float32 [T, B, 4H], from `project`.
            state: None for zeros, or the pair (h [B, H], c [B, H]).

        Returns:
            The outputs of all steps, float32 [B, T, H].
        """
        h, c = self.zero_state(ops.shape(projected)[1]) if state is None else state
        outputs = recurrence.lstm(
            projected,
            ops.cast(h, "float32"),
            ops.cast(c, "float32"),
            ops.cast(
                self.kernel_dropout(self.recurrent_kernel.value), self.compute_dtype
            ),
            self._norm(),
        )
        return time_first(outputs)

    def step(self, projected, state):
        """Computes one step.

        Args:
            projected: float32 [B, 4H], from `project`.
            state: the pair (h [B, H], c [B, H]).

        Returns:
            The new state, whose `h` is the output.
        """
        kernel = ops.cast(self.recurrent_kernel, self.compute_dtype)
        return recurrence.lstm_step(projected, *state, kernel, self._norm())

    def zero_state(self, rows):
        """Returns zeros (h, c), float32 [rows, H] each."""
        zeros = ops.zeros((rows, self.units), "float32")
        return zeros, zeros

    def _norm(self):
        if not self.layer_norm:
            return None
        return ops.cast(self.gamma, "float32"), ops.cast(self.beta, "float32")

    def get_config(self) -> dict:
        return super().get_config() | {
            "units": self.units,
            "layer_norm": self.layer_norm,
            "initializer": keras.initializers.serialize(self.initializer),
            "recurrent_dropout": self.recurrent_dropout,
        }


def time_first(x):  # [B, T, ...] -> [T, B, ...], and back
    """Swaps batch and time. Cheap before the projection to four gates, not after."""
    return ops.transpose(x, (1, 0, 2))
