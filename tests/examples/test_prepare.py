"""The program that prepares a corpus, and training from what it wrote."""

import shutil

import pytest

from examples import prepare, train
from keras_textvae import PreparedCorpus
from tests.examples.conftest import run_program
from tests.examples.test_train import TINY

SHORT = ["--epochs=1", "--steps_per_epoch=2", "--samples=0"]


@pytest.fixture
def prepared(run, files, tmp_path):
    """A folder that the program wrote, and what it printed."""
    folder = tmp_path / "prepared"
    return folder, run(prepare, *TINY, *files, f"--prepared={folder}")


@pytest.fixture(scope="module")
def intact(files, tmp_path_factory):
    """A folder that the program wrote, which no test changes."""
    folder = tmp_path_factory.mktemp("intact") / "prepared"
    assert run_program(prepare, [*TINY, *files, f"--prepared={folder}"]) == 0
    return folder


@pytest.mark.usefixtures("eagerly")
def test_a_run_is_trained_from_a_prepared_folder_wherever_it_lies(
    run, prepared, tmp_path
):
    folder, ended = prepared
    assert (ended.code, ended.errors) == (0, [])
    assert ended.output[0].startswith("train: 200 sentences of ")
    assert ended.output[-1] == f"vocabulary 40, prepared corpus: {folder}"
    moved = shutil.move(folder, tmp_path / "moved")
    command = [*TINY, *SHORT, f"--prepared={moved}", f"--run_dir={tmp_path}/run"]
    ended = run(train, *command)
    assert ended.code == 0, ended.errors
    assert "train: 200 sentences of" in "\n".join(ended.output)
    # The run knows where it lies, and goes on where it lies then.
    again = shutil.move(moved, tmp_path / "again")
    longer = [f"--run_dir={tmp_path}/run", "--epochs=2", "--samples=0"]
    ended = run(train, *longer, f"--prepared={again}")
    assert ended.code == 0, ended.errors
    assert "training: going on after epoch 1" in ended.output


def test_a_folder_is_written_once(run, files, prepared):
    folder, first = prepared
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    ended = run(prepare, *TINY, *files, f"--prepared={folder}")
    assert ended.output == first.output
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


def test_without_a_folder_it_is_in_the_cache(run, files, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path))
    ended = run(prepare, *TINY, *files)
    folder = ended.output[-1].partition("prepared corpus: ")[2]
    assert folder.startswith(str(tmp_path))
    assert PreparedCorpus(folder).vocabulary_size == 40


@pytest.mark.parametrize(
    ("program", "arguments", "message"),
    [
        (train, ["--prepared=FOLDER", "--length=20"], "another text: length is 39"),
        (train, ["--prepared=FOLDER", "--vocabulary=9"], "vocabulary is 40 there, 9"),
        (train, ["--prepared=/nowhere"], "/nowhere holds no prepared corpus"),
        (train, ["--prepared=DAMAGED"], "train.ids is missing or damaged"),
        (
            prepare,
            ["--prepared=FOLDER", "--length=20", "FILES"],
            "prepared corpus: text.length",
        ),
        (
            prepare,
            ["--prepared=FOLDER", "--corpus=grammar"],
            "prepared corpus: sources.",
        ),
        (prepare, ["--corpus=nope"], "Unknown corpus 'nope'"),
        (prepare, ["extra"], "Unexpected argument 'extra'"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    run,
    files,
    intact,
    tmp_path,
    program,
    arguments,
    message,
):
    damaged = tmp_path / "damaged"
    shutil.copytree(intact, damaged)
    (damaged / "train.ids").write_bytes(b"")
    place = {"FOLDER": intact, "DAMAGED": damaged}
    filled = []
    for argument in arguments:
        name, _, value = argument.partition("=")
        filled += files if argument == "FILES" else []
        if argument != "FILES":
            filled.append(f"{name}={place.get(value, value)}" if value else name)
    to_run = [f"--run_dir={tmp_path}/run"] if program is train else []
    ended = run(program, *TINY, *to_run, *filled)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith(f"{program.__name__.rpartition('.')[2]}.py: ")
    assert message in line
    assert not (tmp_path / "run").exists()


def test_a_split_of_unknown_words_is_warned_of(run, files, tmp_path):
    valid = tmp_path / "valid.txt"
    valid.write_text("\u4f60\u597d\u4e16\u754c\n" * 20, encoding="utf-8")
    given = [files[0], f"--valid_files={valid}", files[2]]
    ended = run(prepare, *TINY, *given, f"--prepared={tmp_path / 'prepared'}")
    assert ended.code == 0
    told = "\n".join(ended.output)
    # Of each sentence the one word is unknown, and its end, which counts, is not.
    assert "valid: 20 sentences of 1 to 1 words, 40 tokens, 50.0%" in told
    assert "warning: 50.0% of valid's words are unknown to the vocabulary" in told
