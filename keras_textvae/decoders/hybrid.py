"""The decoder with an LSTM of Semeniuta et al. 2017.

B: batch size. T: time. V: vocabulary size. H: hidden size. D: latent size. N: the fixed
length. F: feature maps of the deconvolution.
"""

from collections.abc import Sequence

import keras
from keras import ops

from keras_textvae.decoders.deconvolutional import AuxiliaryDecoder
from keras_textvae.layers import LSTM, DenseLogits, EmbeddedIds, Initializer, time_first


@keras.saving.register_keras_serializable("keras_textvae")
class HybridDecoder(AuxiliaryDecoder):
    """A layer-normalised LSTM over deconvolved features of z and the previous id.

    Semeniuta et al. 2017, section 3.3 and figure 2b. z enters the LSTM through the
    features alone; the previous id enters as a one-hot vector; the LSTM starts at zero.
    The feed-forward decoder's own logits are the auxiliary reconstruction of section
    3.4.

    Args:
        vocabulary_size: int. V.
        length: int. N. See `encoders.ConvolutionalEncoder`.
        units: int. H.
        channels: sequence of int. The encoder's feature maps, which the deconvolution
            mirrors.
        features: int. F, the feature maps of the last deconvolution.
        keep_rate: float. See `layers.WordDropout`. A dropped word has the id V, which
            stands for nothing else.
        initializer: initializer of every weight and bias. None means the layers' own.

    Call arguments:
        ids: int32 [B, T], `<bos>` first, T <= N.
        z: float [B, D].
        auxiliary: bool. Return the pair of the logits and the auxiliary logits.
    """

    def __init__(
        self,
        vocabulary_size: int,
        length: int,
        units: int = 500,
        channels: Sequence[int] = (128, 256),
        features: int = 200,
        keep_rate: float = 1.0,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(
            vocabulary_size, length, channels, features, initializer, **kwargs
        )
        self.units = units
        dtype = self.dtype_policy
        # The product with a one-hot vector is a row of the kernel.
        self.history = EmbeddedIds(
            vocabulary_size + 1,
            4 * units,
            keep_rate=keep_rate,
            dropped=vocabulary_size,
            initializer=self.initializer,
            dtype=dtype,
        )
        self.lstm = LSTM(
            units, layer_norm=True, initializer=self.initializer, dtype=dtype
        )
        self.logits = DenseLogits(
            vocabulary_size, initializer=self.initializer, dtype=dtype
        )

    def build(self, ids_shape, z_shape):
        super().build(ids_shape, z_shape)
        self.history.build(ids_shape)
        self.lstm.build((None, None, self.features))
        self.logits.build((None, self.units))

    def with_history(self, features, ids, training: bool):
        return self.lstm.recur(self._gates(time_first(features), ids))

    def initial_state(self, z):
        """Returns the features [B, N, F] of z, and (t, (h, c))."""
        features, start = super().initial_state(z)
        return features, (start, self.lstm.zero_state(ops.shape(z)[0]))

    def step(self, ids, features, state):
        """Returns the logits [B, V] after `ids` [B], and the new state."""
        t, state = state
        # Projected here: for all positions at once, the gates would be 4H / F as large.
        gates = self._gates(ops.take(features, t, axis=1), ids)
        state = self.lstm.step(gates, state)
        return self.logits(state[0]), (t + 1, state)

    def select_rows(self, state, rows):
        t, state = state
        return t, tuple(ops.take(x, rows, axis=0) for x in state)

    def _gates(self, features, ids):  # [T, B, F], [B, T] -> float32 [T, B, 4H]
        return self.lstm.project(features) + ops.cast(self.history(ids), "float32")

    def get_config(self) -> dict:
        return super().get_config() | {
            "units": self.units,
            "keep_rate": self.history.keep_rate,
        }
