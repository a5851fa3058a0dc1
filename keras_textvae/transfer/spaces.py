"""Spaces that classify: a new head over the parts of a trained model.

C: labels.
"""

from collections.abc import Sequence

import keras

from keras_textvae.models import SemiSupervisedTextVAE, TextClassifier, TextVAE
from keras_textvae.text_space import TextSpace


def classifier(
    space: TextSpace,
    labels: Sequence[str],
    *,
    features: str = "both",
    hidden: int = 0,
    dropout: float = 0.3,
    pretrained: bool = True,
) -> TextSpace:
    """Returns a text space that classifies, over a copy of another's encoder.

    Its head is layer normalisation, dropout, a hidden layer if asked for, and one
    logit a label, at first zero; its model computes in float32. Until `fit`, only the
    head is new: the features are those of `space`, whose own weights never change.

    Args:
        space: the trained one.
        labels: sequence of C strings.
        features: what the head reads, see `models.TextClassifier`.
        hidden: int. Units of the head's hidden layer, ReLU; 0 has none.
        dropout: float. Rate of dropout on what the head's dense layers read.
        pretrained: bool. False starts the same network from new weights, to compare.

    Returns:
        A `TextSpace` over a `models.TextClassifier`, with `classify` and `encode`.

    Raises:
        ValueError: if the space has no encoder; for labels or features that
            `models.TextClassifier` refuses.
    """
    source = _with_encoder(space)
    model = TextClassifier(
        _again(source.encoder),
        _head(labels, hidden, dropout),
        labels,
        _again(source.posterior),
        features,
    )
    return _transferred(space, source, model, pretrained)


def semi_supervised(
    space: TextSpace,
    labels: Sequence[str],
    *,
    features: str = "both",
    hidden: int = 0,
    dropout: float = 0.3,
    pretrained: bool = True,
    label_weight: float = 1.0,
    vae_weight: float = 1.0,
) -> TextSpace:
    """Returns a text space that classifies and still is an autoencoder.

    Args:
        space, labels, features, hidden, dropout, pretrained: see `classifier`.
        label_weight, vae_weight: see `models.SemiSupervisedTextVAE`.

    Returns:
        A `TextSpace` over a `models.SemiSupervisedTextVAE`, with `classify` and all
        that `space` has but its density: training moves the posteriors, and
        `with_density` fits another.

    Raises:
        ValueError: as `classifier` does.
    """
    source = _with_encoder(space)
    if not isinstance(source, TextVAE):
        raise ValueError(f"A VAE is needed. Received: {type(source).__name__}")
    model = SemiSupervisedTextVAE(
        _again(source.encoder),
        _again(source.posterior),
        _again(source.decoder),
        _head(labels, hidden, dropout),
        labels,
        source.objective,
        features,
        label_weight,
        vae_weight,
    )
    return _transferred(space, source, model, pretrained)


def _with_encoder(space):
    source = space.in_float32().model
    if not getattr(source, "latent_dim", 0):
        raise ValueError("A space with an encoder is needed, not a language model's.")
    return source


def _again(layer):
    """Returns a layer of the same configuration, with weights of its own."""
    return keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )


def _head(labels, hidden, dropout):
    layers = [
        keras.layers.LayerNormalization(dtype="float32"),
        keras.layers.Dropout(dropout, dtype="float32"),
    ]
    if hidden:
        layers.append(keras.layers.Dense(hidden, "relu", dtype="float32"))
        layers.append(keras.layers.Dropout(dropout, dtype="float32"))
    # From zero, so that what no text speaks for stays out of the answer.
    layers.append(
        keras.layers.Dense(
            len(list(labels)), dtype="float32", kernel_initializer="zeros"
        )
    )
    return keras.Sequential(layers, name="head")


def _transferred(space, source, model, pretrained):
    """Returns a space of a new model, its parts with the weights of the old one's."""
    for part in ("encoder", "posterior", "decoder") if pretrained else ():
        if hasattr(model, part):
            new, old = getattr(model, part), getattr(source, part)
            for variable, value in zip(new.variables, old.variables, strict=True):
                variable.assign(value)
    return TextSpace(model, space.codec)
