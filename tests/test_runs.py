"""A run in its folder: what it writes, what it refuses, and how it goes on.

That a killed run ends like one that was not is tested with `examples/train.py`.
"""

import csv
import json
import shutil

import keras
import numpy as np
import pytest

from keras_textvae import corpora, runs, zoo
from keras_textvae.tokenizers import WordTokenizer
from keras_textvae.tokens import PAD

WORDS = zoo.preset("lstm-grammar").replace(
    model={"embedding_dim": 4, "units": 4, "latent_dim": 2}, vocabulary=50, epochs=2
)
CROPS = zoo.preset("semeniuta2017-ptb").replace(
    model={"units": 8, "latent_dim": 2, "channels": (4, 6), "features": 5},
    length=10,
    batch_size=16,
    steps_per_epoch=3,
    valid_steps=2,
    epochs=2,
    rate_schedule=zoo.Schedule("geometric", (1, 0.5)),
)


@pytest.fixture(autouse=True)
def float32():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return corpora.load("grammar", cache_dir=str(cache), sizes=(300, 50, 50))


@pytest.fixture(scope="module")
def finished(corpus, tmp_path_factory):
    """The folder of a finished run on crops, and its result."""
    folder = tmp_path_factory.mktemp("runs") / "crops"
    run = trained(runs.Run(str(folder), CROPS, corpus))
    return folder, run.test(run.best())


def trained(run):
    """The run after training without a graph, which takes longer than a few steps."""
    run.model.run_eagerly = True
    run.train(verbose=0)
    return run


def content(folder):
    """Every file of a folder, and what is in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def files_of(folder, **splits):
    """A corpus of sentences."""
    for name, sentences in splits.items():
        (folder / f"{name}.txt").write_text("\n".join(sentences) + "\n")
    return corpora.load(str(folder))


def rows_of(folder):
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_what_it_promises(finished):
    folder, _ = finished
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "config.json",
        "tokenizer.json",
        "checkpoint.npz",
        "best",
        "metrics.csv",
        "logs",
        "result.json",
    }
    assert list((folder / "logs").rglob("events.*"))


def test_a_row_of_figures_is_kept_for_each_epoch(finished):
    rows = rows_of(finished[0])
    assert [row["epoch"] for row in rows] == ["1", "2"]
    for name in ("loss", "reconstruction", "kl", "auxiliary", "tokens"):
        assert all(float(row[f"val_{name}"]) >= 0 for row in rows)
        assert all(float(row[name]) >= 0 for row in rows)
    assert {row["skipped_steps"] for row in rows} == {"0.0"}
    assert [float(row["kl_weight"]) for row in rows] == pytest.approx([0.001, 0.001])


def test_the_result_is_written_down(finished):
    folder, result = finished
    written = json.loads((folder / "result.json").read_text())
    assert written == result._asdict()
    assert result.tokens == CROPS.length
    assert result.bound == pytest.approx(result.reconstruction + result.kl)


def test_crops_make_a_space_of_crops(finished):
    space = runs.open_space(str(finished[0]))
    assert space.crops
    assert {len(text) for text in space.sample(5)} == {CROPS.length}
    assert len(space.reconstruct(["the cat"])[0]) == CROPS.length


def test_a_finished_run_only_reports(finished, corpus):
    folder, result = finished
    before = content(folder)
    run = runs.Run(str(folder), CROPS, corpus)
    assert run.finished
    run.train(verbose=0)
    assert run.epochs_done == 2
    assert run.test(run.best()) == result
    assert content(folder) == before


def test_figures_that_a_kill_kept_back_are_written_again(finished, corpus, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    before = content(folder)
    (folder / "metrics.csv").unlink()
    runs.Run(str(folder), CROPS, corpus)
    assert content(folder) == before


def test_a_folder_older_than_a_field_of_presets_goes_on(finished, corpus, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    before = content(folder)
    config = json.loads(before["config.json"])
    del config["preset"]["right_to_left"]
    (folder / "config.json").write_text(json.dumps(config))
    assert runs.Run(str(folder), CROPS, corpus).finished
    assert content(folder) == before
    backwards = CROPS.replace(right_to_left=True)
    with pytest.raises(ValueError, match="right_to_left is False there, True here"):
        runs.Run(str(folder), backwards, corpus)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preset": WORDS}, "preset.corpus is"),
        ({"seed": 7}, "seed is 0 there, 7 here"),
        (
            {"preset": CROPS.replace(too_long="drop")},
            "preset.too_long is 'error' there, 'drop' here",
        ),
        (
            {"dtype_policy": "mixed_float16"},
            "dtype_policy is 'float32' there, 'mixed_float16' here",
        ),
    ],
    ids=["preset", "seed", "too_long", "precision"],
)
def test_another_configuration_is_refused_and_nothing_overwritten(
    finished, corpus, change, message
):
    folder, _ = finished
    before = content(folder)
    with pytest.raises(ValueError, match=message) as error:
        runs.Run(**{"folder": str(folder), "preset": CROPS, "corpus": corpus} | change)
    assert "\n" not in str(error.value)
    assert content(folder) == before
    assert keras.config.dtype_policy().name == "float32"


def test_more_epochs_go_on_where_the_run_ended(finished, corpus, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished[0], folder)
    longer = runs.Run(str(folder), CROPS.replace(epochs=3), corpus)
    assert longer.epochs_done == 2
    assert not longer.finished
    trained(longer)
    whole = trained(runs.Run(str(tmp_path / "whole"), CROPS.replace(epochs=3), corpus))
    assert longer.history.rows == whole.history.rows
    rates = [row["learning_rate"] for row in whole.history.rows]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4])


def test_a_few_validation_batches_have_sentences_of_all_lengths(corpus, tmp_path):
    few = WORDS.replace(
        valid_steps=2, batch_size=5, length=40, steps_per_epoch=1, epochs=1
    )
    run = runs.Run(str(tmp_path / "run"), few, corpus)
    batches = [*run.valid_batches.epoch(0)]
    shown = [batches[0], batches[len(batches) // 2]]
    trained(run)
    tokens = sum(np.sum(batch[:, 1:] != PAD) for batch in shown)
    expected = np.float32(tokens / sum(map(len, shown)))
    assert {row["val_tokens"] for row in run.history.rows} == {expected}


def test_a_corpus_that_changed_under_its_name_is_refused(tmp_path):
    corpus = files_of(tmp_path, train=["a cat"] * 200, valid=["a dog"] * 200)
    folder = str(tmp_path / "run")
    runs.Run(folder, WORDS, corpus)
    runs.Run(folder, WORDS, corpus)
    files_of(tmp_path, train=["a cow"] * 200, valid=["a dog"] * 200)
    with pytest.raises(ValueError, match=r"sha256\..*train.* is '.*' there"):
        runs.Run(folder, WORDS, corpus)


def test_another_corpus_is_refused(finished, tmp_path):
    other = files_of(tmp_path, train=["a cat"] * 200, valid=["a dog"] * 200)
    with pytest.raises(ValueError, match="corpus.name is 'grammar' there"):
        runs.Run(str(finished[0]), CROPS, other)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"train": ["a cat", "a " * 50]}, r"train.txt, line 2: 52 ids .* maximum"),
        ({"valid": ["a " * 50]}, r"valid.txt, line 1: 52 ids"),
        ({"test": ["a cat", "a cat", "a " * 50]}, r"test.txt, line 3: 52 ids"),
        ({"train": [" ", ""]}, "train.txt has only blank lines"),
        ({"train": ["<unk>"]}, "A vocabulary has something beside"),
    ],
    ids=["train", "valid", "test", "blank", "no words"],
)
def test_bad_sentences_are_refused_before_there_is_a_folder(tmp_path, splits, message):
    good = {split: ["a cat"] for split in ("train", "valid", "test")}
    corpus = files_of(tmp_path, **good | splits)
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match=message):
        runs.Run(str(folder), WORDS, corpus)
    assert not folder.exists()


@pytest.mark.parametrize("too_long", ["drop", "cut"])
def test_long_sentences_are_dropped_or_cut_when_told_to(tmp_path, too_long):
    splits = {"train": ["a cat", "a " * 50], "valid": ["a cat"], "test": ["a cat"]}
    corpus = files_of(tmp_path, **splits)
    preset = WORDS.replace(too_long=too_long)
    run = runs.Run(str(tmp_path / "run"), preset, corpus)
    count = run.train_batches.count()
    assert count.too_long == 1
    assert count.sentences == (1 if too_long == "drop" else 2)


def test_an_impossible_model_leaves_no_folder(corpus, tmp_path):
    folder = tmp_path / "run"
    impossible = WORDS.replace(model=WORDS.model | {"units": 0})
    with pytest.raises(ValueError, match="units=0"):
        runs.Run(str(folder), impossible, corpus)
    assert not folder.exists()


def test_the_tokenizer_of_a_start_that_was_killed_is_not_used(corpus, tmp_path):
    WordTokenizer(["foreign"]).save(str(tmp_path / "tokenizer.json"))
    run = runs.Run(str(tmp_path), WORDS, corpus)
    assert run.tokenizer.vocabulary_size == 50
    with pytest.raises(FileNotFoundError, match="holds no text space"):
        run.best()


def test_a_run_begins_where_another_s_best_epoch_ended(finished, corpus, tmp_path):
    folder, _ = finished
    preset = CROPS.replace(learning_rate=1e-2, epochs=1)
    run = runs.Run(str(tmp_path), preset, corpus, seed=1, start_from=str(folder))
    for found, wanted in zip(
        run.model.weights, runs.open_space(str(folder)).model.weights, strict=True
    ):
        np.testing.assert_array_equal(found, wanted)
    assert run.epochs_done == 0
    trained(run)
    # It goes on from its own checkpoint, and is no run from random weights.
    again = runs.Run(str(tmp_path), preset, corpus, seed=1, start_from=str(folder))
    np.testing.assert_array_equal(again.model.weights[0], run.model.weights[0])
    assert again.finished
    with pytest.raises(ValueError, match="start_from is"):
        runs.Run(str(tmp_path), preset, corpus, seed=1)


def test_a_start_from_another_kind_of_model_is_refused(finished, corpus, tmp_path):
    folder, _ = finished
    larger = CROPS.replace(model=CROPS.model | {"units": 9})
    words = WORDS.replace(model=WORDS.model | {"units": 9})
    for preset, message in ((larger, "other sizes"), (words, "another vocabulary")):
        with pytest.raises(ValueError, match=message):
            runs.Run(str(tmp_path / "a"), preset, corpus, start_from=str(folder))
    with pytest.raises(FileNotFoundError, match="no text space"):
        runs.Run(str(tmp_path / "a"), CROPS, corpus, start_from=str(tmp_path))
    assert not (tmp_path / "a").exists()
