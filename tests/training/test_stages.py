"""Recipes with stages: what a stage hands on, and how they go on after a kill."""

import json
import shutil

import keras
import numpy as np
import pytest

from keras_textvae import Run, Text, corpora, grammar, prepare, zoo

# The encoder learns by a bag of words first, then by an autoencoder whose decoder, too,
# the last run begins with.
RECIPE = zoo.recipe("lstm-grammar").replace(
    text=Text("words", length=6),
    arguments={"embedding_dim": 3, "units": 4, "latent_dim": 2, "keep_rate": 0.75},
    batch_size=8,
    steps_per_epoch=2,
    valid_steps=1,
    epochs=2,
    schedule=zoo.Schedule("sigmoid", (2, 1.0)),
    stages=(
        zoo.Stage("silent", {"keep_rate": 0.0, "beta": 0.0}, keep=("encoder",)),
        zoo.Stage("autoencoder", {"beta": 0.0, "learning_rate": 1e-2}),
    ),
)
FOLDERS = ("stages/1-silent", "stages/2-autoencoder", ".")
EPOCHS = 2  # of each of them


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for split in grammar.SPLITS:
        texts = (example.text for example in grammar.generate(300, 0, split))
        lines = [text for text in texts if len(text.split()) <= 6][:20]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return prepare(corpora.load(str(folder)), RECIPE.text)


class KilledAt(keras.callbacks.Callback):
    """Ends the program when so many epochs of all runs have been begun before."""

    def __init__(self, epochs):
        super().__init__()
        self.left = epochs

    def on_epoch_begin(self, epoch, logs=None):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1


class Announced(dict):
    """What runs begin with, by their folders: the epochs done, and the weights."""

    def __call__(self, run):
        run.model.run_eagerly = True  # graphs take longer than a few steps
        self[run.path("").rstrip("/")] = run.epochs_done, weights_of(run.model)


def weights_of(model):
    parts = {name: getattr(model, name).weights for name in zoo.PARTS}
    return {name: [np.array(w) for w in weights] for name, weights in parts.items()}


def train(run, *callbacks):
    """Trains a run, and returns how it and its stages began."""
    announced = Announced()
    run.train(callbacks, verbose=0, announce=announced)
    return announced


def epochs_done(announced):
    return {folder: epochs for folder, (epochs, _) in announced.items()}


@pytest.fixture(scope="module")
def straight(corpus, tmp_path_factory):
    """The folder of a run that nothing interrupts, and how its parts began."""
    folder = tmp_path_factory.mktemp("straight")
    return folder, train(Run(folder, RECIPE, corpus))


def figures(folder):
    return [(folder / name / "metrics.csv").read_text() for name in FOLDERS]


def test_stages_are_trained_in_order_each_in_a_folder(straight):
    folder, announced = straight
    assert [*announced] == [str(folder / name) for name in FOLDERS]
    assert {*epochs_done(announced).values()} == {0}
    for name, table in zip(FOLDERS, figures(folder), strict=True):
        assert len(table.splitlines()) == 1 + EPOCHS, name
    stages = json.loads((folder / "config.json").read_text())["recipe"]["stages"]
    assert [stage["name"] for stage in stages] == ["silent", "autoencoder"]


@pytest.mark.parametrize(
    ("epochs", "moved"), [(2, False), (3, True), (4, False)], ids=["2", "3", "4"]
)
def test_a_run_killed_anywhere_ends_like_one_that_was_not(
    corpus, straight, tmp_path, epochs, moved
):
    folder = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        train(Run(folder, RECIPE, corpus), KilledAt(epochs))
    if moved:
        folder = shutil.move(folder, tmp_path / "moved")
    announced = train(Run.resume(folder))
    first, done = divmod(epochs, EPOCHS)
    assert epochs_done(announced) == {
        str(folder / name): done if name == FOLDERS[first] else 0
        for name in FOLDERS[first:]
    }
    assert figures(folder) == figures(straight[0])
    finished, expected = (Run.resume(path) for path in (folder, straight[0]))
    same(*(weights_of(run.best_model()) for run in (finished, expected)))
    assert not train(finished)


def same(found, wanted):
    for name, weights in wanted.items():
        for one, other in zip(found[name], weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_stage_hands_on_the_parts_that_are_kept(corpus, straight, tmp_path):
    folder, announced = straight
    begun = [weights for _, weights in announced.values()]
    fresh = weights_of(Run(tmp_path, RECIPE, corpus).model)
    first, second = (
        weights_of(Run.resume(folder / name).best_model()) for name in FOLDERS[:2]
    )
    same(begun[0], fresh)
    same(begun[1], fresh | {"encoder": first["encoder"]})
    same(begun[2], second)


def test_a_stage_may_change_whole_parts_and_schedules(corpus, tmp_path):
    stages = (
        zoo.Stage("linear", {"schedule": zoo.Schedule("linear", (0, 3)), "epochs": 1}),
        zoo.Stage("free", {"terms": zoo.Terms(beta=0.5), "epochs": 1}),
    )
    recipe = RECIPE.replace(stages=stages, epochs=1)
    Run(tmp_path, recipe, corpus)
    resumed = Run.resume(tmp_path)
    assert resumed.recipe == recipe
    train(resumed)
    weights = [
        Run.resume(tmp_path / name).history.rows[0]["kl_weight"]
        for name in ("stages/1-linear", "stages/2-free")
    ]
    assert weights == pytest.approx([1 / 3, 1.0])


def test_another_stage_makes_another_run(corpus, straight):
    folder, _ = straight
    for stages in ((), RECIPE.stages[:1], RECIPE.stages[::-1]):
        with pytest.raises(ValueError, match="configuration: recipe.stages is"):
            Run(folder, RECIPE.replace(stages=stages), corpus)


def test_more_epochs_are_the_last_run_s_alone(straight, tmp_path):
    folder = shutil.copytree(straight[0], tmp_path / "run")
    longer = Run.resume(folder, epochs=EPOCHS + 1)
    assert epochs_done(train(longer)) == {str(folder): EPOCHS}
    *stages, last = figures(folder)
    *wanted, before = figures(straight[0])
    assert stages == wanted
    assert last.startswith(before) and len(last.splitlines()) == 2 + EPOCHS


def test_a_stage_of_other_sizes_is_refused_before_it_trains(corpus, tmp_path):
    words = zoo.Stage("words", {"architecture": "bag_of_words"}, keep=("encoder",))
    small = zoo.Stage("small", {"encoder_units": 3}, keep=("encoder",))
    run = Run(tmp_path / "run", RECIPE.replace(stages=(words, small)), corpus)
    with pytest.raises(ValueError, match="stage 'small' has a model of other sizes"):
        run.train(verbose=0)
    assert not (tmp_path / "run" / "stages").exists()
