"""The feed-forward decoder of Semeniuta et al. 2017, on which their others build.

B: batch size. T: time. V: vocabulary size. D: latent size. N: the fixed length. F:
feature maps of the deconvolution.
"""

from collections.abc import Sequence

import keras
from keras import ops

from keras_textvae.decoders.decoder import Decoder
from keras_textvae.layers import Deconvolution, DenseLogits, Initializer


@keras.saving.register_keras_serializable("keras_textvae")
class DeconvolutionalDecoder(Decoder):
    """A projection of deconvolved features of z: each id on its own, without history.

    Semeniuta et al. 2017, section 3.3 and figure 2a: P(x|z) = prod_t P(x_t|z).

    Args:
        vocabulary_size: int. V.
        length: int. N. See `encoders.ConvolutionalEncoder`.
        channels: sequence of int. The encoder's feature maps, which the deconvolution
            mirrors.
        features: int. F, the feature maps of the last deconvolution.
        initializer: initializer of every weight and bias. None means the layers' own.
        deconvolution_norm: "batch" or "layer", see `encoders.ConvolutionalEncoder`.

    Call arguments:
        ids: int32 [B, T], T <= N. Only their number matters.
        z: float [B, D].
    """

    def __init__(
        self,
        vocabulary_size: int,
        length: int,
        channels: Sequence[int] = (128, 256),
        features: int = 200,
        initializer: Initializer | None = None,
        deconvolution_norm: str = "batch",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.length = length
        self.channels = tuple(channels)
        self.features = features
        self.initializer = keras.initializers.get(initializer)
        self.deconvolution = Deconvolution(
            length,
            channels,
            features,
            self.initializer,
            deconvolution_norm,
            dtype=self.dtype_policy,
        )
        self.historyless_logits = DenseLogits(
            vocabulary_size, initializer=self.initializer, dtype=self.dtype_policy
        )

    def build(self, ids_shape, z_shape):
        self.deconvolution.build(z_shape)
        self.historyless_logits.build((None, self.features))

    def call(self, ids, z, training: bool = False, as_factors: bool = False):
        return self.historyless_logits(
            self.expand(ids, z, training), as_factors=as_factors
        )

    def expand(self, ids, z, training: bool):
        """Returns the features [B, T, F] of z at the positions of `ids` [B, T]."""
        if (ids.shape[1] or 0) > self.length:
            raise ValueError(
                f"`ids` must have at most {self.length} columns, the decoder's length. "
                f"Received: ids of shape {tuple(ids.shape)}"
            )
        features = self.deconvolution(z, training=training)  # [B, N, F]
        return features[:, : ops.shape(ids)[1]]

    def initial_state(self, z):
        """Returns the features [B, N, F] of z, and the position 0."""
        return self.deconvolution(z, training=False), ops.zeros((), dtype="int32")

    def step(self, ids, features, state):
        """Returns the logits [B, V] at the position `state`, and the next position."""
        return self.historyless_logits(ops.take(features, state, axis=1)), state + 1

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "length": self.length,
            "channels": self.channels,
            "features": self.features,
            "deconvolution_norm": self.deconvolution.norm,
            "initializer": keras.initializers.serialize(self.initializer),
        }


class AuxiliaryDecoder(DeconvolutionalDecoder):
    """A decoder that knows the history too; the logits without are its auxiliary ones.

    Semeniuta et al. 2017, section 3.4. `call` takes `auxiliary`, which asks for both. A
    subclass writes `with_history`, and has the layer `logits`.
    """

    outputs = ("logits", "auxiliary_logits")

    def call(
        self,
        ids,
        z,
        training: bool = False,
        as_factors: bool = False,
        auxiliary: bool = False,
    ):
        features = self.expand(ids, z, training)
        x = self.with_history(features, ids, training)
        logits = self.logits(x, as_factors=as_factors)
        if not auxiliary:
            return logits
        return logits, self.historyless_logits(features, as_factors=as_factors)

    def with_history(self, features, ids, training: bool):
        """Returns what `logits` projects, float [B, T, H].

        Args:
            features: float [B, T, F], of z, see `expand`.
            ids: int32 [B, T].
            training: bool.
        """
        raise NotImplementedError

    def compute_output_spec(
        self,
        ids,
        z,
        training: bool = False,
        as_factors: bool = False,
        auxiliary: bool = False,
    ):
        logits = super().compute_output_spec(ids, z)
        return (logits, logits) if auxiliary else logits

    def teacher_forced(self, ids, z, training: bool = False) -> dict:
        logits, auxiliary = self(
            ids, z, auxiliary=True, training=training, as_factors=self.chunked_loss
        )
        return {"logits": logits, "auxiliary_logits": auxiliary}
