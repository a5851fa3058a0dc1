"""What launches processes that train together: the schemas, and what they agree on."""

import os
import pathlib
import re
import shlex
import signal
import subprocess

import pytest

from examples import train
from keras_textvae import zoo
from keras_textvae.training.place import place

LAUNCH = pathlib.Path(train.__file__).parent / "launch"
yaml = pytest.importorskip("yaml")


def job_and_service():
    with open(LAUNCH / "job.yaml") as file:
        service, job = yaml.safe_load_all(file)
    return job, service


def train_job():
    with open(LAUNCH / "trainjob.yaml") as file:
        return yaml.safe_load(file)


@pytest.mark.parametrize("version", ["1.29", "1.34", "1.37"])
def test_the_job_fits_the_schema(version):
    schemas = pytest.importorskip("kubernetes_validate")
    for manifest in job_and_service():
        schemas.validate(manifest, version, strict=True)


def test_the_train_job_fits_the_schema():
    """Fields that it does not know are not in what the model is written as."""
    models = pytest.importorskip("kubeflow_trainer_api.models")
    manifest = train_job()
    assert models.TrainerV1alpha1TrainJob.from_dict(manifest).to_dict() == manifest
    manifest["spec"]["unheard_of"] = 1
    assert models.TrainerV1alpha1TrainJob.from_dict(manifest).to_dict() != manifest


def test_the_pods_of_the_job_meet():
    job, service = job_and_service()
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}
    name = job["metadata"]["name"]
    # A pod of an indexed job is JOB-INDEX, in the service that is its subdomain.
    index, count, address = place(environment | {"JOB_COMPLETION_INDEX": "1"})
    assert (
        address == f"{name}-0.{pod['subdomain']}:{service['spec']['ports'][0]['port']}"
    )
    assert pod["subdomain"] == service["metadata"]["name"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert (index, count) == (1, job["spec"]["completions"])
    assert count == job["spec"]["parallelism"]
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    # Before all are there, none is ready.
    assert service["spec"]["publishNotReadyAddresses"]


def flags_of(arguments):
    return dict(each.removeprefix("--").split("=") for each in arguments)


@pytest.mark.parametrize("name", ["job", "trainjob"])
def test_flags_are_those_of_the_program(name):
    manifest = train_job()["spec"]["trainer"]
    if name == "job":
        job, _ = job_and_service()
        (manifest,) = job["spec"]["template"]["spec"]["containers"]
    flags = flags_of(manifest["args"])
    assert flags["recipe"] in zoo.RECIPES
    assert flags.keys() <= {"recipe", "prepared", "run_dir", "samples"}
    assert (
        manifest["image"]
        == re.search(r"--tag (\S+)", (LAUNCH / "Dockerfile").read_text())[1]
    )


def test_the_shell_starts_as_many_processes_as_it_is_told(tmp_path):
    stand_in = tmp_path / "python"
    stand_in.write_text('#!/bin/sh\nenv | grep KERAS | sort; echo "$@"\n')
    stand_in.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PORT": "4321"}
    ended = subprocess.run(
        [LAUNCH / "one_machine.sh", "3", "--recipe=demo", "--run_dir=a b"],
        env=os.environ | path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines.count("KERAS_DISTRIBUTION_NUM_PROCESSES=3") == 3
    assert lines.count("KERAS_DISTRIBUTION_JOB_ADDRESSES=127.0.0.1:4321") == 3
    numbers = [line for line in lines if "PROCESS_ID" in line]
    assert sorted(numbers) == [f"KERAS_DISTRIBUTION_PROCESS_ID={i}" for i in range(3)]
    (command,) = {line for line in lines if "train.py" in line}
    assert command.endswith("examples/launch/../train.py --recipe=demo --run_dir=a b")


def test_ctrl_c_ends_the_shell_and_its_processes(tmp_path):
    stand_in = tmp_path / "python"
    stand_in.write_text("#!/bin/sh\necho began; exec sleep 60\n")
    stand_in.chmod(0o755)
    with subprocess.Popen(
        [LAUNCH / "one_machine.sh", "2"],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert [process.stdout.readline() for _ in range(2)] == ["began\n"] * 2
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 130
        assert process.stdout.read() == ""  # which both had open


@pytest.mark.parametrize("name", ["one_machine.sh", "train.sbatch"])
def test_the_scripts_are_bash(name):
    checked = subprocess.run(["bash", "-n", LAUNCH / name], capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_slurm_starts_a_process_for_each_gpu():
    text = (LAUNCH / "train.sbatch").read_text()
    options = dict(re.findall(r"#SBATCH --([\w-]+)=(\S+)", text))
    assert options["ntasks-per-node"] == options["gpus-per-node"]
    command = shlex.split(text.splitlines()[-1])
    assert command[0] == "srun" and "--kill-on-bad-exit=1" in command
    assert (pathlib.Path(train.__file__).parents[1] / command[4]).samefile(
        train.__file__
    )
