"""The adversarial error: how well a classifier tells sentences from true ones.

N: sentences. T: time. V: vocabulary size. B: batch size.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_textvae.encoders import LSTMEncoder
from keras_textvae.tokens import BOS, PAD

CLASSIFIERS = ("unigram", "lstm")
TEST_SHARE = 10  # one sentence in ten is for testing, and one for validation
MIN_GAIN = 1e-4  # nats; sentences told apart perfectly would gain for ever
LEARNING_RATES = {"unigram": 0.01, "lstm": 0.001}  # of Adam


class AdversarialError(NamedTuple):
    """How a classifier fared on sentences that it had not seen.

    Attributes:
        accuracy: a fraction, 0 to 1.
        sentences: sentences it was tested on, half of them true.
        epochs: epochs it was trained for, those after the best one included.
    """

    accuracy: float
    sentences: int
    epochs: int

    @property
    def error(self) -> float:
        """|accuracy - 0.5|, a fraction, 0 to 0.5: 0 is indistinguishable.

        Table 4 of Bowman et al. 2016 has it in percent.
        """
        return abs(self.accuracy - 0.5)

    @property
    def standard_error(self) -> float:
        """The binomial standard error of the accuracy, a fraction."""
        return math.sqrt(self.accuracy * (1 - self.accuracy) / self.sentences)


def adversarial_error(
    true: Sequence[Sequence[int]] | np.ndarray,
    false: Sequence[Sequence[int]] | np.ndarray,
    vocabulary_size: int,
    classifier: str = "unigram",
    seed: int = 0,
    *,
    units: int = 128,
    learning_rate: float | None = None,
    batch_size: int = 128,
    epochs: int = 100,
    patience: int = 3,
    verbose: int | str = 0,
) -> AdversarialError:
    """Trains a classifier to tell false sentences from true ones, and tests it.

    Bowman et al. 2016, section 5. The sentences are shuffled and split 80/10/10, each
    half alike, so that a classifier that sees no difference is right in exactly one
    case out of two. It is trained with Adam until its loss on the second part has not
    fallen, by 1e-4 nats at least, for `patience` epochs, and tested on the third with
    the weights that were best on the second.

    It finds any difference. So both halves must come about in the same way but for what
    is to be judged: both with `<bos>` and `<eos>` or both without, cut at the same
    length, and with `<unk>` allowed in both.

    The paper does not say whether its true and its imputed sentences share their
    sources. Here they may, if those that do stand at the same place in both halves:
    sentence i of either falls into the same part. Otherwise a classifier that knows one
    by heart would be wrong about the other, and the accuracy too low. Without shared
    sources any order will do.

    Args:
        true: N sentences, int32 [N, T], `<pad>` at their ends; or a list of N sequences
            of ids of any lengths.
        false: as many others, likewise; T may differ.
        vocabulary_size: int. V.
        classifier: "unigram", a logistic regression on the bag of words; or "lstm", one
            on the last output of an LSTM that has read the whole sentence.
        seed: int. Seeds the split, the initial weights and the batches.
        units: int. The size of the LSTM and of its embedding.
        learning_rate: float. None means 0.01 for "unigram" and 0.001 for "lstm".
        batch_size: int. B. A batch holds sentences of nearly equal lengths.
        epochs: int. The largest number of epochs.
        patience: int. With few sentences an epoch is only a few steps, too few to see
            whether the loss falls.
        verbose: as in `keras.Model.fit`.

    Returns:
        An `AdversarialError`.

    Raises:
        ValueError: for an unknown classifier, halves of different sizes or of fewer
            than 10 sentences, a sentence without ids, ids that are not in the
            vocabulary, or `<bos>` at the start of one half's sentences alone.
    """
    if classifier not in CLASSIFIERS:
        raise ValueError(
            f"`classifier` is one of {CLASSIFIERS}. Received: classifier={classifier!r}"
        )
    halves = {"true": _padded(true), "false": _padded(false)}
    _check(halves, vocabulary_size)
    rng = np.random.default_rng(seed)
    train, dev, test = _split([*halves.values()], batch_size, rng)
    model = _classifier(classifier, vocabulary_size, units, rng)
    model.compile(
        keras.optimizers.Adam(learning_rate or LEARNING_RATES[classifier]),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.BinaryAccuracy("accuracy", threshold=0.0)],
    )
    stop = keras.callbacks.EarlyStopping(
        "val_loss", MIN_GAIN, patience, restore_best_weights=True
    )
    history = model.fit(
        train,
        validation_data=dev,
        epochs=epochs,
        shuffle=False,  # the batches do
        callbacks=[stop],
        verbose=verbose,
    )
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    return AdversarialError(accuracy, len(test.ids), len(history.epoch))


class UnigramClassifier(keras.Model):
    """Logistic regression on the bag of words: logit = b + sum_t w[id_t].

    Args:
        vocabulary_size: int. V.

    Call arguments:
        ids: int32 [B, T]. `<pad>` counts for nothing.

    Returns:
        The logit of "true", float [B, 1].
    """

    def __init__(self, vocabulary_size: int):
        super().__init__()
        self.weight = keras.layers.Embedding(vocabulary_size, 1, "zeros")
        self.bias = self.add_weight(shape=(1,), initializer="zeros", name="bias")

    def call(self, ids):
        weights = ops.where(ids[:, :, None] != PAD, self.weight(ids), 0.0)  # [B, T, 1]
        return ops.sum(weights, axis=1) + self.bias


class SentencesByLength(keras.utils.PyDataset):
    """Batches of sentences of nearly equal lengths, in a new order every epoch.

    Args:
        ids: int32 [N, T].
        labels: float32 [N, 1].
        size: int. B.
        rng: NumPy's `Generator`.
    """

    def __init__(
        self, ids: np.ndarray, labels: np.ndarray, size: int, rng: np.random.Generator
    ):
        super().__init__()
        self.ids = ids
        self.labels = labels
        self.size = size
        self.rng = rng
        self.lengths = np.sum(ids != PAD, axis=1)
        self.on_epoch_end()

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, index):
        start = self.starts[index]
        rows = self.rows[start : start + self.size]
        return self.ids[rows, : np.max(self.lengths[rows])], self.labels[rows]

    def on_epoch_end(self):
        rows = self.rng.permutation(len(self.ids))
        self.rows = rows[np.argsort(self.lengths[rows], kind="stable")]
        starts = np.arange(0, len(rows), self.size)
        # Keras on TensorFlow takes a dimension that the first two batches agree in for
        # one that never changes. So the shortest and the longest come first.
        ends = starts[[0, -1]]
        self.starts = [*dict.fromkeys([*ends, *self.rng.permutation(starts)])]


def _classifier(name, vocabulary_size, units, rng):
    if name == "unigram":
        return UnigramClassifier(vocabulary_size)
    ids = keras.Input((None,), dtype="int32")
    encoder = LSTMEncoder(vocabulary_size, units, units)
    model = keras.Sequential([ids, encoder, keras.layers.Dense(1)])
    for weight in model.trainable_variables:
        if len(weight.shape) == 2:  # a bias starts as the layer has it
            weight.assign(rng.uniform(-0.1, 0.1, weight.shape))
    return model


def _padded(sentences):  # -> int32 [N, T]
    lengths = [len(sentence) for sentence in sentences]
    ids = np.full((len(lengths), max(lengths, default=0)), PAD, "int32")
    for row, sentence in zip(ids, sentences, strict=True):
        row[: len(sentence)] = sentence
    return ids


def _check(halves, vocabulary_size):
    sizes = {name: len(ids) for name, ids in halves.items()}
    if len(set(sizes.values())) > 1 or min(sizes.values()) < TEST_SHARE:
        received = ", ".join(f"{size} {name}" for name, size in sizes.items())
        raise ValueError(
            "There must be as many true sentences as false ones, and at least "
            f"{TEST_SHARE}. Received: {received}"
        )
    for name, ids in halves.items():
        if not np.all(np.any(ids != PAD, axis=1)):
            raise ValueError(f"`{name}` has a sentence without ids.")
        lowest, highest = np.min(ids), np.max(ids)
        if lowest < 0 or highest >= vocabulary_size:
            raise ValueError(
                f"The ids of `{name}` must be below vocabulary_size={vocabulary_size}. "
                f"Received: ids from {lowest} to {highest}"
            )
    first = {name: int(np.sum(ids[:, 0] == BOS)) for name, ids in halves.items()}
    if sorted(first.values()) == [0, sizes["true"]]:
        received = ", ".join(f"{count} {name}" for name, count in first.items())
        raise ValueError(
            "`<bos>` must start the sentences of both halves or of none. "
            f"Received: it starts {received}"
        )


def _split(halves, batch_size, rng):
    """Returns the batches of three parts, each with the same rows of both halves."""
    size = len(halves[0])
    held_out = size // TEST_SHARE
    ends = size - 2 * held_out, size - held_out
    length = max(ids.shape[1] for ids in halves)
    halves = [
        np.pad(ids, ((0, 0), (0, length - ids.shape[1])), constant_values=PAD)
        for ids in halves
    ]
    return [
        _labelled(*(ids[rows] for ids in halves), batch_size, rng)
        for rows in np.split(rng.permutation(size), ends)
    ]


def _labelled(true, false, batch_size, rng):
    labels = np.repeat([1.0, 0.0], len(true)).astype("float32")[:, None]
    ids = np.concatenate([true, false])
    return SentencesByLength(ids, labels, batch_size, rng)
