"""What a language model and a variational autoencoder share: a decoder and its figures.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_textvae.models.sentence_model import SentenceModel
from keras_textvae.tokens import PAD

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder

UNLABELLED = -1  # a sentence's label, where it has none


class GenerativeModel(SentenceModel):
    """p(x) by way of a decoder; see what a subclass must have below.

    It has a loss and metrics of its own: `compile` takes an optimizer, `fit` and
    `evaluate` take ids without labels. `sample_weight` has one weight w a sentence, as
    everywhere in Keras: the loss is the mean of w * loss, a metric is sum w * value /
    sum w.

    Args:
        decoder: layer, ids [B, T - 1], z [B, D] -> logits. See `decoders.Decoder`.
        metrics: names of the metrics, means over sentences.

    Call arguments:
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`.
        training: bool. Whether dropout is on, and batch normalisation learns.

    Returns:
        A dict: what `infer` returns, and the decoder's outputs under teacher forcing,
        `logits` [B, T - 1, V] and from some decoders `auxiliary_logits`.

    Its metric `tokens` is the mean number of ids predicted per sentence, `<eos>`
    counted; so exp(loss / tokens) is the perplexity of an evaluation.

    Raises:
        ValueError: from `compile`, for a loss or metrics; from `fit`, `evaluate`,
            `predict` and those of one batch, for what is no array of ids of the
            vocabulary, for weights that are not one a sentence, and for `class_weight`
            without labels.
    """

    def __init__(self, decoder: "Decoder", metrics: Iterable[str] = (), **kwargs):
        super().__init__(**kwargs)
        self.decoder = decoder
        self.trackers = [keras.metrics.Mean(name) for name in (*metrics, "tokens")]
        self.mean = MeanOverSentences()

    @property
    def vocabulary_size(self) -> int:
        """V."""
        return self.decoder.vocabulary_size

    def compile(
        self,
        optimizer: str | dict | keras.optimizers.Optimizer = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **options,
    ):
        """Configures training, see `keras.Model.compile`, with the model's own loss."""
        others = [loss, loss_weights, metrics, weighted_metrics]
        if others := [other for other in others if other is not None]:
            raise ValueError(
                f"A {type(self).__name__} has a loss and metrics of its own. "
                f"Received: {others[0]!r}"
            )
        super().compile(optimizer, **options)

    def _labels(self, x, y, sample_weight=None, class_weight=None, **_):
        y = super()._labels(x, y, sample_weight, class_weight)
        if y is None and sample_weight is not None:
            # Without labels, Keras would drop the weights.
            return np.full(len(sample_weight), UNLABELLED, "int32")
        return y

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

    def sentence_losses(self, targets, outputs, training: bool) -> tuple:
        """Returns the loss of each sentence, and its metrics.

        Args:
            targets: int32 [B, T - 1], the ids to predict.
            outputs: what `call` returned.
            training: bool.

        Returns:
            The pair of the loss, float32 [B], and a dict of float32 [B], nats both.
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
        if sample_weight is not None and sample_weight.shape[1:] not in ((), (1,)):
            raise ValueError(
                "`sample_weight` has one weight a sentence, [B]. "
                f"Received: shape {sample_weight.shape}"
            )
        targets = x[:, 1:]
        losses, figures = self.sentence_losses(targets, y_pred, training)
        figures["tokens"] = ops.sum(targets != PAD, axis=-1)
        for tracker in self.trackers:
            tracker.update_state(figures[tracker.name], sample_weight=sample_weight)
        return self.mean(losses, losses, sample_weight)

    def get_config(self) -> dict:
        decoder = keras.saving.serialize_keras_object(self.decoder)
        return super().get_config() | {"decoder": decoder}


class MeanOverSentences(keras.losses.Loss):
    """The mean of losses [B], weighted and shared among replicas as Keras does it."""

    def __init__(self):
        super().__init__(dtype="float32")

    def call(self, y_true, y_pred):
        return y_pred
