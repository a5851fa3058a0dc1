"""Texts, and their labels, in the rows of a file: .csv, .tsv, .jsonl, .parquet, .txt.

    format    rows                                 columns
    csv       of RFC 4180, with quotes; between    named by the first row
              semicolons if there is no comma
              in the first row
    tsv       between tabs; a quote is a letter    named by the first row
    jsonl     a JSON object a line                 the objects' keys
    parquet   needs pyarrow                        the file's
    txt       a text a line                        none

All but Parquet may be .gz or .zst; .ndjson and .json are read as .jsonl.
"""

import csv
import itertools
import json
import os
from collections.abc import Callable, Iterator

from keras_textvae.corpora.reading import (
    COMPRESSED,
    extra,
    place_of,
    read_chunks,
)
from keras_textvae.corpora.rows import (
    BadRow,
    Row,
    cells_of,
    choose,
    label_of,
    shown,
    text_of,
)

Report = Callable[[int], None]

FORMATS = {
    ".txt": "txt",
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
SUFFIXES = tuple(  # of the names of files of texts
    suffix + compressed
    for suffix in FORMATS
    for compressed in ("", *COMPRESSED)
    if suffix != ".parquet" or not compressed
)
CELL = 1 << 24  # most characters of a cell of a .csv; more are a quote left open
BATCH = 1024  # rows of a Parquet file that are read together


def format_of(file: str | os.PathLike) -> str:
    """Returns the format of a file by its name; any other name is that of a txt."""
    name = os.path.basename(os.fspath(file)).lower()
    ends = (suffix for suffix in SUFFIXES if name.endswith(suffix))
    return FORMATS[f".{next(ends, '.txt').split('.')[1]}"]


def row_place(file: str | os.PathLike, number: int) -> str:
    """Returns what messages call a row: its file, and its first line there."""
    unit = "row" if format_of(file) == "parquet" else "line"
    return f"{place_of(file)}, {unit} {number}"


def read_rows(
    file: str | os.PathLike,
    text_column: str | None = None,
    label_column: str | None = None,
    report: Report = lambda size: None,
) -> Iterator[Row]:
    """Streams the rows of a file of any format.

    Args:
        file: its path.
        text_column: the column of the texts. None means the only one beside the labels,
            or else the one that is called "text" or "sentence".
        label_column: the column of the labels: text, numbers or truth values. None
            means that there are none.
        report: called with how many bytes of the file each part took.

    Yields:
        A row's number, which is that of its first line; its text, which may have line
        breaks; and its label, None without `label_column`. A text that is missing (a
        null, a blank line) is "", and has no label.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: with one line that says where, for a column that is not there, a row
            of more or fewer cells, bad quotes or JSON, a value that is no text, a label
            that is missing, and what `read_lines` refuses.
    """
    rows = READERS[format_of(file)](file, text_column, label_column, report)
    try:
        for number, text, label in rows:
            if not isinstance(text, str):
                text = text_of(number, text)
            if label_column is not None:
                label = label_of(number, label) if text.strip() else None
            yield number, text, label
    except BadRow as error:
        place = row_place(file, error.number) if error.number else place_of(file)
        raise ValueError(f"{place}: {error.reason}") from None


def _txt(file, text_column, label_column, report):
    if label_column is not None:
        raise BadRow(0, f"lines of text, without a column {label_column!r} of labels.")
    for first, lines in read_chunks(file, report):
        for number, line in enumerate(lines, start=first):
            yield number, line.decode(), None


def _csv(file, text_column, label_column, report):
    # The limit is the process's: to raise it is all that disturbs no other reader.
    csv.field_size_limit(max(CELL, csv.field_size_limit()))
    lines = (
        f"{line.decode()}\n" for _, lines in read_chunks(file, report) for line in lines
    )
    first = [*itertools.islice(lines, 1)]
    delimiter = ";" if ";" in "".join(first) and "," not in first[0] else ","
    rows = _quoted(itertools.chain(first, lines), delimiter)
    return _of_cells(rows, text_column, label_column)


def _quoted(lines, delimiter):
    """Yields the number of a row's first line, and its cells."""
    rows, number = csv.reader(lines, delimiter=delimiter, strict=True), 1
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reason = f"bad quotes or line ends ({error})."
            if "unexpected end" in str(error) or "field limit" in str(error):
                reason = "a quote that is opened is not closed."
            raise BadRow(number, reason) from None
        yield number, cells
        number = rows.line_num + 1


def _tsv(file, text_column, label_column, report):
    rows = (
        (number, line.decode().split("\t"))
        for first, lines in read_chunks(file, report)
        for number, line in enumerate(lines, start=first)
    )
    return _of_cells(rows, text_column, label_column)


def _of_cells(rows, text_column, label_column):
    """Yields number, text and label of rows of cells, of which the first has names."""
    number, names = next(rows, (0, ()))
    if not number:
        return
    columns = choose(number, names, text_column, label_column)
    text, label = (None if name is None else names.index(name) for name in columns)
    for number, cells in rows:
        if len(cells) == len(names):
            yield number, cells[text], None if label is None else cells[label]
        elif any(cells):
            raise BadRow(
                number,
                f"{len(cells)} cells, but {len(names)} columns ({', '.join(names)}).",
            )
        else:  # a blank line
            yield number, "", None


def _jsonl(file, text_column, label_column, report):
    columns = None
    for number, line, _ in _txt(file, None, None, report):
        if not line.strip():
            yield number, "", None
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BadRow(number, f"no JSON object in one line ({error}).") from None
        if not isinstance(row, dict):
            raise BadRow(number, f"no JSON object in one line, but {shown(row)}.")
        columns = columns or choose(number, row, text_column, label_column)
        text, label = cells_of(number, row, columns)
        yield number, text_of(number, text) if "\\u" in line else text, label


def _parquet(file, text_column, label_column, report):
    arrow = extra("pyarrow", place_of(file))
    parquet = extra("pyarrow.parquet", place_of(file))
    first = 1
    try:
        with open(file, "rb") as raw:
            table = parquet.ParquetFile(raw)
            size, rows = os.path.getsize(file), table.metadata.num_rows
            columns = choose(0, table.schema_arrow.names, text_column, label_column)
            names = [name for name in columns if name is not None]
            for batch in table.iter_batches(BATCH, columns=names, use_threads=False):
                count = batch.num_rows
                texts, *labels = (_values(arrow, batch.column(x)) for x in names)
                labels = labels[0] if labels else [None] * count
                numbers = range(first, first + count)
                yield from zip(numbers, texts, labels, strict=True)
                report(size * count // rows)
                first += count
    except FileNotFoundError:
        raise FileNotFoundError(f"{place_of(file)} does not exist.") from None
    except (arrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None):
            raise
        reason = str(error).partition("\n")[0]
        raise BadRow(first, f"broken Parquet from here on ({reason}).") from None


READERS = {"txt": _txt, "csv": _csv, "tsv": _tsv, "jsonl": _jsonl, "parquet": _parquet}


def _values(arrow, column) -> list:
    """Returns the values of a column, texts as bytes, which may not be UTF-8."""
    if arrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kinds = arrow.string(), arrow.large_string(), arrow.string_view()
    if column.type in kinds:
        column = column.cast(arrow.large_binary())
    return column.to_pylist()
