"""Training on labelled texts, with others beside them or not.

N: texts. B: rows of a batch. T: time, `<bos>` included.
"""

import math

import keras
import numpy as np
import tensorflow as tf

from keras_textvae.models import SemiSupervisedTextVAE
from keras_textvae.models.semi_supervised import UNLABELLED
from keras_textvae.text_space import TextSpace
from keras_textvae.tokens import PAD

ENCODERS = ("fine_tuned", "frozen", "gradual")
MIN_STEPS, MIN_EPOCHS = 300, 5
HEAD_SHARE = 10.0  # the head's learning rate while it is trained alone
PRIOR_STD = 0.1  # of the head's weights; what it reads has variance 1


def fit(
    space: TextSpace,
    texts,
    labels,
    *,
    encoder: str = "fine_tuned",
    unlabelled=None,
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    class_weight: str | dict | None = None,
    validation: tuple | None = None,
    patience: int = 5,
    seed: int = 0,
    callbacks=(),
    verbose: int | str = 0,
) -> dict:
    """Trains a space of `classifier` or `semi_supervised` on labelled texts.

    First the head alone, on the features that the texts have when the encoder is used
    and not trained: they are computed once, so that this costs little, and a head that
    has found its place disturbs a pretrained encoder less (Kumar et al. 2022). Then
    what `encoder` says.

    Kernels of the head have the prior N(0, `PRIOR_STD`^2), so that training minimises

        cross-entropy, mean over the N texts + |kernels|^2 / (2 N PRIOR_STD^2)

    and few texts move the head less than many. With Adam, whose learning rate falls
    linearly to zero. Batches are drawn in an order that depends on `seed`; for equal
    weights call `keras.utils.set_random_seed` before the space is made.

    Args:
        space: what `classifier` or `semi_supervised` returned; it is changed.
        texts: N texts.
        labels: N names of labels.
        encoder: what of the encoder is trained along with the head: "fine_tuned", all
            of it; "frozen", nothing; "gradual", its last layer in the first part of the
            epochs, then one more in each part (Howard and Ruder 2018, section 3.3).
        unlabelled: other texts without a label, for `semi_supervised`: each batch has
            as many of them as labelled ones.
        epochs: int. Passes over the labelled texts with the encoder, and as many of the
            head alone before; None makes 300 steps and 5 passes at least.
        batch_size: int. Labelled texts in a batch.
        learning_rate: float. At the first step; the head alone takes ten times that.
        class_weight: weights of the labels' losses by name; "balanced" for weights in
            inverse proportion to their counts; None for equal ones.
        validation: other texts and their labels. Training, and the head's before it,
            stops when their cross-entropy has not fallen for `patience` epochs, and the
            best weights of all are kept.
        patience: int.
        seed: int.
        callbacks, verbose: as in `keras.Model.fit`; the model of a callback is the head
            while that is trained alone, and then the space's.

    Returns:
        Keras's history: name of a metric -> its value after each epoch, the head's
        first. `label_loss` is the cross-entropy, in nats a text.

    Raises:
        ValueError: with one line, for no labelled text, as many labels as there are not
            texts, a label that the space does not have, one label only, an empty or too
            long text, an unknown way to train the encoder, or options that do not fit
            the kind of space.
    """
    model = space.model
    _check_options(model, encoder, unlabelled, class_weight)
    texts, numbers = list(texts), label_numbers(model.labels, labels)
    _check_labels(texts, numbers)
    steps_per_epoch = math.ceil(len(texts) / batch_size)
    epochs = epochs or max(MIN_EPOCHS, math.ceil(MIN_STEPS / steps_per_epoch))
    data = _batches(space.ids(texts), numbers, batch_size, seed)
    if unlabelled is not None:
        none = np.full(len(unlabelled), UNLABELLED)
        others = _batches(space.ids(unlabelled), none, batch_size, seed + 1)
        data = tf.data.Dataset.zip(data, others).map(_together)
    known = features_known = None
    if validation is not None:
        known, features_known = _validation(space, *validation, batch_size)
        callbacks = [*callbacks, _early_stopping(patience)]
    options = {
        "steps_per_epoch": steps_per_epoch,
        "class_weight": _class_weight(model, numbers, class_weight),
        "shuffle": False,
        "callbacks": [*callbacks],
        "verbose": verbose,
    }
    _set_prior(model.head, len(texts))
    _train_only(model, [])  # what a frozen encoder's model is left as
    _compile(model, learning_rate, steps_per_epoch * epochs)
    head = keras.Sequential([model.head])
    _compile(head, HEAD_SHARE * learning_rate, steps_per_epoch * epochs)
    features = _shuffled(_read(space, texts), numbers, batch_size, seed)
    found = head.fit(features, epochs=epochs, validation_data=features_known, **options)
    history = found.history
    for trained, share in _stages(model, encoder, epochs):
        _train_only(model, trained)
        _compile(model, learning_rate, steps_per_epoch * share)
        before = model.get_weights()
        found = model.fit(data, epochs=share, validation_data=known, **options).history
        if known is not None and _best(found) > _best(history):
            model.set_weights(before)
        for name, values in found.items():
            history.setdefault(name, []).extend(values)
    return history


def label_numbers(names, labels) -> np.ndarray:
    """Returns the numbers of labels among their names, int32 [N].

    Raises:
        ValueError: for a label that is not among the names.
    """
    numbers = {name: number for number, name in enumerate(names)}
    labels = list(labels)
    if unknown := [label for label in labels if label not in numbers]:
        raise ValueError(
            f"{unknown[0]!r} is no label of this space, which has {', '.join(names)}."
        )
    return np.array([numbers[label] for label in labels], "int32")


def _check_options(model, encoder, unlabelled, class_weight):
    if not hasattr(model, "labels"):
        raise ValueError("fit: this space has no labels; see `transfer.classifier`.")
    if encoder not in ENCODERS:
        raise ValueError(
            f"`encoder` is one of {', '.join(ENCODERS)}. Received: encoder={encoder!r}"
        )
    joint = isinstance(model, SemiSupervisedTextVAE)
    if not joint and unlabelled is not None:
        raise ValueError("`unlabelled` texts need a space of `semi_supervised`.")
    if joint and (class_weight is not None or encoder != "fine_tuned"):
        raise ValueError(
            "A semi-supervised space is trained as a whole, without class weights."
        )


def _check_labels(texts, numbers):
    if len(texts) != len(numbers) or len({*numbers}) < 2:
        raise ValueError(
            "There must be a label for each text, and two different ones at least. "
            f"Received: {len(texts)} texts, {len(numbers)} labels, "
            f"{len({*numbers})} different ones"
        )


def _shuffled(inputs, numbers, batch_size, seed):
    """Returns batches without end, in another order in each pass."""
    data = tf.data.Dataset.from_tensor_slices((inputs, numbers))
    data = data.shuffle(len(inputs), seed).repeat().batch(batch_size)
    return data.prefetch(tf.data.AUTOTUNE)


def _once(inputs, numbers, batch_size):
    return tf.data.Dataset.from_tensor_slices((inputs, numbers)).batch(batch_size)


def _batches(ids, numbers, batch_size, seed):
    """Returns batches without end, each no wider than its longest text."""
    return _shuffled(ids, numbers, batch_size, seed).map(_trimmed, tf.data.AUTOTUNE)


def _trimmed(ids, numbers):  # [B, N] -> [B, T]
    longest = tf.reduce_max(tf.reduce_sum(tf.cast(ids != PAD, tf.int32), axis=1))
    return tf.ensure_shape(ids[:, :longest], [None, None]), numbers


def _together(labelled, others):
    (ids, numbers), (more_ids, none) = labelled, others
    width = tf.maximum(tf.shape(ids)[1], tf.shape(more_ids)[1])
    both = [
        tf.pad(x, [[0, 0], [0, width - tf.shape(x)[1]]], constant_values=PAD)
        for x in (ids, more_ids)
    ]
    none = tf.cast(none, numbers.dtype)
    return tf.concat(both, axis=0), tf.concat([numbers, none], axis=0)


def _validation(space, texts, labels, batch_size):
    """Returns batches of what is not trained on: of ids, and of what the head reads."""
    numbers = label_numbers(space.model.labels, labels)
    ids = _once(space.ids(texts), numbers, batch_size).map(_trimmed)
    return ids, _once(_read(space, texts), numbers, batch_size)


def _early_stopping(patience):
    return keras.callbacks.EarlyStopping(
        "val_label_loss", patience=patience, mode="min", restore_best_weights=True
    )


def _read(space, texts):
    """Returns what the head reads of texts."""
    return space.features(texts, space.model.features)


def _best(history):
    return min(history["val_label_loss"])


def _set_prior(head, count):
    """Gives the kernels a Gaussian prior; the loss is a text's share of `count`."""
    penalty = keras.regularizers.L2(0.5 / (PRIOR_STD**2 * count))
    for weight in head.trainable_weights:
        if len(weight.shape) > 1:
            weight.regularizer = penalty


def _stages(model, encoder, epochs):
    """Returns pairs: the encoder's layers that are trained, and for how many epochs."""
    layers = _encoder_layers(model)
    if encoder == "frozen":
        return []
    if encoder == "fine_tuned":
        return [(layers, epochs)]
    parts = [layers[len(layers) - n :] for n in range(1, len(layers) + 1)]
    shares = [part.size for part in np.array_split(np.arange(epochs), len(parts))]
    return [(part, share) for part, share in zip(parts, shares, strict=True) if share]


def _encoder_layers(model):
    """Returns the layers below the head, from the text upwards."""
    stages = getattr(model.encoder, "stages", [model.encoder])
    return [*stages, *([model.posterior] if model.posterior else [])]


def _train_only(model, trained):
    chosen = {id(layer) for layer in trained}
    for layer in _encoder_layers(model):
        layer.trainable = id(layer) in chosen


def _compile(model, learning_rate, steps):
    schedule = keras.optimizers.schedules.PolynomialDecay(learning_rate, steps, 0.0)
    adam = keras.optimizers.Adam(schedule, global_clipnorm=5.0)
    if isinstance(model, SemiSupervisedTextVAE):
        model.compile(adam)
        return
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Without the prior, which Keras adds to `loss`, in validation too.
    cross_entropy = keras.metrics.SparseCategoricalCrossentropy(
        "label_loss", from_logits=True
    )
    model.compile(adam, loss, metrics=["accuracy", cross_entropy])


def _class_weight(model, numbers, weights):
    if weights is None:
        return None
    names = model.labels
    if weights == "balanced":
        counts = np.maximum(np.bincount(numbers, minlength=len(names)), 1)
        return dict(enumerate(len(numbers) / (len(names) * counts)))
    of_names = label_numbers(names, weights)
    return dict(zip(of_names.tolist(), weights.values(), strict=True))
