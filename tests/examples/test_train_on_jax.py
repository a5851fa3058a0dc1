"""Runs that are trained on JAX without TensorFlow, from ids, and read here with it."""

import json

import pytest

from examples import prepare, train
from keras_textvae import Run, open_space
from tests.examples.test_train import TINY
from tests.on_jax import run_on_jax

PROGRAM = """
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
RECIPES = {
    # Without noise in z, so that figures are the same; in one shape, to compile once.
    "sentences": [*TINY, "--model=posterior=deterministic", "--bucket_width=40"],
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


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("form", RECIPES)
def test_a_run_of_jax_is_a_run_like_any_other(run, files, tmp_path, form):
    pytest.importorskip("jax")
    recipe, folder = RECIPES[form], tmp_path / "run"
    from_ids = [f"--prepared={tmp_path}/ids", f"--run_dir={folder}"]
    assert run(prepare, *recipe, *files, from_ids[0]).code == 0
    short = ["--epochs=1", "--steps_per_epoch=2"]
    ended = run_on_jax(PROGRAM, train.__file__, *recipe, *from_ids, *short)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
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
    # More epochs go on from the checkpoint that JAX wrote.
    longer = [f"--run_dir={folder}", "--epochs=2", "--samples=0"]
    ended = run(train, *longer)
    assert ended.code == 0, ended.errors
    assert "training: going on after epoch 1" in ended.output
