"""Labelled texts: files of them, and samples with a number of texts per label."""

from typing import NamedTuple

import numpy as np

from keras_textvae.corpora import read_lines


class Labelled(NamedTuple):
    """Texts and their labels, in the order of the file.

    Attributes:
        texts: list of str.
        labels: list of str, one a text.
    """

    texts: list[str]
    labels: list[str]

    @property
    def names(self) -> list[str]:
        """Each label once, sorted."""
        return sorted({*self.labels})

    def at(self, rows) -> "Labelled":
        """Returns the texts at these rows."""
        return Labelled([self.texts[i] for i in rows], [self.labels[i] for i in rows])


def read(path: str, allowed=None) -> Labelled:
    """Reads lines of label, tab, text, plain or .gz.

    Args:
        path: str.
        allowed: the labels that may occur; None allows any, but at least two of them.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: with file and line, for a line without a tab, without a label or
            text, or with another label; for no line, or one label only.
    """
    texts, labels = [], []
    for number, line in read_lines(path):
        label, tab, text = line.partition("\t")
        if not (tab and label.strip() and text.strip()):
            raise ValueError(
                f"{path}, line {number}: a label, a tab and a text are needed."
            )
        if allowed is not None and label not in allowed:
            raise ValueError(
                f"{path}, line {number}: {label!r} was never seen in training, only "
                f"{', '.join(allowed)}."
            )
        texts.append(text)
        labels.append(label)
    if not texts or (allowed is None and len({*labels}) < 2):
        raise ValueError(
            f"{path}: {len(texts)} texts with {len({*labels})} labels; a classifier "
            "needs two labels or more."
        )
    return Labelled(texts, labels)


def read_fitting(path: str, codec, allowed=None) -> Labelled:
    """Reads a labelled file, as `read`, whose texts a codec takes.

    Raises:
        ValueError: as `read` and `check_lengths`.
    """
    labelled = read(path, allowed)
    numbers = range(1, len(labelled.texts) + 1)  # each line has a text
    check_lengths(path, numbers, labelled.texts, codec)
    return labelled


def check_lengths(path: str, numbers, texts, codec):
    """Raises ValueError, with file and line, for a text that a codec does not take.

    Args:
        path: of the file.
        numbers: of the texts' lines, from 1.
        texts: list of str.
        codec: `tokenizers.Codec`.
    """
    if texts and not all(fits := codec.fits(texts).numpy()):
        raise ValueError(
            f"{path}, line {numbers[int(np.argmin(fits))]}: more than the "
            f"{codec.length} {codec.tokenizer.unit}s of the encoder's texts."
        )


def split(labelled: Labelled, share: float, seed: int) -> tuple[Labelled, Labelled]:
    """Splits off a random `share` of each label's texts; returns the rest, and it.

    One text at least of each label is left in the rest: the only one of a label is not
    split off.
    """
    held = set()
    for name in labelled.names:
        rows = _shuffled(labelled, name, np.random.default_rng(seed))
        count = min(max(1, round(share * len(rows))), len(rows) - 1)
        held |= {*rows[:count].tolist()}
    rest = [row for row in range(len(labelled.texts)) if row not in held]
    return labelled.at(rest), labelled.at(sorted(held))


def sample(labelled: Labelled, per_label: int | None, seed: int) -> Labelled:
    """Returns `per_label` random texts of each label, or all where there are fewer.

    A larger sample with the same seed contains the smaller one. None returns all texts.
    """
    if per_label is None:
        return labelled
    rng = np.random.default_rng(seed)
    rows = [_shuffled(labelled, name, rng)[:per_label] for name in labelled.names]
    return labelled.at(np.concatenate(rows))


def _shuffled(labelled, name, rng):
    """Returns the rows of a label in a random order."""
    return rng.permutation(np.flatnonzero(np.array(labelled.labels) == name))
