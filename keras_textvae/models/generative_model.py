"""What a language model and a variational autoencoder share: a decoder and its figures.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size.
"""

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from keras_textvae.models.sentence_model import SentenceModel
from keras_textvae.tokens import PAD

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder


class GenerativeModel(SentenceModel):
    """p(x) by way of a decoder; a subclass has `latent_dim`, `infer`, `sentence_loss`.

    Args:
        decoder: layer, ids [B, T - 1], z [B, D] -> logits. See `decoders.Decoder`.

    Call arguments:
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`.
        training: bool. Whether dropout is on, and batch normalisation learns.

    Returns:
        A dict: what `infer` returns, and the decoder's outputs under teacher forcing,
        `logits` [B, T - 1, V] and from some decoders `auxiliary_logits`.

    Its metric `tokens` is the mean number of ids predicted per sentence, `<eos>`
    counted; so exp(loss / tokens) is the perplexity of an evaluation.

    Raises:
        ValueError: from `fit` and `evaluate`, if sentences are weighted.
    """

    def __init__(self, decoder: "Decoder", **kwargs):
        super().__init__(**kwargs)
        self.decoder = decoder
        self.tokens_tracker = keras.metrics.Mean("tokens")

    def call(self, ids, training: bool = False):
        outputs = self.infer(ids, training=training)
        return outputs | self.decoder.teacher_forced(
            ids[:, :-1], outputs["z"], training=training
        )

    def infer(self, ids, noise=None, training: bool = False) -> dict:
        """Returns q(z|x) of sentences, and a z drawn from it.

        Args:
            ids: int32 [B, T].
            noise: float32 [B, D], standard normal, or None to draw it.
            training: bool.

        Returns:
            What `Posterior.draw` returns: `z` [B, D], `kl` [B, D] or [B], ...
        """
        raise NotImplementedError

    def sentence_loss(self, targets, outputs, training: bool):  # -> float32 [B]
        """Returns the loss of each sentence, nats, and updates its metrics.

        Args:
            targets: int32 [B, T - 1], the ids to predict.
            outputs: what `call` returned.
            training: bool.
        """
        raise NotImplementedError

    def compute_loss(
        self,
        x: Any = None,
        y=None,
        y_pred=None,
        sample_weight=None,
        training: bool = True,
    ):
        if sample_weight is not None:
            raise ValueError(
                "Sentences cannot be weighted: `sample_weight` must be None."
            )
        targets = x[:, 1:]
        self.tokens_tracker.update_state(ops.sum(targets != PAD, axis=-1))
        return ops.mean(self.sentence_loss(targets, y_pred, training))

    def get_config(self) -> dict:
        decoder = keras.saving.serialize_keras_object(self.decoder)
        return super().get_config() | {"decoder": decoder}
