"""Rows of texts, and of their labels: what stands in one, and what is wrong there."""

import numbers
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

Row = tuple[int, str, str | None]  # its number, from 1, its text and its label

USUAL = ("text", "sentence")  # columns that are taken if no other is named
SHOWN = 40  # most characters of a value in a message


class BadRow(Exception):
    """What is wrong with a row; whoever knows where it is makes a message of it.

    Attributes:
        number: of the row, or 0 if it is wrong with all.
        reason: a sentence.
    """

    def __init__(self, number: int, reason: str):
        super().__init__(number, reason)
        self.number = number
        self.reason = reason


def read_items(
    items: Iterable,
    name: str,
    text_column: str | None = None,
    label_column: str | None = None,
) -> Iterator[Row]:
    """Streams the rows of an iterable, as `read_rows` those of a file.

    Args:
        items: texts, (text, label) pairs, or dicts by column; a text may be bytes. It
            may be a list, a generator, a `datasets.Dataset` or a `tf.data.Dataset`.
        name: what messages call it.
        text_column, label_column: of dicts, see `read_rows`.

    Raises:
        ValueError: as `read_rows`, and for items of other kinds.
    """
    if isinstance(items, str | bytes) or hasattr(items, "keys"):
        raise ValueError(
            f"{name}: texts, pairs or dicts are needed, one after another. "
            f"Received: {type(items).__name__}"
        )
    if as_numpy := getattr(items, "as_numpy_iterator", None):  # of `tf.data`
        items = as_numpy()
    columns = None
    try:
        for number, item in enumerate(items, start=1):
            if isinstance(item, Mapping):
                columns = columns or choose(number, item, text_column, label_column)
                text, label = cells_of(number, item, columns)
                labelled = label_column is not None
            else:
                if text_column is not None or label_column is not None:
                    raise BadRow(number, f"no columns, but {shown(item)}.")
                labelled = isinstance(item, tuple | list) and len(item) == 2
                text, label = item if labelled else (item, None)
            text = text_of(number, text)
            labelled = labelled and text.strip()
            yield number, text, label_of(number, label) if labelled else None
    except BadRow as error:
        raise ValueError(f"{name}, item {error.number}: {error.reason}") from None


def choose(
    number: int,
    names: Collection[str],
    text_column: str | None,
    label_column: str | None,
) -> tuple[str, str | None]:
    """Returns the columns of text and label.

    Args:
        number: of the row that names the columns.
        names: of all columns.
        text_column, label_column: see `read_rows`.

    Raises:
        BadRow: unless the two are there, once, and none has to be guessed.
    """
    names, there = [*names], ", ".join(map(str, names))
    for column in (text_column, label_column):
        if column is not None and names.count(column) != 1:
            kind = "two columns" if column in names else "no column"
            raise BadRow(number, f"{kind} {column!r} among these: {there}.")
    if text_column is None:
        others = [name for name in names if name != label_column]
        usual = others if len(others) == 1 else [x for x in others if x in USUAL]
        if len(usual) != 1:
            raise BadRow(
                number,
                "which column has the texts (`text_column`, --text_column)? There are: "
                f"{there}.",
            )
        (text_column,) = usual
    if text_column == label_column:
        raise BadRow(number, f"{text_column!r} is the column of texts and of labels.")
    return text_column, label_column


def cells_of(number: int, row: Mapping, columns: tuple[str, str | None]) -> list:
    """Returns the values of a row in the columns of text and label.

    Raises:
        BadRow: if one is not there.
    """
    try:
        return [None if name is None else row[name] for name in columns]
    except KeyError as error:
        there = ", ".join(map(str, row))
        raise BadRow(number, f"no column {error} among these: {there}.") from None


def text_of(number: int, value: object) -> str:
    """Returns the text that a value is; None is "".

    Raises:
        BadRow: if it is none.
    """
    if value is None:
        return ""
    try:
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, str):
            value.encode()  # fails if there is half a character, as JSON allows
            return value
    except UnicodeError as error:
        raise BadRow(number, f"not UTF-8 ({error}).") from None
    raise BadRow(number, f"{shown(value)} is no text.")


def label_of(number: int, value: object) -> str:
    """Returns a label as it is written: one line, without tabs.

    Raises:
        BadRow: if there is none.
    """
    if isinstance(value, bytes | str):
        if label := " ".join(text_of(number, value).split()):
            return label
    elif isinstance(value, numbers.Real | np.bool_) and value == value:  # no NaN
        return str(value)
    raise BadRow(number, f"the label is missing: {shown(value)}.")


def shown(value: object) -> str:
    """Returns a value for a message, cut where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
