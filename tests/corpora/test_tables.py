"""Rows of files in each format, one content against them all, and what goes wrong."""

import gzip
import json
import os
import sys

import pyarrow as pa
import pyarrow.parquet
import pytest

from keras_textvae import corpora

TABLE = [
    {"id": 1, "text": "a cat", "label": "x"},
    {"id": 2, "text": "a dog, é", "label": "y"},
    {"id": 3, "text": "", "label": "x"},
    {"id": 4, "text": '"quoted"', "label": "z"},
]
ROWS = [(row["text"], row["label"] if row["text"] else None) for row in TABLE]


def quoted(cell):
    return '"' + str(cell).replace('"', '""') + '"'


def as_text(format, table=TABLE):
    if format == "txt":
        return "".join(f"{row['text']}\n" for row in table)
    if format in ("jsonl", "ndjson", "json"):
        return "".join(f"{json.dumps(row)}\n" for row in table)
    cells = [[*table[0]], *([*row.values()] for row in table)]
    if format == "tsv":
        return "".join("\t".join(map(str, row)) + "\n" for row in cells)
    return "".join(",".join(map(quoted, row)) + "\r\n" for row in cells)


def compressed(content, suffix):
    if suffix == ".gz":
        return gzip.compress(content)
    if suffix == ".zst":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(content)
        return sink.getvalue().to_pybytes()
    return content


def rows_of(path, content, *columns):
    """Writes a file, and reads its rows."""
    content = content.encode() if isinstance(content, str) else content
    path.write_bytes(content)
    return [*corpora.read_rows(path, *columns)]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "ndjson", "json", "txt"])
def test_every_format_has_the_same_rows(tmp_path, format, suffix):
    path = tmp_path / f"a.{format}{suffix}"
    content = compressed(f"\ufeff{as_text(format)}".encode(), suffix)
    sizes = []
    first = 2 if format in ("csv", "tsv") else 1  # after the names
    numbers = range(first, first + len(ROWS))
    columns = () if format == "txt" else ("text", "label")
    rows = [(text, label if columns else None) for text, label in ROWS]
    expected = [(n, *row) for n, row in zip(numbers, rows, strict=True)]
    assert rows_of(path, content, *columns) == expected
    assert [*corpora.read_rows(path, report=sizes.append)]
    assert sum(sizes) == len(content)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
@pytest.mark.parametrize("categories", [False, True])
def test_parquet_has_the_same_rows_whatever_its_text_is(tmp_path, kind, categories):
    texts = pa.array([row["text"] for row in TABLE] * 1000, kind)
    labels = pa.array([row["label"] for row in TABLE] * 1000)
    if categories:
        texts, labels = texts.cast(pa.string()).dictionary_encode(), labels
        labels = labels.dictionary_encode()
    table = pa.table({"a.b": texts, "label": labels})
    path, sizes = tmp_path / "a.parquet", []
    pa.parquet.write_table(table, path)
    rows = [*corpora.read_rows(path, "a.b", "label", sizes.append)]
    assert rows == [(n, *row) for n, row in enumerate(ROWS * 1000, start=1)]
    assert 0.9 * path.stat().st_size < sum(sizes) <= path.stat().st_size


def test_labels_may_be_numbers_and_truth_values(tmp_path):
    table = [{"text": "a", "label": x} for x in (3, True, 0.5, " b\tc ")]
    rows = rows_of(tmp_path / "a.jsonl", as_text("jsonl", table), None, "label")
    assert [label for _, _, label in rows] == ["3", "True", "0.5", "b c"]


def test_the_column_of_texts_is_taken_where_only_one_can_be_meant(tmp_path):
    path = tmp_path / "a.csv"
    assert rows_of(path, "review\na\n") == [(2, "a", None)]
    assert rows_of(path, "id,text\n1,a\n") == [(2, "a", None)]
    assert rows_of(path, "sentence,id\na,1\n") == [(2, "a", None)]
    assert rows_of(path, "stars,review\n1,a\n", None, "stars") == [(2, "a", "1")]
    assert rows_of(path, "id;text\n1;a, b\n") == [(2, "a, b", None)]
    for header in ("id,review", "text,sentence"):
        with pytest.raises(ValueError, match="which column has the texts") as raised:
            rows_of(path, f"{header}\na,b\n")
        assert str(raised.value).endswith(f"There are: {header.replace(',', ', ')}.")


def test_cells_of_a_csv_may_have_breaks_quotes_and_any_length(tmp_path):
    long = "word " * 100_000
    content = f'text\n"a\r\nb ""c"""\n"{long}"\n\0a\n\n'
    rows = rows_of(tmp_path / "a.csv", content)
    texts = [(2, 'a\nb "c"', None), (4, long, None), (5, "\0a", None), (6, "", None)]
    assert rows == texts


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "txt"])
def test_an_empty_file_has_no_rows(tmp_path, format):
    assert rows_of(tmp_path / f"a.{format}", "") == []


def test_a_quote_in_a_tsv_is_a_letter(tmp_path):
    rows = rows_of(tmp_path / "a.tsv", 'text\tlabel\n"a" b\tx\n"c\ty\n')
    assert rows == [(2, '"a" b', None), (3, '"c', None)]


PARQUET = {"a": [1, 2], "b": ["x", None]}
BAD = {
    "no column": ("a.csv", "a,b\n1,2\n", ("c",), "a.csv, line 1: no column 'c' among"),
    "those": ("a.csv", "a,b\n1,2\n", ("c",), "among these: a, b."),
    "no label": ("a.csv", "a,b\n1,2\n", ("a", "c"), "line 1: no column 'c' among"),
    "two": ("a.csv", "a,a\n1,2\n", ("a",), "line 1: two columns 'a' among these"),
    "same": ("a.csv", "a,b\n1,2\n", ("a", "a"), "'a' is the column of texts and of"),
    "short": (
        "a.csv",
        "a,b\n1,2\n3\n",
        ("a",),
        "line 3: 1 cells, but 2 columns (a",
    ),
    "long": ("a.tsv", "a\tb\n1\t2\t3\n", ("a",), "a.tsv, line 2: 3 cells, but 2"),
    "open": ("a.csv", 'a\nb\n"c\nd\ne\n', (), "line 3: a quote that is opened is not"),
    "huge": ("a.csv", 'a\n"' + "b" * (1 << 24), (), "line 2: a quote that is opened"),
    "quote": ("a.csv", 'a\n"b\n" c\n', (), "line 2: bad quotes or line ends"),
    "return": ("a.csv", "a\nb\rc\n", (), "line 2: bad quotes or line ends"),
    "latin": ("a.csv", b"a\nb\n\xe9\n", (), "a.csv, line 3: not UTF-8"),
    "no object": (
        "a.jsonl",
        '{"a": "b"}\n["a"]\n',
        (),
        "line 2: no JSON object in",
    ),
    "no JSON": ("a.jsonl", '{"a": "b"}\n\n{"a"\n', (), "a.jsonl, line 3: no JSON"),
    "deep": ("a.jsonl", "[" * 100_000, (), "a.jsonl, line 1: no JSON"),
    "no key": ("a.jsonl", '{"a":"b"}\n{"c": 1}\n', (), "line 2: no column 'a' among"),
    "half": ("a.jsonl", '{"a": "\\ud800"}\n', (), "line 1: not UTF-8"),
    "number": ("a.jsonl", '{"a": 5}\n', ("a",), "line 1: 5 is no text"),
    "null": ("a.jsonl", '{"a":"b","c":null}\n', ("a", "c"), "the label is missing"),
    "blank": ("a.csv", "a,b\nc,x\nd, \n", ("a", "b"), "line 3: the label is missing"),
    "NaN": ("a.jsonl", '{"a":"b","c":NaN}\n', ("a", "c"), "the label is missing: nan"),
    "list": ("a.jsonl", '{"a":"b","c":[1]}\n', ("a", "c"), "label is missing: [1]"),
    "lines": ("a.txt", "a\n", (None, "b"), "a.txt: lines of text, without a column"),
    "cut": ("a.csv.gz", gzip.compress(b"a\nb\n")[:-9], (), "broken gzip data"),
    "no zstd": (
        "a.csv.zst",
        b"a\nb\n",
        (),
        "after line 0: broken zstd data",
    ),
    "no Parquet": ("a.parquet", b"a\nb\n", (), "a.parquet, row 1: broken Parquet"),
    "numbers": ("a.parquet", PARQUET, ("a",), "a.parquet, row 1: 1 is no text"),
    "no name": (
        "a.parquet",
        PARQUET,
        ("c",),
        "a.parquet: no column 'c' among these",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_one_line_that_says_where(tmp_path, name):
    file, content, columns, message = BAD[name]
    path = tmp_path / file
    if isinstance(content, dict):
        pa.parquet.write_table(pa.table(content), path)
        content = path.read_bytes()
    with pytest.raises(ValueError) as raised:
        rows_of(path, content, *columns)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_truncated_zst_is_broken(tmp_path):
    content = compressed("".join(f"{n}\n" for n in range(400_000)).encode(), ".zst")
    path = tmp_path / "a.txt.zst"
    path.write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"after line \d{6}: broken zstd data"):
        [*corpora.read_lines(path)]


def test_text_of_a_parquet_that_is_no_utf8_is_named_by_its_row(tmp_path):
    texts = pa.array([b"a", b"\xe9", b"b"], pa.binary()).view(pa.string())
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"text": texts}), path)
    with pytest.raises(ValueError, match="a.parquet, row 2: not UTF-8"):
        [*corpora.read_rows(path)]


@pytest.mark.parametrize("name", ["a.parquet", "a.csv.zst"])
def test_what_is_not_installed_is_named(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(b"")
    for module in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=r"needs pyarrow: pip install .*\[files\]"):
        [*corpora.read_rows(tmp_path / name)]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_missing_file_and_a_folder_are_called_so(tmp_path, name):
    with pytest.raises(FileNotFoundError, match=f"{name} does not exist"):
        [*corpora.read_rows(tmp_path / name)]
    os.mkdir(tmp_path / name)
    with pytest.raises(IsADirectoryError, match=name):
        [*corpora.read_rows(tmp_path / name)]
