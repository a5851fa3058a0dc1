"""The language model without a latent variable.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size. All losses
and metrics are in nats per sentence.
"""

import keras
from keras import ops

from keras_textvae.losses import sentence_nll
from keras_textvae.models.sentence_model import SentenceModel
from keras_textvae.tokens import PAD


@keras.saving.register_keras_serializable("keras_textvae")
class LanguageModel(SentenceModel):
    """A decoder on its own: p(x) = prod_t p(x_t | x_1 ... x_t-1).

    With an `LSTMDecoder` it is the RNNLM of Bowman et al. 2016, table 2; with
    `keep_rate=0` the inputless one. Its z has no dimensions (D = 0), so that it is
    trained, decoded and searched like a `TextVAE`.

    Args:
        decoder: layer, ids [B, T - 1], z [B, D] -> logits [B, T - 1, V]. See
            `decoders`.

    Call arguments:
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`.
        training: bool. Whether dropout is on.

    Returns:
        A dict: what `infer` returns, and `logits` [B, T - 1, V].

    Metrics are means over sentences: `loss` and `reconstruction`, both the negative
    log-likelihood, in nats; and `tokens`, the number of ids predicted, `<eos>` counted.
    So exp(loss / tokens) is the perplexity of an evaluation.

    Raises:
        ValueError: from `fit` and `evaluate`, if sentences are weighted.
    """

    def __init__(self, decoder, **kwargs):
        super().__init__(**kwargs)
        self.decoder = decoder
        self.reconstruction_tracker = keras.metrics.Mean("reconstruction")
        self.tokens_tracker = keras.metrics.Mean("tokens")

    @property
    def latent_dim(self) -> int:
        """D."""
        return 0

    def infer(self, ids, noise=None, training=False):
        """Returns q(z|x): here z [B, 0], and `kl` [B], zero.

        Args:
            ids: int32 [B, T].
            noise: float32 [B, D], standard normal, or None to draw it.
            training: bool.
        """
        zeros = ops.zeros((ops.shape(ids)[0], 1), "float32")
        return {"z": zeros[:, :0], "kl": zeros[:, 0]}

    def call(self, ids, training=False):
        outputs = self.infer(ids, training=training)
        logits = self.decoder(ids[:, :-1], outputs["z"], training=training)
        return outputs | {"logits": logits}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return ops.mean(self._reconstruction(x, y_pred, sample_weight))

    def _reconstruction(self, ids, outputs, sample_weight):  # [B]
        if sample_weight is not None:
            raise ValueError(
                "Sentences cannot be weighted: `sample_weight` must be None."
            )
        targets = ids[:, 1:]
        reconstruction = sentence_nll(targets, outputs["logits"])
        self.reconstruction_tracker.update_state(reconstruction)
        self.tokens_tracker.update_state(ops.sum(targets != PAD, axis=-1))
        return reconstruction

    def get_config(self):
        decoder = keras.saving.serialize_keras_object(self.decoder)
        return super().get_config() | {"decoder": decoder}
