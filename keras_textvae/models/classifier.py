"""Classifiers of sentences over an encoder.

B: batch size. T: time, `<bos>` included. H: size of the encoder's features. D: latent
size. F: size of the features that the head reads. C: labels.
"""

from collections.abc import Iterable, Sequence

import keras
from keras import ops

from keras_textvae.models.sentence_model import SentenceModel
from keras_textvae.posteriors import Posterior

FEATURES = ("encoder", "mean", "both")


@keras.saving.register_keras_serializable("keras_textvae")
class TextClassifier(SentenceModel):
    """p(label | x) = softmax(head(features of x)), over the encoder of a `TextVAE`.

    Compiled with a loss on integer labels it is trained by Keras's own `fit`, on ids
    [B, T] and labels [B]; `class_weight` and `sample_weight` work as they do there.
    Weights of a frozen encoder (`encoder.trainable = False`) do not change, and its
    batch normalisation uses its averages. `transfer` builds one from a text space, and
    trains it on texts.

    Args:
        encoder: layer, ids [B, T] -> features [B, H]. See `encoders`.
        head: layer, features [B, F] -> logits [B, C].
        labels: sequence of C strings, the names of the labels; saved with the model.
        posterior: layer, features -> q(z|x), see `posteriors`; or None.
        features: what the head reads: "encoder", the encoder's features, F = H;
            "mean", the posterior's mode, F = D; or "both", F = H + D.

    Call arguments:
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`.
        training: bool. Whether dropout is on.

    Returns:
        Logits, float32 [B, C].

    Raises:
        ValueError: for fewer than two labels or one twice; other features; features
            that need a posterior without one.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        head: keras.layers.Layer,
        labels: Sequence[str],
        posterior: Posterior | None = None,
        features: str = "encoder",
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_labels(labels)
        check_features(features)
        if posterior is None and features != "encoder":
            raise ValueError(f"features={features!r} needs a posterior.")
        self.encoder = encoder
        self.posterior = posterior
        self.head = head
        self.labels = tuple(labels)
        self.features = features
        with self.building() as ids:
            encoded = self.encoder(ids)
            if self.posterior:  # "encoder" leaves it unused
                self.posterior(encoded)
            label_logits(self, encoded, training=False)

    @property
    def latent_dim(self) -> int:
        """D, 0 without a posterior."""
        return self.posterior.latent_dim if self.posterior else 0

    def call(self, ids, training: bool = False):
        return label_logits(self, self.encoder(ids, training=training), training)

    def classify(self, ids):
        """Returns the probabilities of the labels, float32 [B, C]."""
        return ops.softmax(self(ids, training=False))

    def get_config(self) -> dict:
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "encoder": serialize(self.encoder),
            "head": serialize(self.head),
            "labels": self.labels,
            "posterior": serialize(self.posterior),
            "features": self.features,
        }


def label_logits(model: SentenceModel, features, training: bool):
    """Applies a model's head to what it reads of the features [B, H] -> [B, C]."""
    read = selected(model.features, features, model.posterior)
    return ops.cast(model.head(read, training=training), "float32")


def selected(kind: str, features, posterior: Posterior | None):
    """Returns the features of a kind, see `TextClassifier`: [B, H] -> float32 [B, F].

    Args:
        kind: one of `FEATURES`.
        features: float [B, H], the encoder's.
        posterior: see `posteriors`; may be None for "encoder".
    """
    features = ops.cast(features, "float32")
    if kind == "encoder":
        return features
    if posterior is None:
        raise ValueError(f"features={kind!r} needs a posterior.")
    mean = posterior.mode(features)
    return mean if kind == "mean" else ops.concatenate([features, mean], axis=-1)


def check_labels(labels: Iterable[str]):
    """Raises ValueError unless there are two labels at least, strings, each once."""
    labels = list(labels)
    if not all(isinstance(label, str) for label in labels):
        raise ValueError(f"Labels are names, as str. Received: {labels}")
    if len(labels) < 2 or len({*labels}) < len(labels):
        raise ValueError(
            f"A classifier needs two labels or more, each once. Received: {labels}"
        )


def check_features(kind: str):
    """Raises ValueError for features that are none of `FEATURES`."""
    if kind not in FEATURES:
        raise ValueError(
            f"`features` is one of {', '.join(FEATURES)}. Received: features={kind!r}"
        )
