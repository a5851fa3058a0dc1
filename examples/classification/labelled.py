"""Labelled texts: files of them, and samples with a number of texts per label."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from absl import flags

from keras_textvae.corpora import one_line, read_lines, read_rows, row_place


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


def define_columns():
    """Defines the flag of the columns that `read` takes."""
    flags.DEFINE_list(
        "labelled_columns",
        None,
        "columns of label and text, as stars,review, where the labelled files are "
        ".csv, .jsonl, .parquet or .tsv with a header (default: a label, a tab and a "
        "text in each line)",
    )


def read(path: str, allowed=None, columns=None) -> Labelled:
    """Reads labelled texts of a file.

    Args:
        path: str.
        allowed: the labels that may occur; None allows any, but at least two of them.
        columns: those of labels and texts in a file that `corpora.read_rows` reads, or
            of labels alone where it finds the other. None means lines of label, tab,
            text.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: with file and line, for a line without a tab, without a label or
            text, or with another label; for no line, or one label only; and as
            `corpora.read_rows` does.
    """
    return _read(path, allowed, columns)[1]


def _read(path, allowed, columns) -> tuple[list[int], Labelled]:
    """Returns the numbers of rows too."""
    numbers, texts, labels = [], [], []
    for number, label, text in _rows(path, columns):
        place = row_place(path, number)
        if not (label.strip() and text.strip()):
            raise ValueError(f"{place}: a label, a tab and a text are needed.")
        if allowed is not None and label not in allowed:
            raise ValueError(
                f"{place}: {label!r} was never seen in training, only "
                f"{', '.join(allowed)}."
            )
        numbers.append(number)
        texts.append(text)
        labels.append(label)
    if not texts or (allowed is None and len({*labels}) < 2):
        raise ValueError(
            f"{path}: {len(texts)} texts with {len({*labels})} labels; a classifier "
            "needs two labels or more."
        )
    return numbers, Labelled(texts, labels)


def _rows(path, columns) -> Iterator[tuple[int, str, str]]:
    if not columns:
        for number, line in read_lines(path):
            label, _, text = line.partition("\t")
            yield number, label, text
        return
    if len(columns) > 2:
        raise ValueError(f"--labelled_columns={','.join(columns)}: label, text.")
    label_column, text_column = (*columns, None)[:2]
    for number, text, label in read_rows(path, text_column, label_column):
        if text.strip():
            yield number, label, one_line(text)


def read_fitting(path: str, codec, allowed=None, columns=None) -> Labelled:
    """Reads a labelled file, as `read`, whose texts a codec takes.

    Raises:
        ValueError: as `read` and `check_lengths`.
    """
    numbers, labelled = _read(path, allowed, columns)
    check_lengths(path, numbers, labelled.texts, codec)
    return labelled


def check_lengths(path: str, numbers, texts, codec):
    """Raises ValueError, with file and line, for a text that a codec does not take.

    Args:
        path: of the file.
        numbers: of the texts' rows, from 1.
        texts: list of str.
        codec: `tokenizers.Codec`.
    """
    if texts and not all(fits := codec.fits(texts).numpy()):
        raise ValueError(
            f"{row_place(path, numbers[int(np.argmin(fits))])}: more than the "
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
