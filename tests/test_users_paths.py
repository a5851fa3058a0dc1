"""Paths as users have them: any `os.PathLike`, with characters of a pattern in it."""

import os

import numpy as np
import pytest

from keras_textvae import (
    CharacterTokenizer,
    PreparedCorpus,
    Run,
    TextSpace,
    WordTokenizer,
    corpora,
    open_space,
    prepare,
    tokenizers,
    zoo,
)
from keras_textvae.callbacks import RunHistory, TrainingCheckpoint
from keras_textvae.space_files import folder_of
from keras_textvae.training import recipe_of
from serving.server import Server

RECIPE = zoo.recipe("lstm-grammar").replace(
    embedding_dim=4, units=4, latent_dim=2, epochs=1, steps_per_epoch=1, batch_size=4
)


class Place(os.PathLike):
    """Nothing but a path."""

    def __init__(self, *parts):
        self.path = os.path.join(*parts)

    def __fspath__(self):
        return self.path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("users") / "a[1] *?\\"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def files(folder):
    """The files of a corpus, `train.txt` and so on."""
    sizes = 40, 10, 10
    return corpora.load("grammar", cache_dir=Place(folder), sizes=sizes)


@pytest.fixture(scope="module")
def corpus(folder, files):
    return prepare(files, RECIPE.text, Place(folder, "prepared"), verbose=0)


@pytest.fixture(scope="module")
def run(folder, corpus):
    run = Run(Place(folder, "run"), RECIPE, corpus)
    run.model.run_eagerly = True
    run.train(verbose=0)
    return run


def test_a_corpus_is_found(folder, files):
    train, valid = Place(files.train[0]), Place(files.valid[0])
    assert corpora.from_files(train, [valid])[1:3] == files[1:3]
    base, name = os.path.split(os.path.dirname(files.train[0]))
    for loaded in (
        corpora.load(Place(base, name)),
        corpora.load(Place(name), data_dir=Place(base)),
    ):
        assert isinstance(loaded.name, str) and loaded[1:4] == files[1:4]
    assert [*corpora.read_lines(train)] == [*corpora.read_lines(files.train[0])]


def test_a_download_that_is_there_is_kept(files):
    assert corpora.download("http://none", Place(files.train[0]), "") is None


@pytest.mark.parametrize("kind", [WordTokenizer, CharacterTokenizer])
def test_a_tokenizer_is_learned_saved_and_loaded(folder, files, kind):
    path = Place(files.train[0])
    tokenizer = kind.learn(path)
    assert kind.learn([path]).tokens == kind.learn(files.train).tokens
    tokenizer.save(Place(folder, "tokenizer.json"))
    loaded = tokenizers.load(Place(folder, "tokenizer.json"))
    assert loaded.get_config() == tokenizer.get_config()


def test_a_prepared_corpus_is_opened(folder, corpus):
    opened = PreparedCorpus(Place(folder, "prepared"))
    assert opened.train.values.tolist() == corpus.train.values.tolist()


def test_a_run_is_trained_and_gone_on_with(folder, corpus, run):
    place = Place(folder, "run")
    assert Run.resume(place).epochs_done == 1
    assert recipe_of(place).get_config() == RECIPE.get_config()
    begun = Run(Place(folder, "next"), RECIPE, corpus, start_from=place)
    models = begun.model, run.best_model()
    for new, old in zip(*(m.trainable_weights for m in models), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_space_is_opened_saved_and_loaded(folder, run):
    texts = open_space(Place(folder, "run")).sample(3)
    loaded = TextSpace.load(Place(folder_of(Place(folder, "run"))))
    loaded.save(Place(folder, "saved"))
    assert open_space(Place(folder, "saved")).sample(3) == texts


def test_a_history_and_a_checkpoint_are_written(folder, run):
    history, place = RunHistory(lambda: None), Place(folder, "checkpoint.npz")
    history.rows = run.history.rows
    history.write(Place(folder, "rows.csv"))
    expected = (folder / "run" / "metrics.csv").read_text()
    assert (folder / "rows.csv").read_text() == expected
    checkpoint = TrainingCheckpoint(place, history)
    checkpoint.set_model(run.model)
    checkpoint.on_epoch_end(0)
    assert checkpoint.restore(run.model) == 1


def test_a_server_refuses_what_tensorflow_takes_for_a_pattern(folder, tmp_path):
    with pytest.raises(ValueError, match=r"no version can be loaded from a path with"):
        Server(Place(folder))
    Server(Place(tmp_path))
