"""Texts in, an answer to each out: what the programs share that take many texts.

    def main(argv):
        space = texts.open_space(argv)
        return texts.answer(argv, lambda rows: {"length": [*map(len, rows)]})

B: texts of a batch.
"""

import itertools
import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

import keras_textvae
from export import space_flags
from keras_textvae import command_line, corpora
from keras_textvae.prepared import Progress

FLAGS = flags.FLAGS
BATCH = 64  # texts that are answered together
STANDARD_INPUT = "standard input"


class Row(NamedTuple):
    """A text, and the place that it was read from."""

    place: str
    text: str


def define_flags():
    """Defines the flags of the model, the texts and the output."""
    space_flags.define()
    flags.DEFINE_multi_string("text", None, "a text; repeat for more")
    flags.DEFINE_string(
        "file",
        None,
        "texts: lines, .csv, .tsv, .jsonl (.gz or .zst too) or .parquet (default: "
        "lines of standard input)",
    )
    flags.DEFINE_string(
        "text_column", None, "of the texts in --file (default: the one of that name)"
    )
    define_json()


def define_json():
    """Defines the flag that `show` reads."""
    flags.DEFINE_bool("json", False, "print JSON lines")


def open_space(argv) -> keras_textvae.TextSpace:
    """Returns the space that the flags name, if the command line is whole.

    Raises:
        ValueError: if it is not.
        FileNotFoundError, ConnectionError, ImportError: as `pretrained.find`.
    """
    folder = space_flags.folder(argv)
    if FLAGS.file is not None and FLAGS.text:
        raise ValueError("--file excludes --text.")
    if FLAGS.text_column and corpora.format_of(FLAGS.file or "") == "txt":
        raise ValueError("--text_column needs a --file with columns.")
    return keras_textvae.open_space(folder)


def show(record: dict | None):
    """Prints a record as JSON, or for people: its last value if that is a text.

    None, of a text without an answer, is no line.
    """
    if record is None:
        return
    *_, last = record.values()
    if FLAGS.json:
        print(json.dumps(record, default=lambda array: array.tolist()))
    elif isinstance(last, str):
        print(last)
    else:
        print(*(f"{name}: {_readable(x)}" for name, x in record.items()), sep="\t")


def answer(argv, compute: Callable, write: Callable = show) -> int:
    """Answers the texts that the flags name, in their order, and returns the exit code.

    A text that can't be answered is told on standard error, and the others are answered
    all the same. Texts are read no sooner than they are answered.

    Args:
        argv: what `main` received.
        compute: texts, a list of B str -> dict of name to column, B values.
        write: takes each text's record, {"text": text, name: value, ...}, or None where
            there is no answer.

    Raises:
        ValueError: if there is no text, or a line is not UTF-8.
        FileNotFoundError: if there is no such file.
    """
    rows, total = _rows()
    code = 0
    # On a terminal the answers themselves show how far it is.
    verbose = total and sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress("answering", total, verbose) as progress:
        while batch := list(itertools.islice(rows, BATCH)):
            for row, values, error in _answered(compute, batch):
                if error:
                    sys.stdout.flush()
                    progress.clear()
                    code = command_line.fail(argv, f"{row.place}: {error}")
                write(None if error else {"text": row.text} | values)
            sys.stdout.flush()
            progress.add(len(batch))
    if not progress.done:
        raise ValueError(f"no text in {FLAGS.file or STANDARD_INPUT}.")
    return code


def _answered(compute, batch) -> Iterator[tuple]:
    """Yields each row of a batch, and its values, or its error; the other is None."""
    try:
        columns = compute([row.text for row in batch])
    except ValueError as error:
        if not _of_a_text(error):
            raise
        if len(batch) == 1:
            yield batch[0], None, error
            return
        middle = len(batch) // 2
        yield from _answered(compute, batch[:middle])
        yield from _answered(compute, batch[middle:])
        return
    names = columns.keys()
    for row, values in zip(batch, zip(*columns.values(), strict=True), strict=True):
        yield row, dict(zip(names, values, strict=True)), None


def _of_a_text(error) -> bool:
    """Whether a check inside the graph failed, not one of the model or an option."""
    return isinstance(error.__cause__, tf.errors.InvalidArgumentError)


def _rows() -> tuple[Iterator[Row], int]:
    """Returns the texts, and how many there are; 0 if that is not known."""
    if FLAGS.text:
        rows = [Row(f"text {n}", text) for n, text in enumerate(FLAGS.text, start=1)]
        return iter(rows), len(rows)
    if FLAGS.file is None:
        lines = corpora.read_input()
        return (Row(f"{STANDARD_INPUT}, line {n}", text) for n, text in lines), 0
    # Only a regular file can be read twice.
    total = sum(1 for _ in _rows_of_file()) if os.path.isfile(FLAGS.file) else 0
    return _rows_of_file(), total


def _rows_of_file() -> Iterator[Row]:
    for number, text, _ in corpora.read_rows(FLAGS.file, FLAGS.text_column):
        yield Row(corpora.row_place(FLAGS.file, number), corpora.one_line(text))


def _readable(value) -> str:
    if isinstance(value, str):
        return value
    numbers = np.atleast_1d(value)
    form = ".3f" if numbers.dtype.kind == "f" else "d"
    return " ".join(f"{number:{form}}" for number in numbers)
