"""Training on labelled texts, with or without unlabelled ones.

N: texts. B: rows of a batch. T: time, `<bos>` included.
"""

import math
import reprlib
from collections.abc import Iterable, Sequence

import keras
import numpy as np

from keras_textvae.batches import ArrayBatches, Batches, require_positive
from keras_textvae.models import UNLABELLED, SemiSupervisedTextVAE
from keras_textvae.text_space import TextSpace
from keras_textvae.tokens import PAD

ENCODERS = ("fine_tuned", "frozen", "gradual")
MIN_STEPS, MIN_EPOCHS = 300, 5
HEAD_SHARE = 10.0  # the head's learning rate while it is trained alone
BYTE_ORDER_MARK = "\ufeff"
PRIOR_STD = 0.1  # of the head's weights; what it reads has variance 1


def fit(
    space: TextSpace,
    texts: Iterable[str],
    labels: Iterable[str],
    *,
    encoder: str = "fine_tuned",
    unlabelled: Iterable[str] | None = None,
    epochs: int | None = None,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    class_weight: str | dict | None = None,
    validation: tuple | None = None,
    patience: int = 5,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = 0,
) -> dict:
    """Trains a space of `classifier` or `semi_supervised` on labelled texts.

    First the head is trained alone, on features that the encoder computes once, in
    inference: this costs little, and a head that has found its place disturbs a
    pretrained encoder less (Kumar et al. 2022). Then it is trained along with what
    `encoder` says.

    Kernels of the head have the prior N(0, `PRIOR_STD`^2), so that training minimises

        cross-entropy, mean over the N texts + |kernels|^2 / (2 N PRIOR_STD^2)

    and few texts move the head less than many. Training uses Adam, with a learning rate
    that falls linearly to zero. Batches are drawn in an order that depends on `seed`;
    for equal weights call `keras.utils.set_random_seed` before the space is made.

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
            head alone before; None means at least 300 steps and 5 passes.
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
        ValueError: with one line, for no labelled text, unequally many texts and
            labels, a label that the space does not have, one label only, an empty or
            too long text, an unknown way to train the encoder, numbers that are not
            positive, weights that are negative or not finite, or options that do not
            fit the kind of space.
    """
    model = space.model
    _check_options(model, encoder, unlabelled, class_weight)
    require_positive(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    texts, numbers = _as_list(texts), label_numbers(model.labels, labels)
    _check_labels(texts, numbers)
    steps_per_epoch = math.ceil(len(texts) / batch_size)
    epochs = epochs or max(MIN_EPOCHS, math.ceil(MIN_STEPS / steps_per_epoch))
    weights = _weights(model, numbers, class_weight)
    shuffled = {"shuffle": True, "seed": seed}
    data = ArrayBatches([space.ids(texts), numbers, *weights], batch_size, **shuffled)
    if unlabelled is not None:
        unlabelled = _as_list(unlabelled)
        none = np.full(len(unlabelled), UNLABELLED, numbers.dtype)
        others = [space.ids(unlabelled), none]
        others = ArrayBatches(others, batch_size, shuffle=True, seed=seed + 1)
        data = _Together(data, others)
    validation_ids = validation_features = None
    if validation is not None:
        validation_texts, validation_labels = validation
        validation_texts = _as_list(validation_texts)
        validation_numbers = label_numbers(model.labels, validation_labels)
        validation_ids, validation_features = (
            ArrayBatches([inputs, validation_numbers], batch_size)
            for inputs in (space.ids(validation_texts), _read(space, validation_texts))
        )
        callbacks = [*callbacks, _early_stopping(patience)]
    options = {"callbacks": [*callbacks], "verbose": verbose}
    _set_prior(model.head, len(texts))
    _train_only(model, [])  # what a frozen encoder's model is left as
    _compile(model, learning_rate, steps_per_epoch * epochs)
    head = keras.Sequential([model.head])
    _compile(head, HEAD_SHARE * learning_rate, steps_per_epoch * epochs)
    features = [_read(space, texts), numbers, *weights]
    features = ArrayBatches(features, batch_size, **shuffled)
    history = head.fit(
        features, epochs=epochs, validation_data=validation_features, **options
    ).history
    for trained, share in _stages(model, encoder, epochs):
        _train_only(model, trained)
        _compile(model, learning_rate, steps_per_epoch * share)
        before = model.get_weights()
        stage = model.fit(
            data, epochs=share, validation_data=validation_ids, **options
        ).history
        if validation is not None and _best(stage) > _best(history):
            model.set_weights(before)
        for name, values in stage.items():
            history.setdefault(name, []).extend(values)
    return history


def label_numbers(names: Sequence[str], labels: Iterable[str]) -> np.ndarray:
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


def _as_list(texts):
    """Returns texts as a list, if each has something to read."""
    if isinstance(texts, str | bytes):
        raise ValueError(f"A list of texts is needed. Received: {reprlib.repr(texts)}")
    texts = list(texts)
    for place, text in enumerate(texts):
        if text.strip() in ("", b"", BYTE_ORDER_MARK):
            raise ValueError(f"Text {place} (counted from 0) is empty.")
    return texts


class _Together(Batches):
    """Batches of labelled texts, with as many unlabelled ones below them.

    Args:
        labelled: `ArrayBatches` of ids and numbers of labels.
        unlabelled: the same; they go on from pass to pass beside it.
    """

    def __init__(self, labelled, unlabelled):
        super().__init__(len(labelled), dtypes=labelled.dtypes, shapes=labelled.shapes)
        self.parts = labelled, unlabelled

    def batch(self, step):
        rows, numbers = zip(*(part.batch(step) for part in self.parts), strict=True)
        width = max(ids.shape[1] for ids in rows)
        rows = [
            np.pad(ids, [(0, 0), (0, width - ids.shape[1])], constant_values=PAD)
            for ids in rows
        ]
        return np.concatenate(rows), np.concatenate(numbers)


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
    """Gives the kernels a Gaussian prior; the loss is the mean over `count` texts."""
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


def _weights(model, numbers, class_weight):
    """Returns a list of the weights of the texts' losses, float32 [N], if any."""
    if class_weight is None:
        return []
    names = model.labels
    if class_weight == "balanced":
        counts = np.maximum(np.bincount(numbers, minlength=len(names)), 1)
        weights = len(numbers) / (len(names) * counts)
    elif isinstance(class_weight, dict):
        weights = np.ones(len(names))
        weights[label_numbers(names, class_weight)] = [*class_weight.values()]
    else:
        weights = np.full(len(names), np.nan)
    if not (np.isfinite(weights).all() and np.all(weights >= 0.0)):
        raise ValueError(
            '`class_weight` is "balanced", or a dict of finite weights from 0 on by '
            f"label. Received: class_weight={class_weight!r}"
        )
    return [weights[numbers].astype("float32")]
