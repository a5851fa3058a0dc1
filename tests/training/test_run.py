"""A run in its folder: what it writes, what it refuses, and how it goes on.

That a killed run ends like one that was not is tested with `examples/train.py`.
"""

import csv
import json
import shutil
import sys

import keras
import numpy as np
import pytest

from keras_textvae import (
    GaussianMixture,
    Run,
    corpora,
    open_space,
    prepare,
    space_files,
    zoo,
)
from keras_textvae.evaluation import posterior_samples
from keras_textvae.tokens import PAD

WORDS = zoo.recipe("lstm-grammar").replace(
    embedding_dim=4, units=4, latent_dim=2, vocabulary=50, epochs=2
)
CROPS = zoo.recipe("semeniuta2017-ptb").replace(
    corpus="grammar",
    units=8,
    latent_dim=2,
    channels=(4, 6),
    features=5,
    length=6,
    batch_size=8,
    steps_per_epoch=2,
    valid_steps=2,
    epochs=2,
    rate_schedule=zoo.Schedule("geometric", (1, 0.5)),
)
DENSITY = GaussianMixture(np.full(2, 0.5), np.ones((2, 2)), np.ones((2, 2, 2)))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return corpora.load("grammar", cache_dir=str(cache), sizes=(300, 50, 50))


@pytest.fixture(scope="module")
def words(files, tmp_path_factory):
    return prepare(files, WORDS.text, tmp_path_factory.mktemp("prepared") / "words")


@pytest.fixture(scope="module")
def crops(files, tmp_path_factory):
    return prepare(files, CROPS.text, tmp_path_factory.mktemp("prepared") / "crops")


@pytest.fixture(scope="module")
def finished(crops, tmp_path_factory):
    """The folder of a finished run on crops, and its result."""
    folder = tmp_path_factory.mktemp("runs") / "crops"
    run = trained(Run(folder, CROPS, crops))
    return folder, run.test(run.best_model())


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of its folder."""
    shutil.copytree(finished[0], tmp_path / "run")
    return tmp_path / "run"


def trained(run):
    """The run after training without a graph, which takes longer than a few steps."""
    run.model.run_eagerly = True
    run.train(verbose=0)
    return run


def content(folder):
    """Every file of a folder, and what is in it."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def density_of(folder):
    """The bytes of a run's density, or None."""
    path = folder / "best" / "density.safetensors"
    return path.read_bytes() if path.exists() else None


def rows_of(folder):
    with open(folder / "metrics.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_what_it_promises(finished):
    folder, _ = finished
    names = {path.name for path in folder.iterdir()}
    assert names == {
        ".lock",
        "config.json",
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
    for name in ("loss", "reconstruction", "kl", "auxiliary", "objective", "tokens"):
        assert all(float(row[f"val_{name}"]) >= 0 for row in rows)
        assert all(float(row[name]) >= 0 for row in rows)
    assert {row["skipped_steps"] for row in rows} == {"0.0"}
    assert [float(row["kl_weight"]) for row in rows] == pytest.approx([0.001, 0.001])


def test_a_run_holds_its_kl_at_a_target(words, tmp_path):
    recipe = WORDS.replace(
        target_kl=1e-4, schedule=zoo.CONSTANT, epochs=1, steps_per_epoch=4
    )
    run = trained(Run(tmp_path / "run", recipe, words))
    (row,) = run.history.rows
    assert 0.0 < row["kl_weight"] < 1.0  # after four steps
    assert run.history.rank({"kl": 1e-4, "val_loss": 7.0}) == (False, 7.0)
    assert run.history.rank({"kl": 9.0, "val_loss": 7.0})[0]
    beside = Run(tmp_path / "run", recipe.replace(epochs=2), words)
    assert float(beside.model.kl_weight) == pytest.approx(row["kl_weight"])


def test_a_target_that_no_posterior_reaches_leaves_no_folder(words, tmp_path):
    recipe = WORDS.replace(target_kl=0.3, schedule=zoo.CONSTANT)
    with pytest.raises(ValueError, match="is never below 0.36 nats"):
        Run(tmp_path / "run", recipe.replace(posterior="batch_normalized"), words)
    assert not (tmp_path / "run").exists()


def test_the_result_is_written_down(finished):
    folder, result = finished
    written = json.loads((folder / "result.json").read_text())
    assert written == result._asdict()
    assert result.tokens == CROPS.text.length
    assert result.bound == pytest.approx(result.reconstruction + result.kl)


def test_crops_make_a_space_of_crops(finished):
    space = open_space(str(finished[0]))
    length = CROPS.text.length
    assert {len(text) for text in space.sample(5)} == {length}
    assert len(space.reconstruct(["the cat"])[0]) == length


def test_a_finished_run_only_reports(finished, crops):
    folder, result = finished
    before = content(folder)
    for run in (Run(folder, CROPS, crops), Run.resume(folder)):
        assert run.finished
        run.train(verbose=0)
        assert run.epochs_done == 2
        assert run.test(run.best_model()) == result
        assert content(folder) == before


def test_figures_that_a_kill_kept_back_are_written_again(crops, copy):
    before = content(copy)
    (copy / "metrics.csv").unlink()
    Run(copy, CROPS, crops)
    assert content(copy) == before


def test_a_folder_older_than_a_field_of_recipes_goes_on(crops, copy):
    config = json.loads((copy / "config.json").read_text())
    del config["recipe"]["model"], config["recipe"]["terms"]["alpha"]
    config["recipe"]["model"] = CROPS.get_config()["model"]
    (copy / "config.json").write_text(json.dumps(config))
    assert Run(copy, CROPS.replace(alpha=0.0), crops).finished
    with pytest.raises(ValueError, match="recipe.terms.alpha is 0.0 there, 0.5 here"):
        Run(copy, CROPS.replace(alpha=0.5), crops)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 7}, "seed is 0 there, 7 here"),
        (
            {"recipe": CROPS.replace(units=9)},
            "recipe.model.arguments.units is 8 there, 9 here",
        ),
        (
            {"dtype_policy": "mixed_float16"},
            "dtype_policy is 'float32' there, 'mixed_float16' here",
        ),
        (
            {"recipe": CROPS.replace(too_long="drop")},
            "prepared for another text: too_long is 'error' there, 'drop' here",
        ),
    ],
    ids=["seed", "recipe", "precision", "text"],
)
def test_another_configuration_is_refused_and_nothing_overwritten(
    finished, crops, change, message
):
    folder, _ = finished
    before = content(folder)
    with pytest.raises(ValueError, match=message) as error:
        Run(**{"folder": folder, "recipe": CROPS, "corpus": crops} | change)
    assert "\n" not in str(error.value)
    assert content(folder) == before


def test_a_corpus_whose_words_are_split_in_another_way_is_refused(words, tmp_path):
    with pytest.raises(ValueError, match="split is 'blanks' there, 'punctuation' here"):
        Run(tmp_path / "run", WORDS.replace(split="punctuation"), words)


def test_the_precision_is_of_the_run_s_model_alone(words, tmp_path):
    run = Run(tmp_path / "run", WORDS, words, dtype_policy="mixed_bfloat16")
    assert run.model.decoder.dtype_policy.name == "mixed_bfloat16"
    assert keras.config.dtype_policy().name == "float32"


def test_more_epochs_go_on_where_the_run_ended(crops, copy, tmp_path):
    space_files.save_density(copy / "best", DENSITY, False)
    before = density_of(copy)
    longer = Run.resume(copy, epochs=3, components=2)
    assert longer.epochs_done == 2
    assert not longer.finished
    seen = []  # of the density, while it is unfinished
    look = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: seen.append(density_of(copy)),
        on_epoch_end=lambda epoch, logs: seen.append(density_of(copy)),
    )
    longer.model.run_eagerly = True
    longer.train([look], verbose=0)
    assert seen == [None, None]
    assert density_of(copy) not in (None, before)
    whole = trained(Run(tmp_path / "whole", CROPS.replace(epochs=3), crops))
    assert longer.history.rows == whole.history.rows
    rates = [row["learning_rate"] for row in whole.history.rows]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4])


def test_a_few_validation_batches_have_sentences_of_all_lengths(words, tmp_path):
    few = WORDS.replace(valid_steps=2, batch_size=5, steps_per_epoch=1, epochs=1)
    run = Run(tmp_path / "run", few, words)
    batches = [*run.valid_batches]
    shown = [batches[0], batches[len(batches) // 2]]
    trained(run)
    tokens = sum(np.sum(batch[:, 1:] != PAD) for batch in shown)
    expected = np.float32(tokens / sum(map(len, shown)))
    assert {row["val_tokens"] for row in run.history.rows} == {expected}


@pytest.mark.usefixtures("eagerly")
def test_a_density_is_fitted_when_a_run_is_finished(copy, monkeypatch):
    monkeypatch.setattr("keras_textvae.training.density.MOST", 40)
    run = Run.resume(copy, components=2, fitted=True)
    assert density_of(copy) is None
    run.train(verbose=0)
    space, density = open_space(copy), density_of(copy)
    assert space.fitted and space.density.components == 2
    (
        copy / "best" / "density.safetensors"
    ).unlink()  # as a kill before the fit leaves it
    run.train(verbose=0)
    assert density_of(copy) == density
    run.recipe = run.recipe.replace(fitted=False)
    run.train(verbose=0)
    assert not open_space(copy).fitted
    run.recipe = run.recipe.replace(components=0)
    run.train(verbose=0)
    assert density_of(copy) is None


@pytest.mark.usefixtures("eagerly")
def test_a_density_fits_the_draws_of_the_training_sentences(words, tmp_path):
    recipe = WORDS.replace(components=1, epochs=1, steps_per_epoch=2, valid_steps=1)
    recipe = recipe.replace(density_scale=0.5)
    space = trained(Run(tmp_path, recipe, words)).best()
    z = posterior_samples(space.model, words.train.batches(32), seed=1)
    density = space.density
    # 300 draws of either: within 4 of their standard errors.
    error = np.std(z, axis=0) * np.sqrt(2 / len(z))
    assert np.all(np.abs(density.means[0] - np.mean(z, axis=0)) < 4 * error)
    spread = np.sqrt(np.diag(density.factors[0] @ density.factors[0].T))
    np.testing.assert_allclose(spread, 0.5 * np.std(z, axis=0), rtol=0.25)


def test_training_batches_are_as_the_recipe_says(words, tmp_path):
    mixed = Run(tmp_path / "mixed", WORDS.replace(by_length=False), words)
    assert not mixed.train_batches.by_length
    assert mixed.valid_batches.by_length  # which are padded the least
    assert Run(tmp_path / "run", WORDS, words).train_batches.by_length


def test_a_density_that_cannot_be_is_refused_before_there_is_a_folder(
    words, copy, tmp_path, monkeypatch
):
    folder = tmp_path / "none"
    silent = zoo.recipe("bowman2016-ptb-rnnlm").replace(
        text=WORDS.text, embedding_dim=4, units=4
    )
    unordered = WORDS.replace(architecture="bag_of_words", components=1)
    for recipe, message in (
        (silent.replace(components=1), "of z. Received: architecture='rnnlm'"),
        (unordered, "of z. Received: architecture='bag_of_words'"),
        (WORDS.replace(components=301), "Received: 300 points, 2 dimensions"),
        (WORDS.replace(fitted=True), "needs `components`. Received: 0"),
        (WORDS.replace(components=1, density_scale=0.0), "density_scale=0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            Run(folder, recipe, words)
    space_files.save_density(copy / "best", DENSITY, False)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ValueError, match=r"pip install keras_textvae\[density\]"):
        Run(folder, WORDS.replace(components=2), words)
    assert not folder.exists()
    assert Run.resume(copy, components=2).finished  # it is there: nothing is missing


def test_a_corpus_is_told_by_its_content(tmp_path):
    def corpus(folder, train):
        folder.mkdir(exist_ok=True)
        (folder / "train.txt").write_text("\n".join(train) + "\n")
        (folder / "valid.txt").write_text("a dog\n" * 9)
        files = corpora.load(str(folder))
        return prepare(files, WORDS.text, folder / f"prepared-{train[0]}")

    run = tmp_path / "run"
    Run(run, WORDS, corpus(tmp_path / "here", ["a cat"] * 9))
    Run(run, WORDS, corpus(tmp_path / "moved", ["a cat"] * 9))
    with pytest.raises(ValueError, match=r"sources\.train is .* there"):
        Run(run, WORDS, corpus(tmp_path / "here", ["a cow"] * 9))


def test_a_run_goes_on_from_another_working_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))
    recipe = WORDS.replace(epochs=1)
    for name in ("train", "valid"):
        (tmp_path / f"{name}.txt").write_text("a cat\na dog\n" * 10)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    corpus = prepare(corpora.from_files("train.txt", "valid.txt"), recipe.text)
    trained(Run("first", recipe, corpus))
    trained(Run("run", recipe, corpus, start_from="first"))
    monkeypatch.chdir("elsewhere")
    files = corpora.from_files("../train.txt", "../valid.txt")
    again = Run("../run", recipe, prepare(files, recipe.text), start_from="../first")
    assert again.finished
    shutil.rmtree(tmp_path / "cache")  # prepared again, from the files
    assert Run.resume("../run").finished


def test_a_run_is_resumed_from_the_files_of_its_corpus(files, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))
    corpus = prepare(files, WORDS.text)
    Run(tmp_path / "run", WORDS, corpus)
    shutil.rmtree(corpus.folder)
    assert Run.resume(tmp_path / "run").corpus.folder == corpus.folder
    with pytest.raises(FileNotFoundError, match="holds no run"):
        Run.resume(tmp_path)


def test_an_impossible_model_leaves_no_folder(words, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ValueError, match="units=0"):
        Run(folder, WORDS.replace(units=0), words)
    assert not folder.exists()


def test_a_run_without_an_epoch_has_no_best(words, tmp_path):
    run = Run(tmp_path / "run", WORDS, words)
    with pytest.raises(FileNotFoundError, match="holds no text space"):
        run.best()


def weights(model, part):
    return [np.array(weight) for weight in getattr(model, part).weights]


def test_a_run_begins_where_another_s_best_epoch_ended(finished, crops, tmp_path):
    folder, _ = finished
    recipe = CROPS.replace(learning_rate=1e-2, epochs=1)
    run = Run(tmp_path, recipe, crops, seed=1, start_from=folder)
    start = open_space(str(folder)).model
    for part in zoo.PARTS:
        for new, old in zip(
            weights(run.model, part), weights(start, part), strict=True
        ):
            np.testing.assert_array_equal(new, old)
    assert run.epochs_done == 0
    trained(run)
    # It goes on from its own checkpoint, and is no run from random weights.
    again = Run(tmp_path, recipe, crops, seed=1, start_from=folder)
    np.testing.assert_array_equal(again.model.weights[0], run.model.weights[0])
    assert again.finished and Run.resume(tmp_path).finished
    with pytest.raises(ValueError, match="start_from"):
        Run(tmp_path, recipe, crops, seed=1)


def test_a_run_keeps_the_parts_that_it_is_told_to(finished, crops, tmp_path):
    folder, _ = finished
    fresh = Run(tmp_path / "fresh", CROPS, crops).model
    run = Run(tmp_path / "run", CROPS, crops, start_from=folder, keep=("encoder",))
    start = open_space(str(folder)).model
    for part, source in (("encoder", start), ("posterior", fresh), ("decoder", fresh)):
        pairs = zip(weights(run.model, part), weights(source, part), strict=True)
        for found, expected in pairs:
            np.testing.assert_array_equal(found, expected)


def test_parts_that_are_none_are_refused(finished, crops, tmp_path):
    folder, _ = finished
    for keep in (("encodr",), "encoder", ()):
        with pytest.raises(ValueError, match="`keep` is a tuple of some of"):
            Run(tmp_path / "run", CROPS, crops, start_from=folder, keep=keep)
    Run(tmp_path / "run", CROPS, crops, start_from=folder, keep=("encoder",))
    with pytest.raises(ValueError, match="start_from.keep is"):
        Run(tmp_path / "run", CROPS, crops, start_from=folder, keep=("decoder",))


def test_a_run_without_its_checkpoint_does_not_begin_anew(crops, copy):
    (copy / "checkpoint.npz").unlink()
    before = content(copy)
    with pytest.raises(ValueError, match="its checkpoint.npz is gone"):
        Run(copy, CROPS, crops)
    assert content(copy) == before


@pytest.mark.parametrize("damaged", ["[]", "{}", '{"format": 2}', "{"])
def test_a_damaged_configuration_is_told_in_one_line(crops, copy, damaged):
    (copy / "config.json").write_text(damaged)
    with pytest.raises(ValueError, match="another version|is damaged|is not JSON"):
        Run.resume(copy)


def test_an_impossible_stage_is_refused_before_there_is_a_folder(crops, tmp_path):
    for changes, message in (
        ({"epoch": 1}, "no field 'epoch'"),
        ({"length": 5}, "changes how texts become ids"),
    ):
        recipe = CROPS.replace(stages=(zoo.Stage("first", changes),))
        with pytest.raises(ValueError, match=message):
            Run(tmp_path / "run", recipe, crops)
    assert not (tmp_path / "run").exists()


def test_a_start_from_another_kind_of_model_is_refused(
    finished, words, crops, tmp_path
):
    folder, _ = finished
    larger = CROPS.replace(units=9)
    for recipe, corpus, message in (
        (larger, crops, "other sizes: its decoder"),
        (WORDS, words, "another vocabulary"),
    ):
        with pytest.raises(ValueError, match=message):
            Run(tmp_path / "a", recipe, corpus, start_from=folder)
    with pytest.raises(FileNotFoundError, match="no text space"):
        Run(tmp_path / "a", CROPS, crops, start_from=tmp_path)
    assert not (tmp_path / "a").exists()
