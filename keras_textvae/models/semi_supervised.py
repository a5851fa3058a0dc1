"""A variational autoencoder that learns labels where sentences have one.

B: batch size. T: time, `<bos>` included. C: labels.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_textvae.models.classifier import check_features, check_labels, label_logits
from keras_textvae.models.generative_model import UNLABELLED
from keras_textvae.models.text_vae import TextVAE
from keras_textvae.objectives import Objective
from keras_textvae.posteriors import Posterior
from keras_textvae.replicas import mean_of_all

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder


@keras.saving.register_keras_serializable("keras_textvae")
class SemiSupervisedTextVAE(TextVAE):
    """A `TextVAE` with a classifier on its encoder, trained together.

    Training minimises

        vae_weight * (the objective of `TextVAE`, mean over all sentences)
        + label_weight * (cross-entropy of the label, mean over the labelled ones,
                          + the penalties of regularised weights)

    in nats, over batches of ids with a label each, -1 where there is none. So the
    encoder learns from all text and the head from the labelled part (the simplest form
    of Kingma et al. 2014's M1 + M2: labels are predicted from x, and never generate).

    Args:
        encoder, posterior, decoder, objective: see `TextVAE`.
        head, labels, features: see `TextClassifier`.
        label_weight: float, positive.
        vae_weight: float, not negative.

    Call arguments:
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`.
        training: bool.

    Returns:
        What `TextVAE` returns, and `label_logits`, float32 [B, C].

    Metrics are those of `TextVAE`, over all sentences, and over the labelled ones
    `label_loss`, in nats, and `accuracy`.

    Raises:
        ValueError: as `TextVAE` and `TextClassifier` do, and for a weight out of range.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        posterior: Posterior,
        decoder: "Decoder",
        head: keras.layers.Layer,
        labels: Sequence[str],
        objective: Objective | None = None,
        features: str = "both",
        label_weight: float = 1.0,
        vae_weight: float = 1.0,
        **kwargs,
    ):
        super().__init__(encoder, posterior, decoder, objective, **kwargs)
        check_labels(labels)
        check_features(features)
        if label_weight <= 0.0 or vae_weight < 0.0:
            raise ValueError(
                "`label_weight` must be positive and `vae_weight` not negative. "
                f"Received: label_weight={label_weight}, vae_weight={vae_weight}"
            )
        self.head = head
        self.labels = tuple(labels)
        self.features = features
        self.label_weight = label_weight
        self.vae_weight = vae_weight
        self.label_loss_tracker = keras.metrics.Mean("label_loss")
        self.accuracy_tracker = keras.metrics.Mean("accuracy")
        with self.building() as ids:
            label_logits(self, self.encoder(ids), training=False)

    def call(self, ids, training: bool = False):
        outputs = super().call(ids, training=training)
        logits = label_logits(self, outputs["features"], training)
        return outputs | {"label_logits": logits}

    def classify(self, ids):
        """Returns the probabilities of the labels, float32 [B, C]."""
        features = self.encoder(ids, training=False)
        return ops.softmax(label_logits(self, features, training=False))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training: bool = True
    ):
        loss = super().compute_loss(x, None, y_pred, sample_weight, training)
        if y is None:
            return loss
        label_losses = self._label_losses(y, y_pred, sample_weight)  # [B]
        penalties = ops.full_like(label_losses, sum(self.losses))
        label_loss = self.mean(label_losses, label_losses, sample_weight)
        label_loss += self.mean(penalties, penalties)
        return self.vae_weight * loss + self.label_weight * label_loss

    def _label_losses(self, labels, outputs, sample_weight):
        """Returns losses [B] whose mean over all is one over the labelled sentences."""
        labelled = ops.cast(labels != UNLABELLED, "float32")  # [B]
        logits = outputs["label_logits"]
        cross_entropy = ops.sparse_categorical_crossentropy(
            ops.maximum(labels, 0), logits, from_logits=True
        )
        right = ops.cast(ops.argmax(logits, axis=-1), labels.dtype) == labels
        weights = labelled
        if sample_weight is not None:
            weights *= ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        self.label_loss_tracker.update_state(cross_entropy, sample_weight=weights)
        self.accuracy_tracker.update_state(right, sample_weight=weights)
        return ops.divide_no_nan(cross_entropy * labelled, mean_of_all(labelled))

    def get_config(self) -> dict:
        return super().get_config() | {
            "head": keras.saving.serialize_keras_object(self.head),
            "labels": self.labels,
            "features": self.features,
            "label_weight": self.label_weight,
            "vae_weight": self.vae_weight,
        }
