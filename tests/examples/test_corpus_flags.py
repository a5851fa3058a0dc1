"""Texts of one's own, in whatever file, from the flags of the programs that train."""

import io

import pytest

from examples import prepare
from keras_textvae import PreparedCorpus, grammar
from tests.examples.test_train import TINY

TEXTS = [example.text for example in grammar.generate(300, 0, "train")]


@pytest.fixture
def reviews(tmp_path):
    """A CSV file in a folder, of which a text stands there twice."""
    folder = tmp_path / "my reviews"
    folder.mkdir()
    rows = "".join(f'{n},"{text}"\n' for n, text in enumerate([*TEXTS, TEXTS[0]]))
    (folder / "a[1].csv").write_text(f"id,review\n{rows}5,\n")
    return folder


@pytest.fixture
def prepared(run, tmp_path):
    """A function that prepares texts; returns its output, and the splits' sizes."""

    def prepared(*arguments):
        folder = tmp_path / "prepared"
        ended = run(prepare, *TINY, *arguments, f"--prepared={folder}")
        assert ended.code == 0, ended.errors
        splits = PreparedCorpus(folder).splits
        return ended.output, [split.sentences for split in splits]

    return prepared


@pytest.mark.parametrize("name", ["my reviews/a[1].csv", "my reviews/*", "my reviews"])
def test_a_table_is_collected_and_its_figures_are_printed(
    prepared, reviews, tmp_path, name
):
    files = f"--train_files={tmp_path / name}"
    output, sentences = prepared(files, "--text_column=review", "--drop_duplicates")
    assert sum(sentences) == len({*TEXTS})
    train, valid, test = sentences
    counts = f"{sum(sentences)} (train {train}, valid {valid}, test {test})"
    assert output[0].startswith(f"texts: {counts}, in ")
    assert output[1] == "blank, skipped: 1"
    dropped = len(TEXTS) + 1 - sum(sentences)
    assert output[2].startswith(f"duplicates, dropped: {dropped} (train ")
    assert output[3].startswith(f"train: {train} sentences of ")


def test_a_folder_is_a_corpus_of_its_own(prepared, reviews):
    options = ["--text_column=review", "--valid_share=0.2"]
    output, sentences = prepared(f"--corpus={reviews}", *options)
    assert sum(sentences) == len(TEXTS) + 1
    assert sentences[1] > 30
    assert output[2].startswith("duplicates, kept (see --drop_duplicates): ")


def test_standard_input_is_collected(prepared, monkeypatch):
    content = "\n".join(TEXTS).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    _, sentences = prepared("--train_files=-")
    assert sum(sentences) == len(TEXTS)


def test_paragraphs_are_split(prepared, tmp_path):
    path = tmp_path / "book.txt"
    said = [text.replace(" .", ".").capitalize() for text in TEXTS]
    path.write_text("".join(f"{text} {text}\n" for text in said))
    output, sentences = prepared(f"--train_files={path}", "--language=en")
    assert sum(sentences) == 2 * len(TEXTS)
    assert output[1] == f"split into sentences: {len(TEXTS)}"


def test_plain_files_with_validation_files_are_read_where_they_are(prepared, files):
    output, _ = prepared(*files)
    assert output[0].startswith("train: 200 sentences of ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a[1].csv, line 1: which column has the texts (`text_column`, --text_co"),
        (["--text_column=text"], "line 1: no column 'text' among these: id, review."),
        (["--corpus=grammar"], "--train_files excludes --corpus and --data_dir"),
        (["--valid_share=0.7"], "is below 0.5. Received: valid_share=0.7"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, reviews, arguments, message):
    ended = run(prepare, *TINY, f"--train_files={reviews}/a[1].csv", *arguments)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("prepare.py: ") and message in line
