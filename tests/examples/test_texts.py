"""What the programs share that answer texts."""

import gzip
import io
import json
import sys
import types

import pytest

from examples import encode, impute, reconstruct, score, texts
from keras_textvae.corpora import progress

ALL = [encode, impute, reconstruct, score]
TEXTS = ["the cat sees a _", "big _", "old _ dog", "_ dog", "the the _ cat"]
LONG = "a _ sees the big dog"  # a word more than the space's 5


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(texts, "BATCH", 3)


@pytest.fixture
def typed(monkeypatch):
    """A function that puts bytes on standard input."""

    def typed(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))

    return typed


def written(path, lines):
    content = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return f"--file={path}"


def test_texts_are_read_from_flags_files_and_standard_input(
    run, opened, space, tmp_path, typed
):
    expected = 0, space.impute(TEXTS, steps=3), []
    assert len({*expected[1]}) == len(TEXTS)
    rows = [f"--text={text}" for text in TEXTS]
    assert run(impute, f"--run_dir={opened}", *rows) == expected
    for name in ("texts.txt", "texts.txt.gz"):
        file = written(tmp_path / name, TEXTS)
        assert run(impute, f"--run_dir={opened}", file) == expected
    typed(b"\xef\xbb\xbf" + "\r\n".join(TEXTS).encode())  # as Windows writes
    assert run(impute, f"--run_dir={opened}") == expected


def test_texts_are_read_from_a_column_and_named_by_its_lines(run, opened, tmp_path):
    cells = ["old dog", "the cat\n\nsees", LONG, "big"]
    rows = "".join(f'{n},"{text}"\n' for n, text in enumerate(cells))
    (tmp_path / "a.csv").write_text(f"id,review\n{rows}")
    flags = [f"--run_dir={opened}", "--json", f"--file={tmp_path}/a.csv"]
    ended = run(score, *flags, "--text_column=review")
    assert ended.code == 2
    texts = [json.loads(line)["text"] for line in ended.output]
    assert texts == ["old dog", "the cat sees", "big"]
    (line,) = ended.errors
    assert f"{tmp_path}/a.csv, line 6: " in line
    for name, message in (("a.csv", "among these: id, review"), ("a.txt", "columns")):
        flags = [f"--run_dir={opened}", f"--file={tmp_path}/{name}"]
        ended = run(score, *flags, "--text_column=text")
        assert (ended.code, ended.output) == (2, [])
        assert message in ended.errors[0]


@pytest.mark.parametrize("program", ALL)
def test_a_text_that_fails_is_told_and_the_others_are_answered(
    run, opened, tmp_path, program
):
    good = [TEXTS[0], TEXTS[2], TEXTS[4]]
    file = written(tmp_path / "texts.txt", [LONG, *good[:2], LONG, good[2], LONG])
    flags = [f"--run_dir={opened}", "--json"]
    ended = run(program, *flags, file)
    assert ended.code == 2
    records = [json.loads(line) for line in ended.output]
    assert [record["text"] for record in records] == good
    alone = run(program, *flags, *(f"--text={text}" for text in good))
    for record, line in zip(records, alone.output, strict=True):
        expected = json.loads(line)
        assert record.get("imputation") == expected.get("imputation")
        assert record.get("kl", 0.0) == pytest.approx(expected.get("kl", 0.0), 1e-5)
    for line, number in zip(ended.errors, (1, 4, 6), strict=True):
        assert line.startswith(f"{program.__name__.rpartition('.')[2]}.py: ")
        assert f"{tmp_path}/texts.txt, line {number}: " in line
        assert "more than 5 words" in line


def test_a_mistake_that_is_no_text_s_is_told_once(run, opened):
    rows = ["--text=a _", "--text=a dog _"]
    ended = run(impute, f"--run_dir={opened}", *rows, "--beams=99")
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert "99 beams, 12 ids" in line


def test_no_more_is_read_than_is_answered(run, opened, space, monkeypatch):
    read, when = 0, []

    def lines():
        nonlocal read
        for text in TEXTS * 2:
            read += 1
            yield f"{text}\n".encode()

    def reconstructed(rows):
        when.append((read, len(rows)))
        return rows

    monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=lines()))
    monkeypatch.setattr(space, "reconstruct", reconstructed)
    assert run(reconstruct, f"--run_dir={opened}").output == TEXTS * 2
    assert when == [(3, 3), (6, 3), (9, 3), (10, 1)]


@pytest.mark.parametrize("piped", [True, False])
def test_a_terminal_shows_how_far_it_is(run, opened, monkeypatch, tmp_path, piped):
    file = written(tmp_path / "texts.txt", [*TEXTS, LONG])
    monkeypatch.setattr(progress, "FIRST", 0.0)
    monkeypatch.setattr(progress, "SECONDS", {True: 0.0})
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: not piped)
    errors = "\n".join(run(reconstruct, f"--run_dir={opened}", file).errors)
    assert ("answering: 50%, about " in errors) == piped
    # The line is cleared before a message.
    assert ("\x1b[Kreconstruct.py: " in errors) == piped


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text=a"], "--run_dir or --preset is needed"),
        (["--run_dir=RUN", "--text=a", "extra"], "no argument without a name"),
        (["--run_dir=RUN", "--text=a", "--file=b"], "--file excludes --text"),
        (["--run_dir=/nowhere", "--text=a"], "/nowhere holds no text space"),
        (["--run_dir=RUN", "--file=/nowhere"], "/nowhere does not exist"),
        (["--run_dir=RUN", "--file=FOLDER"], "FOLDER: Is a directory"),
        (["--run_dir=RUN", "--file=FOLDER/empty"], "no text in FOLDER/empty"),
        (["--run_dir=RUN", "--file=FOLDER/latin"], "FOLDER/latin, line 2: not UTF-8"),
        (["--run_dir=RUN"], "standard input, line 2: not UTF-8"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    run, opened, tmp_path, typed, arguments, message
):
    (tmp_path / "empty").touch()
    (tmp_path / "latin").write_bytes(b"a dog\n\xe9t\xe9\n")
    typed(b"a dog\n\xe9t\xe9\n")

    def named(text):
        return text.replace("RUN", opened).replace("FOLDER", str(tmp_path))

    ended = run(score, *map(named, arguments))
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("score.py: ")
    assert named(message) in line


def test_nothing_on_standard_input_is_told(run, opened, typed, monkeypatch):
    typed(b"")
    errors = ["score.py: no text in standard input."]
    assert run(score, f"--run_dir={opened}") == (2, [], errors)
    monkeypatch.setattr("sys.stdin", None)  # as Python has it where it is closed
    assert run(score, f"--run_dir={opened}") == (2, [], errors)
