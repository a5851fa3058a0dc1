"""A run that is trained on JAX without TensorFlow, and taken back."""

import csv
import json

import numpy as np
import pytest

from examples import hand_over, train, train_on_jax
from keras_textvae import grammar, runs, schedules
from keras_textvae.evaluation import evaluate_bound
from tests.examples.conftest import run_program
from tests.examples.test_train import TINY
from tests.on_jax import run_on_jax

EPOCHS = 3
PROGRAM = """
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def train_without_tensorflow(folder, *arguments):
    program = train_on_jax.__file__
    return run_on_jax(PROGRAM, program, f"--run_dir={folder}", *arguments)


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """Flags of a tiny run on sentences of nearly equal lengths: few compilations."""
    folder = tmp_path_factory.mktemp("handed_over")
    for split, size in (("train", 96), ("valid", 32), ("test", 32)):
        texts = (example.text for example in grammar.generate(900, 0, split))
        lines = [text for text in texts if 9 <= len(text.split()) <= 13][:size]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n")
    files = [f"--{split}_files={folder}/{split}.txt" for split in grammar.SPLITS]
    annealing = ["--annealing=linear,2,10", f"--epochs={EPOCHS}"]
    return [*TINY, *files, *annealing, f"--run_dir={folder}/run", "--samples=0"]


@pytest.fixture(scope="module")
def trained(flags):
    """The folder of a run that was handed over and trained, and what was printed."""
    folder = flags[-2].removeprefix("--run_dir=")
    assert run_program(hand_over, flags) == 0
    ended = train_without_tensorflow(folder, "--figures=smoke")
    assert ended.returncode == 0, ended.stderr
    return folder, ended.stdout


def test_a_run_is_trained_with_its_schedule_and_its_table(trained):
    folder, output = trained
    assert f"epoch {EPOCHS} of {EPOCHS}: valid bound" in output
    with open(f"{folder}/metrics.csv") as file:
        rows = [*csv.DictReader(file)]
    weights = [float(row["kl_weight"]) for row in rows]
    weight = schedules.linear(2, 10)
    assert weights == pytest.approx([weight(3 * epoch + 2) for epoch in range(EPOCHS)])
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_a_run_taken_back_is_a_run_like_any_other(trained, flags, run):
    folder, output = trained
    ended = run(hand_over, *flags, "--back")
    assert ended.code == 0, ended.errors
    assert any(line.startswith("test: bound") for line in ended.output)
    again = run(train, *flags)
    assert f"going on after epoch {EPOCHS}" in again.output
    assert not any(line.startswith("epoch 1") for line in again.output)
    # The same figures on both backends, but for the noise in z.
    found = json.loads(output[output.index("{") :])
    space = runs.open_space(folder)
    space.model.compile()
    with np.load(f"{folder}/ids.npz") as ids:
        lengths, values = ids["test_lengths"], ids["test_values"]
    sentences = np.split(values, np.cumsum(lengths)[:-1])
    padded = np.zeros((len(lengths), max(lengths)), "int32")
    for row, sentence in zip(padded, sentences, strict=True):
        row[: len(sentence)] = sentence
    bound = evaluate_bound(space.model, padded)
    assert bound.kl == pytest.approx(found["test"]["kl"], rel=1e-4)
    assert bound.tokens == pytest.approx(found["test"]["tokens"], rel=1e-6)
    assert bound.bound == pytest.approx(found["test"]["bound"], rel=1e-2)


def test_a_run_that_starts_from_another_is_handed_over_with_its_weights(
    trained, flags, tmp_path, run
):
    folder, _ = trained
    run(hand_over, *flags, "--back")
    start = [f"--start_from={folder}", "--seed=1", f"--run_dir={tmp_path}"]
    assert run(hand_over, *flags, *start).code == 0
    model = train_on_jax.JaxRun(str(tmp_path), 16).model
    wanted = runs.open_space(folder).model
    for found, weight in zip(model.weights, wanted.weights, strict=True):
        np.testing.assert_array_equal(found, weight)


def test_what_cannot_be_trained_is_one_line(trained, tmp_path, run):
    folder, _ = trained
    ended = run(train_on_jax, f"--run_dir={folder}")
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert "KERAS_BACKEND=jax is needed" in ended.errors[0]
    ended = train_without_tensorflow(tmp_path)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "config.json: No such file" in ended.stderr


def test_what_cannot_be_handed_over_is_one_line(flags, tmp_path, run):
    ended = run(hand_over, *flags, f"--run_dir={tmp_path}", "--back")
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert "best.npz: No such file" in ended.errors[0]
    crops = ["--preset=semeniuta2017-ptb-lstm", *flags[len(TINY) :]]
    ended = run(hand_over, *crops, f"--run_dir={tmp_path}/crops", "--model=units=4")
    assert (ended.code, len(ended.errors)) == (2, 1)
    assert "trains on crops" in ended.errors[0]
