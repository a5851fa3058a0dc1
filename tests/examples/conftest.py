"""Programs run in this process: to import TensorFlow again takes seconds each time."""

import math
from typing import NamedTuple

import keras
import numpy as np
import pytest
from absl import flags

from examples import experiments
from keras_textvae import command_line, grammar, text_space, zoo
from keras_textvae.corpora import progress
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from keras_textvae.training import console


class Ended(NamedTuple):
    """How a program ended: its exit code, and the lines it wrote."""

    code: int
    output: list
    errors: list


def run_program(program, arguments):
    """Runs a program on a command line, and returns the exit code."""
    known = set(flags.FLAGS)
    program.define_flags()
    try:
        argv = command_line.parse_flags([program.__file__, *arguments])
        return command_line.answer(program.main, argv)
    except SystemExit as ended:
        return ended.code
    finally:
        for name in set(flags.FLAGS) - known:
            delattr(flags.FLAGS, name)
        flags.FLAGS.unparse_flags()
        keras.config.set_dtype_policy("float32")


@pytest.fixture
def run(capsys, monkeypatch):
    """A function that runs a program on a command line."""
    monkeypatch.setattr(progress, "FIRST", math.inf)  # lines that a slow machine has

    def run(program, *arguments):
        capsys.readouterr()
        code = run_program(program, arguments)
        written = capsys.readouterr()
        return Ended(code, written.out.splitlines(), written.err.splitlines())

    return run


@pytest.fixture
def eagerly(monkeypatch):
    """Has the program that trains do so without a graph, which takes seconds."""
    announce = console.announce

    def announce_eagerly(run):
        run.model.run_eagerly = True
        announce(run)

    monkeypatch.setattr(console, "announce", announce_eagerly)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Flags of sentences of one's own."""
    folder = tmp_path_factory.mktemp("sentences")
    for split, size in (("train", 200), ("valid", 30), ("test", 30)):
        lines = [example.text for example in grammar.generate(size, 0, split)]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return [f"--{split}_files={folder}/{split}.txt" for split in grammar.SPLITS]


@pytest.fixture(scope="session")
def space():
    """A space of random weights large enough that texts differ."""
    tokenizer = WordTokenizer("the a cat dog sees likes big old".split())
    model = zoo.lstm_vae(tokenizer.vocabulary_size, 4, 8, 3)
    model(np.ones((1, 5), "int32"))
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.8, size=weight.shape))
    return TextSpace(model, Codec(tokenizer, 5))


@pytest.fixture(scope="session")
def run_dir(space, tmp_path_factory):
    """A folder like that of a run, with its best model."""
    folder = tmp_path_factory.mktemp("run")
    space.save(str(folder / "best"))
    return str(folder)


@pytest.fixture
def opened(monkeypatch, space, run_dir):
    """Opens `run_dir` without loading it, so that its graphs are traced once."""
    load = text_space.open_space
    monkeypatch.setattr(
        text_space,
        "open_space",
        lambda folder: space if folder == run_dir else load(folder),
    )
    return run_dir


@pytest.fixture(scope="module")
def trained_before():
    """Runs by what makes a kind of trial: each stands for all trials like it."""
    return {}


@pytest.fixture
def trained_here(monkeypatch, trained_before):
    """Trains and loads an experiment's trials in this process, each kind once."""
    load = experiments.load_run

    def load_run(trial, settings):
        model, text = trial.recipe.model, trial.recipe.text
        arguments = [model.arguments.get(name) for name in ("keep_rate", "posterior")]
        kind = model.architecture, text.right_to_left, *arguments
        if kind not in trained_before:
            run = trained_before[kind] = load(trial, settings)
            run.model.run_eagerly = True  # a graph takes longer than a few steps
            run.train(verbose=0)
            space = run.best()
            run.best = lambda: space
        return trained_before[kind]

    def train_all(trials, settings):
        return {t.name: load_run(t, settings).history.rows for t in trials}

    monkeypatch.setattr(experiments, "load_run", load_run)
    monkeypatch.setattr(experiments, "train_all", train_all)
