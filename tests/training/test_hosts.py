"""Processes that train together against one that trains alone."""

import csv
import re
import shutil
import signal
import time

import pytest

from examples import prepare, train
from keras_textvae.training import hosts
from keras_textvae.training.place import place
from tests.examples.conftest import run_program
from tests.on_jax import QUICK, run_on_jax
from tests.several_processes import ended, started
from tests.training.conftest import write_corpus

PROGRAM = """
import runpy
from absl import app
program, *arguments = sys.argv[1:]
sys.argv = [program, *arguments]
runpy.run_path(program, run_name="__main__")
"""
# Batch normalisation, noise in z, a density and a stage; of one shape, to compile once.
RECIPE = (
    "--recipe=hybrid-grammar",
    "--model=convolution_norm=batch",
    *("--model=units=4", "--model=latent_dim=2"),
    *("--model=channels=4,6", "--model=features=4"),
    *("--vocabulary=40", "--length=15", "--bucket_width=16"),
    *("--batch_size=8", "--steps_per_epoch=5", "--density=1"),
)


@pytest.fixture(scope="module")
def ids(tmp_path_factory):
    """A prepared corpus, whose validation has a batch that nothing shares equally."""
    pytest.importorskip("jax")
    folder = tmp_path_factory.mktemp("corpus")
    files = write_corpus(folder, 61, 29)
    prepared = folder / "ids"
    assert run_program(prepare, [*RECIPE, *files, f"--prepared={prepared}"]) == 0
    return prepared


def command(ids, folder, epochs, *options):
    return [
        *(train.__file__, *RECIPE, f"--prepared={ids}", f"--run_dir={folder}"),
        *(f"--epochs={epochs}", "--samples=0", *options),
    ]


def rows(folder):
    with open(folder / "metrics.csv", newline="") as file:
        return [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


@pytest.fixture(scope="module")
def alone(ids, tmp_path_factory):
    """The rows of three epochs of one process on one device."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    trained = run_on_jax(PROGRAM, *command(ids, folder, 3))
    assert trained.returncode == 0, trained.stderr
    return rows(folder)


@pytest.fixture(scope="module")
def together(ids, tmp_path_factory):
    """The folder of two epochs of two processes."""
    folder = tmp_path_factory.mktemp("together")
    own = [folder / "run", folder / "other"]
    processes = started(PROGRAM, [command(ids, path, 2) for path in own])
    (first, printed, _), (second, silent, error) = ended(processes)
    assert (first, second) == (0, 0), error
    assert "2 devices of 2 processes" in printed and "epoch 2 of 2" in printed
    assert "epoch" not in silent
    assert not own[1].exists()
    return own[0]


def test_processes_train_as_one_alone(alone, together):
    assert len(rows(together)) == 2
    for expected, row in zip(alone, rows(together), strict=False):
        assert row == pytest.approx(expected, rel=1e-4)
    assert (together / "best" / "density.safetensors").exists()


@pytest.mark.parametrize(("devices", "count"), [(4, 4), (1, 1)])
def test_a_run_goes_on_with_other_devices(
    ids, alone, together, tmp_path, devices, count
):
    folder = tmp_path / "run"
    shutil.copytree(together, folder)
    flags = f"{QUICK} --xla_force_host_platform_device_count={count}"
    longer = command(ids, folder, 3, f"--devices={devices}")
    trained = run_on_jax(PROGRAM, *longer, environment={"XLA_FLAGS": flags})
    assert trained.returncode == 0, trained.stderr
    assert "going on after epoch 2" in trained.stdout
    assert rows(folder)[2] == pytest.approx(alone[2], rel=1e-3)


@pytest.mark.parametrize(("lost", "by"), [(0, signal.SIGKILL), (1, signal.SIGTERM)])
def test_the_end_of_a_process_ends_the_others_with_its_name(
    ids, alone, tmp_path, lost, by
):
    folders = [tmp_path / "run", tmp_path / "other"]
    commands = [command(ids, folder, 1000) for folder in folders]
    processes = started(PROGRAM, commands)
    while not (folders[0] / "metrics.csv").exists():
        assert processes[0].poll() is None, ended(processes)
        time.sleep(0.05)
    processes[lost].send_signal(by)
    killed = time.monotonic()
    results = ended(processes)
    assert time.monotonic() - killed < 60
    assert results[lost][0] == -by
    code, _, error = results[1 - lost]
    assert code == -signal.SIGABRT
    assert re.fullmatch(rf"process {lost} of 2 \(.*\) has ended .*", error)
    # The same command goes on, with what was computed.
    done = len(rows(folders[0]))
    commands = [command(ids, folder, done + 1) for folder in folders]
    assert [code for code, *_ in ended(started(PROGRAM, commands))] == [0, 0]
    assert rows(folders[0])[:3] == [
        pytest.approx(row, rel=1e-4) for row in alone[: done + 1]
    ]


def test_mistakes_of_one_process_end_both_with_one_line(ids, tmp_path):
    there, gone = command(ids, tmp_path / "a", 1), command("gone", tmp_path / "b", 1)
    (first, _, error), (second, _, own) = ended(started(PROGRAM, [there, gone]))
    assert (first, second) == (2, 2)
    assert error.endswith("process 1: gone holds no prepared corpus (prepared.json).")
    assert own.endswith(": gone holds no prepared corpus (prepared.json).")

    other = command(ids, tmp_path / "b", 1, "--beta=0.5")
    (first, _, error), (second, _, own) = ended(started(PROGRAM, [there, other]))
    assert (first, second) == (2, 2)
    difference = "recipe.terms.beta is 0.5; on process 0 recipe.terms.beta is 1.0."
    assert error.endswith(f"process 1: {difference}") and own.endswith(difference)

    (first, _, error), (second, *_) = ended(started(PROGRAM, [there, there], [2, 3]))
    assert (first, second) == (2, 2)
    assert error.endswith(
        "2 processes train together; this one was told that there are 3."
    )
    assert not (tmp_path / "a").exists()


def test_processes_that_do_not_come_are_not_waited_for(ids, tmp_path):
    waiting = command(ids, tmp_path / "run", 1, "--join_seconds=3")
    first, second = started(PROGRAM, [waiting, waiting])
    second.kill()
    (code, _, error), _ = ended([first, second])
    assert code == -signal.SIGABRT
    assert error.startswith("not all of 2 processes came in 3 s; this is process 0")


HERE = {
    "KERAS_DISTRIBUTION_JOB_ADDRESSES": "10.0.0.1:1234,10.0.0.2:1234",
    "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    "KERAS_DISTRIBUTION_PROCESS_ID": "1",
}
TRAINER = {
    "JAX_COORDINATOR_ADDRESS": "job-node-0-0.job:6666",
    "JAX_NUM_PROCESSES": "4",
    "JAX_PROCESS_ID": "3",
}
SLURM = {
    "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_STEP_NODELIST": "node[01-02]",
}
INDEXED = {
    "KERAS_DISTRIBUTION_JOB_ADDRESSES": "train-0.train:1234",
    "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    "JOB_COMPLETION_INDEX": "0",
}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        (HERE, (1, 2, "10.0.0.1:1234")),
        (TRAINER, (3, 4, "job-node-0-0.job:6666")),
        (SLURM, (5, 8, None)),
        (INDEXED, (0, 2, "train-0.train:1234")),
        (HERE | {"KERAS_DISTRIBUTION_NUM_PROCESSES": "1"}, None),
        (TRAINER | HERE, (1, 2, "10.0.0.1:1234")),
        # A shell in an allocation, where no step has begun.
        ({"SLURM_NTASKS": "8", "SLURM_PROCID": "0"}, None),
    ],
)
def test_the_environment_says_where_a_process_is(environment, expected):
    assert place(environment) == expected


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (HERE | {"KERAS_DISTRIBUTION_PROCESS_ID": ""}, "is not said"),
        (HERE | {"KERAS_DISTRIBUTION_PROCESS_ID": "2"}, "is 2"),
        (HERE | {"KERAS_DISTRIBUTION_JOB_ADDRESSES": ""}, "HOST:PORT"),
        (HERE | {"KERAS_DISTRIBUTION_NUM_PROCESSES": "two"}, "Received: 'two'"),
        (TRAINER | {"JAX_COORDINATOR_ADDRESS": "host"}, "HOST:PORT. Received: 'host'"),
    ],
)
def test_an_environment_that_says_half_is_refused(environment, message):
    with pytest.raises(ValueError, match=message):
        place(environment)


def test_several_processes_train_on_jax_alone(monkeypatch):
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax"), hosts.joined():
        pass


def test_alone_nothing_is_shared(tmp_path):
    path = tmp_path / "file"
    assert hosts.file_of_first(str(path)) is None
    path.touch()
    assert hosts.file_of_first(str(path)) == str(path)
    with hosts.together():
        hosts.require_same({"seed": 0})
    with pytest.raises(OSError, match="as it is"), hosts.together():
        raise OSError("as it is")
