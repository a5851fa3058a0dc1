"""A run's folder: one process trains there at a time, and another goes on after it."""

import json
import os

import pytest

from keras_textvae import Run, Text, corpora, grammar, prepare, zoo
from keras_textvae.training.folder import locked, read_config, recipe_of

RECIPE = zoo.recipe("semeniuta2017-ptb").replace(
    text=Text("characters", length=6, form="crop"),
    arguments={"units": 4, "latent_dim": 2, "channels": (4,), "features": 4},
    batch_size=4,
    steps_per_epoch=2,
    valid_steps=1,
    epochs=2,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for split in grammar.SPLITS:
        lines = [example.text for example in grammar.generate(20, 0, split)]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return prepare(corpora.load(str(folder)), RECIPE.text)


def train(run):
    run.model.run_eagerly = True
    run.train(verbose=0)


def test_a_second_run_is_refused_while_the_first_trains(corpus, tmp_path):
    run = Run(tmp_path, RECIPE, corpus)
    with locked(str(tmp_path)):
        with pytest.raises(ValueError, match="another process is training") as error:
            train(run)
        assert "\n" not in str(error.value)
        assert not (tmp_path / "metrics.csv").exists()
    train(run)
    assert run.finished


def test_the_lock_of_a_process_that_failed_is_free(corpus, tmp_path):
    with pytest.raises(OSError, match="disk is full"):
        with locked(str(tmp_path)):
            raise OSError("disk is full")
    with locked(str(tmp_path)):
        pass


def test_a_run_takes_up_what_another_process_has_done_since(corpus, tmp_path):
    first, second = (Run(tmp_path, RECIPE, corpus) for _ in range(2))
    train(first)
    written = (tmp_path / "metrics.csv").read_bytes()
    assert second.epochs_done == 0
    train(second)  # nothing is left
    assert second.finished and second.history.rows == first.history.rows
    assert (tmp_path / "metrics.csv").read_bytes() == written


def test_a_folder_tells_its_recipe(corpus, tmp_path):
    assert read_config(str(tmp_path)) is None
    with pytest.raises(FileNotFoundError, match="holds no run"):
        recipe_of(tmp_path)
    Run(tmp_path, RECIPE, corpus)
    assert recipe_of(tmp_path) == RECIPE


def test_a_folder_of_another_version_is_refused(corpus, tmp_path):
    os.makedirs(tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    path.write_text(json.dumps({"preset": {}, "seed": 0}))
    for use in (recipe_of, lambda folder: Run(folder, RECIPE, corpus)):
        with pytest.raises(ValueError, match="a run of another version") as error:
            use(tmp_path / "run")
        assert "\n" not in str(error.value)
    assert [*(tmp_path / "run").iterdir()] == [path]


def test_a_run_that_is_refused_leaves_the_other_s_configuration(corpus, tmp_path):
    Run(tmp_path, RECIPE, corpus)
    with locked(str(tmp_path)):
        second = Run(tmp_path, RECIPE.replace(epochs=1), corpus)
        assert recipe_of(tmp_path).training.epochs == 2
    train(second)
    assert recipe_of(tmp_path).training.epochs == 1
