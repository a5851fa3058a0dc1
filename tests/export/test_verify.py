"""The verification finds what differs, and nothing else."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from tensorflow.core.protobuf import saved_model_pb2

from export import verify

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def answers():
    """What processes have answered, by their commands and inputs."""
    return {}


@pytest.fixture(autouse=True)
def asked_once(monkeypatch, answers):
    """Asks a SavedModel the same only once: each process takes seconds to start."""
    run = subprocess.run

    def run_once(command, input, **options):
        if (key := (*command, input)) not in answers:
            answers[key] = run(command, input=input, **options)
        return answers[key]

    monkeypatch.setattr(verify.subprocess, "run", run_once)


def test_export_equals_its_model(space, exported):
    assert verify.verify(space, str(exported)) == []


def test_every_signature_is_asked():
    asked = {r["signature"] for r in verify.requests(["a", "b"], [[0.0]])}
    assert asked == {
        "sample",
        "interpolate",
        "reconstruct",
        "impute",
        "encode",
        "decode",
        "score",
    }


def test_another_model_is_found_out(space, exported):
    projection = space.model.posterior.projection.kernel
    original = np.array(projection)
    projection.assign(original + 0.01)
    try:
        faults = verify.verify(space, str(exported))
    finally:
        projection.assign(original)
    assert any(fault.startswith("encode: mean differs") for fault in faults)


def test_missing_output_is_a_difference():
    request = {"signature": "decode"}
    assert verify.differences(request, {}, {"text": ["a"]}) == [
        "decode has outputs [], not ['text']"
    ]


@pytest.mark.parametrize("op", ["CudnnRNNV3", "PyFunc", "ReadFile"])
def test_operations_hidden_in_a_function_are_found(tmp_path, op):
    saved_model = saved_model_pb2.SavedModel()
    graph = saved_model.meta_graphs.add().graph_def
    graph.library.function.add().node_def.add().op = op
    path = tmp_path / "saved_model.pb"
    path.write_bytes(saved_model.SerializeToString())
    assert verify.forbidden(path) == [f"the graph has the operation {op}"]


def test_no_saved_model_is_one_line(space, tmp_path):
    with pytest.raises(FileNotFoundError, match="saved_model.pb is not there"):
        verify.verify(space, str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_no_saved_model_is_one_line(tmp_path, content):
    path = tmp_path / "saved_model.pb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="saved_model.pb holds no SavedModel"):
        verify.forbidden(path)


def test_replay_keeps_keras_textvae_out(exported):
    requests = [{"signature": "decode", "inputs": {"z": [[0.0] * 4]}}]
    program = str(ROOT / "export" / "replay.py")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", program, str(exported)],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert "|keras_textvae" not in done.stderr.replace(" ", "")
    assert "|numpy" in done.stderr.replace(" ", "")
    assert set(json.loads(done.stdout)[0]) == {"text"}
