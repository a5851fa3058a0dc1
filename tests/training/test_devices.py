"""Devices that share a training against one."""

import json
import subprocess
import sys

import pytest

from examples import prepare
from keras_textvae.training import devices
from keras_textvae.training.devices import Devices
from tests.examples.conftest import run_program
from tests.training.conftest import write_corpus


@pytest.fixture
def four(monkeypatch):
    """A machine with four devices, of two hosts."""
    names = tuple(f"/device:GPU:{number}" for number in range(4))
    monkeypatch.setattr(devices.replicas, "devices", lambda: names)
    monkeypatch.setattr(devices.hosts, "count", lambda: 2)
    return names


@pytest.mark.parametrize(
    ("wanted", "batch_size", "count"),
    [(None, 32, 4), (None, 12, 3), (None, 2, 1), (2, 32, 2), (1, 6, 1)],
)
@pytest.mark.usefixtures("four")
def test_as_many_devices_as_share_a_batch_equally(wanted, batch_size, count):
    shared = Devices(wanted, batch_size)
    assert (len(shared.local), shared.count) == (count, 2 * count)


@pytest.mark.parametrize(
    ("wanted", "batch_size", "message"),
    [
        (5, 40, "5 devices are wanted; this machine has 4: gpu:0, gpu:1,"),
        (0, 40, "0 devices"),
        (3, 32, "6 devices cannot share a batch equally. Received: batch_size=32"),
        (None, 7, "cannot share a batch"),
    ],
)
@pytest.mark.usefixtures("four")
def test_devices_that_are_not_there_or_cannot_share_are_refused(
    wanted, batch_size, message
):
    with pytest.raises(ValueError, match=message):
        Devices(wanted, batch_size)


def test_two_of_tensorflow_train_as_one(tmp_path):
    """Batch normalisation is that of the whole batch, validation of all sentences."""
    files = write_corpus(tmp_path, 40, 29)
    ids = f"{tmp_path}/ids"
    sizes = ["--recipe=hybrid-grammar", "--vocabulary=40", "--length=15"]
    assert run_program(prepare, [*sizes, *files, f"--prepared={ids}"]) == 0
    command = [sys.executable, "-m", "tests.training.devices_on_tensorflow"]
    ended = subprocess.run([*command, ids, tmp_path], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    rows = json.loads(ended.stdout)
    (expected,), (row,) = rows["1"], rows["2"]
    assert row == pytest.approx(expected, rel=1e-3)
    assert rows["epochs"] == 2
