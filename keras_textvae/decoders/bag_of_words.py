"""The decoder that knows what words a text has, and not their order.

B: batch size. T: time. V: vocabulary size. D: latent size.
"""

import keras
from keras import ops

from keras_textvae.decoders.decoder import Decoder
from keras_textvae.layers import dense


@keras.saving.register_keras_serializable("keras_textvae")
class BagOfWordsDecoder(Decoder):
    """One distribution over words for the whole text: P(x|z) = prod_t p(x_t|z).

    p(.|z) = softmax(W h(z) + b), where h is z itself, or a hidden layer of it; `<eos>`
    is a word among others. The neural variational document model of Miao et al. 2016,
    section 3. A step of training costs one projection a text and not one a word; and
    since no word can be predicted from those around it, z has to say what the text is
    about.

    Args:
        vocabulary_size: int. V.
        hidden: int. Units of the hidden layer, tanh; 0 has none.

    Call arguments:
        ids: int32 [B, T]. Not read.
        z: float [B, D].

    Returns:
        Logits [B, 1, V], the same at every step; `losses` take them so.
    """

    ordered = False

    def __init__(self, vocabulary_size: int, hidden: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.hidden = hidden
        dtype = self.dtype_policy
        if hidden:
            self.hidden_layer = dense(hidden, None, dtype, activation="tanh")
        self.projection = dense(vocabulary_size, None, dtype)

    def build(self, ids_shape, z_shape):
        if self.hidden:
            self.hidden_layer.build(z_shape)
        self.projection.build((None, self.hidden or z_shape[-1]))

    def call(self, ids, z, training: bool = False, as_factors: bool = False):
        return self._logits(z)[:, None]

    def compute_output_spec(
        self, ids, z, training: bool = False, as_factors: bool = False
    ):
        return super().compute_output_spec(keras.KerasTensor((ids.shape[0], 1)), z)

    def initial_state(self, z):
        """Returns the logits [B, V] of every step, and the position 0."""
        return self._logits(z), ops.zeros((), dtype="int32")

    def step(self, ids, features, state):
        """Returns the logits [B, V], and the next position."""
        return features, state + 1

    def _logits(self, z):  # [B, D] -> [B, V]
        return self.projection(self.hidden_layer(z) if self.hidden else z)

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "hidden": self.hidden,
        }
