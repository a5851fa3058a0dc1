"""Corpora collected from files, pipes and Python: what is in them, and what is not."""

import concurrent.futures
import errno
import io
import json
import os
import pathlib
import time

import pytest

from keras_textvae import corpora, prepare
from keras_textvae.corpora import collecting, dealing
from keras_textvae.prepared import Text

TEXTS = [f"text {number}" for number in range(300)]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder that holds what was collected."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(folder))
    return folder / "collected"


def lines(paths):
    return [text for path in paths for _, text in corpora.read_lines(path)]


def splits(corpus):
    return {split: lines(getattr(corpus, split)) for split in corpora.SPLITS}


def together(corpus):
    return sorted(sum(splits(corpus).values(), []))


def write_csv(path, texts, labels=None):
    labels = ["y", *(labels or ["label"] * len(texts))]
    with open(path, "w") as file:
        for text, label in zip(["text", *texts], labels, strict=True):
            print(f'"{text}",{label}', file=file)
    return path


def written(cache):
    return sorted(path.name for path in cache.iterdir() if path.name[0] != ".")


def test_plain_files_with_validation_files_are_the_corpus(tmp_path, cache):
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text("a\n")
    files = tmp_path / "a.txt", tmp_path / "b.txt"
    assert corpora.collect(*files) == corpora.from_files(*files)
    assert corpora.collected(corpora.collect(*files)) is None
    assert not cache.exists()


def test_texts_of_all_formats_are_one_corpus_split_by_hash(tmp_path):
    folder = tmp_path / "my [texts]"
    folder.mkdir()
    (folder / "a.txt").write_text("\n".join([*TEXTS[:100], "", TEXTS[0]]))
    write_csv(folder / "b c.csv", TEXTS[100:200])
    rows = ({"text": text} for text in TEXTS[200:])
    (folder / "d.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    corpus = corpora.collect(folder)
    assert corpus[:1] + corpus.labels == ("files",)
    assert together(corpus) == sorted([*TEXTS, TEXTS[0]])
    collected = corpora.collected(corpus)
    by_split = splits(corpus)
    assert collected.texts == {split: len(some) for split, some in by_split.items()}
    assert (collected.empty, collected.paragraphs, collected.dropped) == (1, 0, False)
    assert sum(collected.duplicates.values()) == 1
    # The same texts in another order, and from Python, are dealt out alike.
    again = splits(corpora.collect_texts(reversed([*TEXTS, TEXTS[0]])))
    assert {split: sorted(some) for split, some in again.items()} == {
        split: sorted(some) for split, some in by_split.items()
    }


def test_it_is_written_once_and_found_by_content_and_options(
    tmp_path, cache, monkeypatch
):
    path = write_csv(tmp_path / "a.csv", [*TEXTS, TEXTS[0]])
    first = corpora.collect(path)
    with monkeypatch.context() as patched:
        patched.setattr(collecting, "Dealer", None)
        moved = path.rename(tmp_path / "b.csv")
        assert corpora.collect(str(moved)) == corpora.collect([moved]) == first
    others = {
        corpora.collect(moved, valid_share=0.1),
        corpora.collect(moved, drop_duplicates=True),
        corpora.collect(moved, label_column="y"),
        corpora.collect(moved.rename(tmp_path / "b.txt")),
        corpora.collect(write_csv(tmp_path / "c.csv", TEXTS)),
    }
    assert len({first, *others}) == 6 == len(written(cache))


def test_a_named_split_is_what_its_files_have(tmp_path):
    train = write_csv(tmp_path / "train.csv", TEXTS)
    valid = write_csv(tmp_path / "valid.csv", ["one", TEXTS[7], "one"])
    test = write_csv(tmp_path / "test.csv", ["two"])
    expected = {"train": TEXTS, "valid": ["one", TEXTS[7], "one"], "test": []}
    assert splits(corpora.collect(train, valid)) == expected
    corpus = corpora.collect(train, valid, test)
    assert splits(corpus) == expected | {"test": ["two"]}
    assert corpora.collected(corpus).duplicates == {"train": 0, "valid": 2, "test": 0}
    dropped = corpora.collect(train, valid, test, drop_duplicates=True)
    assert splits(dropped) == {"train": TEXTS, "valid": ["one"], "test": ["two"]}
    held_out = splits(corpora.collect(train, test=test))
    assert held_out["test"] == ["two"]
    assert sorted(held_out["train"] + held_out["valid"]) == sorted(TEXTS)
    assert corpora.load(tmp_path)[1:] == corpus[1:]


def test_labels_stay_beside_their_texts(tmp_path):
    texts = [f"{text}\t\n\n." for text in TEXTS]
    labels = [f"l{number % 3}" for number in range(300)]
    path = write_csv(tmp_path / "a.csv", texts, labels)
    corpus = corpora.collect(path, label_column="y")
    label_of = {f"{text}\t .": label for text, label in zip(TEXTS, labels, strict=True)}
    for some, table in zip(splits(corpus).values(), corpus.labels, strict=True):
        rows = [f"{label_of[text]}\t{text}" for text in some]
        assert lines([table]) == ["y\ttext", *rows]
    prepared = prepare(corpus, Text("words", length=9))
    names = prepared.label_names["y"]
    for split in prepared.splits:
        expected = [label_of[text] for text in splits(corpus)[split.name]]
        assert [names[n] for n in split.labels[:, 0]] == expected
    pairs = corpora.collect_texts(zip(texts, labels, strict=True))
    assert splits(pairs) == splits(corpus)
    header, *rows = lines([pairs.labels[0]])
    assert header == "label\ttext" and rows == lines([corpus.labels[0]])[1:]
    # What is dropped is dropped with its label.
    double = write_csv(tmp_path / "b.csv", [*texts, *texts], [*labels, *labels])
    dropped = corpora.collect(double, label_column="y", drop_duplicates=True)
    assert splits(dropped) == splits(corpus)
    assert lines(dropped.labels) == lines(corpus.labels)


def test_paragraphs_become_sentences(tmp_path):
    book = "".join(f"\nDr. {n} sat\ndown. He\nslept {n}!\n" for n in range(200))
    sentences = sorted(
        sentence
        for n in range(200)
        for sentence in (f"Dr. {n} sat down.", f"He slept {n}!")
    )
    (tmp_path / "a.txt").write_text(book)
    corpus = corpora.collect(tmp_path / "a.txt", language="en")
    assert together(corpus) == sentences
    collected = corpora.collected(corpus)
    assert (collected.paragraphs, collected.empty) == (200, 0)
    paragraphs = [f"Dr. {n} sat\ndown.\n\nHe\nslept {n}!\n" for n in range(200)]
    corpus = corpora.collect_texts([*paragraphs, " "], language="en")
    assert together(corpus) == sentences
    collected = corpora.collected(corpus)
    assert (collected.paragraphs, collected.empty) == (200, 1)


def test_standard_input_is_a_file_of_lines(monkeypatch, cache, tmp_path):
    def collect(**options):
        content = "\n".join(TEXTS).encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return corpora.collect("-", **options)

    corpus = collect()
    assert together(corpus) == sorted(TEXTS)
    assert collect() == corpus == corpora.collect_texts(TEXTS)
    assert written(cache) == [pathlib.Path(corpus.train[0]).parent.name]
    (tmp_path / "v.txt").write_text("a\n")
    assert splits(collect(valid=tmp_path / "v.txt"))["train"] == TEXTS
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\n\xe9\n")))
    with pytest.raises(ValueError, match="standard input, line 2: not UTF-8"):
        corpora.collect("-")


REFUSED = {
    "column": (["a.txt"], {"text_column": "x"}, "`text_column` .* no file has columns"),
    "labels": (["a.txt"], {"label_column": "x"}, "a.txt: lines of text, without a col"),
    "share": (["a.csv"], {"valid_share": 0.5}, "is below 0.5. Received: valid_share=0"),
    "none": (["a.csv"], {"valid_share": 0.0}, "Received: valid_share=0.0"),
    "valid": (["a.csv", "a.txt"], {"valid_share": 0.1}, "excludes validation texts"),
    "both": (["a.csv"], {"label_column": "y", "language": "en"}, "excludes `label_col"),
    "language": (["a.csv"], {"language": "english"}, "two or three letters"),
    "empty": (["e.csv"], {}, "e.csv has no text"),
    "few": (["f.csv"], {}, "3 texts leave none for valid, at valid_share=0.05"),
    "train": (["f.csv"], {"valid_share": 0.499}, "3 texts leave none for train"),
    "same": (
        ["a.csv", "f.csv"],
        {"drop_duplicates": True},
        "valid has no text, or none",
    ),
    "twice": (["a.csv", "a.csv"], {}, "a.csv is named twice"),
    "no train": ([[], "a.csv"], {}, "Training files are needed"),
    "input": (["-", "-"], {}, "- matches for train and for valid"),
    "folder": (["folder"], {}, "folder has no file of texts in it"),
    "ragged": (["r.csv"], {}, "r.csv, line 2: 3 cells, but 2 columns"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_collected_is_one_line_and_leaves_nothing(
    tmp_path, cache, name, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_csv("a.csv", TEXTS)
    write_csv("f.csv", TEXTS[:3])
    pathlib.Path("a.txt").write_text("a\n")
    pathlib.Path("e.csv").write_text("text,y\n,b\n\n")
    pathlib.Path("r.csv").write_text("text,y\n1,2,3\n")
    os.mkdir("folder")
    pathlib.Path("folder/README.txt").write_text("about them\n")
    files, options, message = REFUSED[name]
    with pytest.raises((ValueError, FileNotFoundError), match=message) as raised:
        corpora.collect(*files, **options)
    assert "\n" not in str(raised.value)
    assert not cache.exists() or not written(cache)


def test_a_folder_is_the_files_of_texts_in_it(tmp_path, capsys):
    folder = tmp_path / "my"
    (folder / "more").mkdir(parents=True)
    write_csv(folder / "a.CSV", TEXTS)
    for name in ("README.txt", "notes.pdf", ".hidden.txt", "more/b.txt"):
        (folder / name).write_text("not a text\n")
    corpus = corpora.load("my", data_dir=tmp_path)
    assert corpus.name == "my" and together(corpus) == sorted(TEXTS)
    assert capsys.readouterr().err == f"left out of {folder}: README.txt, notes.pdf\n"
    valid = write_csv(folder / "valid.csv", ["v"])
    corpus = corpora.collect(folder, valid)
    assert splits(corpus) == {"train": TEXTS, "valid": ["v"], "test": []}
    with pytest.raises(FileNotFoundError, match="has valid.csv, but no train.txt"):
        corpora.load(folder)


def test_a_name_takes_no_options():
    with pytest.raises(ValueError, match="grammar takes no language, text_column"):
        corpora.load("grammar", language="en", text_column="x")


def test_from_files_takes_no_table(tmp_path):
    path = write_csv(tmp_path / "a.csv", TEXTS)
    (tmp_path / "a.txt").write_text("a\n")
    with pytest.raises(ValueError, match="a.csv has columns: it is read by"):
        corpora.from_files(tmp_path / "a.txt", path)


def test_a_full_disk_leaves_nothing_and_is_named(tmp_path, cache, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = write_csv(tmp_path / "a.csv", TEXTS)
    monkeypatch.setattr(dealing.Dealer, "_write", full)
    with pytest.raises(OSError, match="No space left on device.*part"):
        corpora.collect(path)
    assert written(cache) == []


def test_a_file_that_changes_meanwhile_is_refused(tmp_path, cache, monkeypatch):
    path = write_csv(tmp_path / "a.csv", TEXTS)
    finish = dealing.Dealer.finish

    def changed(*arguments):
        path.write_text("text\na\n")
        return finish(*arguments)

    monkeypatch.setattr(dealing.Dealer, "finish", changed)
    with pytest.raises(ValueError, match="changed while it was read"):
        corpora.collect(path)
    assert written(cache) == []


def test_those_who_wait_for_one_that_is_killed_collect_once(
    tmp_path, cache, monkeypatch, capsys
):
    path = write_csv(tmp_path / "a.csv", TEXTS)
    folder = pathlib.Path(corpora.collect(path).train[0]).parent
    expected = {file.name: file.read_bytes() for file in folder.iterdir()}
    # What a killed process leaves: a part, of which one file is too long.
    partial = folder.rename(f"{folder}.part")
    (partial / "train.txt").write_bytes(expected["train.txt"] * 2)
    writes, write = [], collecting._write
    monkeypatch.setattr(
        collecting, "_write", lambda *some: writes.append(some) or write(*some)
    )
    with concurrent.futures.ThreadPoolExecutor() as threads:
        with corpora.locked(cache, f".{folder.name}.lock"):
            waiting = [threads.submit(corpora.collect, path) for _ in range(2)]
            said = ""
            while said.count("waiting for another process") < len(waiting):
                assert not any(future.done() for future in waiting)
                said += capsys.readouterr().err
                time.sleep(0.01)
        first, second = (future.result() for future in waiting)
    assert first == second and len(writes) == 1
    assert written(cache) == [folder.name]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == expected
