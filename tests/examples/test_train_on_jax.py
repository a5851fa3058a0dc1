"""Runs that are trained on JAX without TensorFlow, from ids, and read here with it."""

import json

import pytest

from examples import prepare, train
from keras_textvae import Run, open_space
from tests.examples.conftest import run_program
from tests.examples.test_train import TINY
from tests.on_jax import run_on_jax

# Runs the program for each of the command lines: all in one process, to start one.
PROGRAM = """
import runpy
from absl import app, flags
app.define_help_flags()
known = set(flags.FLAGS)
program, *commands = sys.argv[1:]
for command in commands:
    sys.argv = [program, *command.splitlines()]
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
    for name in set(flags.FLAGS) - known:
        delattr(flags.FLAGS, name)
    flags.FLAGS.unparse_flags()
    print("ended", flush=True)
"""
RECIPES = {
    # Without noise in z, so that figures are the same; in one shape, to compile once.
    "sentences": [
        *TINY,
        "--model=posterior=deterministic",
        "--bucket_width=40",
        "--density=1",
        "--fitted",
    ],
    "crops": [
        "--recipe=semeniuta2017-ptb",
        "--length=8",
        "--batch_size=8",
        "--model=units=4",
        "--model=latent_dim=2",
        "--model=channels=4,6",
        "--model=features=4",
        "--annealing=linear,0,2,0.1",
    ],
}


@pytest.fixture(scope="module")
def trained(files, tmp_path_factory):
    """The folder of a run of each form, and the lines that the program wrote."""
    pytest.importorskip("jax")
    folders = {form: tmp_path_factory.mktemp(form) for form in RECIPES}
    commands = []
    for form, recipe in RECIPES.items():
        prepared = f"--prepared={folders[form]}/ids"
        assert run_program(prepare, [*recipe, *files, prepared]) == 0
        to_run = [prepared, f"--run_dir={folders[form]}/run"]
        short = ["--epochs=1", "--steps_per_epoch=2"]
        commands.append("\n".join([*recipe, *to_run, *short]))
    ended = run_on_jax(PROGRAM, train.__file__, *commands)
    assert ended.returncode == 0, ended.stderr
    written = ended.stdout.split("ended\n")
    return {
        form: (folder / "run", lines.splitlines())
        for (form, folder), lines in zip(folders.items(), written, strict=False)
    }


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("form", RECIPES)
def test_a_run_of_jax_is_a_run_like_any_other(run, trained, form):
    folder, lines = trained[form]
    assert any(line.startswith("epoch 1 of 1: valid bound ") for line in lines)
    assert lines[-1].endswith(f"examples/sample.py --run_dir={folder}")
    on_jax = json.loads((folder / "result.json").read_text())

    resumed = Run.resume(folder)
    assert resumed.finished
    (row,) = resumed.history.rows
    schedule = resumed.recipe.terms.schedule.build()
    assert row["kl_weight"] == pytest.approx(schedule(1))  # of the last step
    space = open_space(str(folder))
    result = resumed.test(space.model)
    assert result.tokens == pytest.approx(on_jax["tokens"], rel=1e-6)
    assert result.kl == pytest.approx(on_jax["kl"], rel=1e-4)
    noise = 1e-5 if form == "sentences" else 1e-2
    assert result.bound == pytest.approx(on_jax["bound"], rel=noise)
    assert len(space.sample(3)) == 3
    if form == "sentences":
        assert space.fitted and space.density.components == 1
    # More epochs go on from the checkpoint that JAX wrote.
    longer = [f"--run_dir={folder}", "--epochs=2", "--samples=0"]
    ended = run(train, *longer)
    assert ended.code == 0, ended.errors
    assert "training: going on after epoch 1" in ended.output
