"""The verification finds what differs, and nothing else."""

import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from export import verify
from export.export_saved_model import export
from keras_textvae import (
    Batching,
    Codec,
    TextSpace,
    WordTokenizer,
    bag_of_words_vae,
    transfer,
)
from serving.saved_model import gate

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


def test_an_export_with_all_options_passes_the_gate(space, tmp_path):
    space.export(str(tmp_path), Batching(), bfloat16=True)
    assert gate.faults(tmp_path) == []


def test_what_reads_a_file_is_found_first(space, tmp_path):
    module = tf.Module()
    spec = tf.TensorSpec([], tf.string, "text")
    read = tf.function(lambda text: tf.io.read_file(text), input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path), {"serving_default": read})
    assert verify.verify(space, tmp_path)[0] == "operation ReadFile is not allowed"


def test_every_signature_is_asked_with_every_input(space):
    asked = {r["signature"]: {*r["inputs"]} for r in verify.requests(space)}
    assert asked == {
        name: {i.name for i in signature.inputs}
        for name, signature in space.graph.signatures.items()
    }


def test_what_is_expected_is_what_the_methods_say(space):
    texts = ["the cat", "a dog"]
    path = {"start": texts[:1], "end": texts[1:], "steps": 3, "spherical": False}
    assert verify.expected(space, "interpolate", path) == {
        "text": [space.interpolate(*texts, steps=3)]
    }
    score = space.score(texts, seed=5)._asdict()
    assert verify.expected(space, "score", {"text": texts, "seed": 5}) == {
        name: values.tolist() for name, values in score.items()
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


def test_what_is_wrong_is_not_loaded(space, exported, tmp_path, monkeypatch):
    folder = tmp_path / "1"
    shutil.copytree(exported, folder)
    (folder / "saved_model.pb").write_bytes(
        (folder / "saved_model.pb").read_bytes() + b"\x12\x00"
    )
    monkeypatch.setattr(verify.subprocess, "run", None)
    assert verify.verify(space, str(folder)) == ["saved_model.pb was changed"]


def test_a_signature_must_be_as_declared(space, exported):
    declared = space.graph.signatures
    found = gate.read(exported).signature_def
    assert verify.undeclared(declared, found) == []
    sample, score = declared["sample"], declared["score"]
    changed = declared | {
        "dream": score,
        "sample": sample._replace(inputs=sample.inputs[:-1]),
        "score": score._replace(
            inputs=[score.inputs[0], score.inputs[1]._replace(default=7)]
        ),
    }
    del changed["decode"]
    faults = [line.partition(" is")[0] for line in verify.undeclared(changed, found)]
    assert faults == [
        "signature decode",
        "signature sample",
        "signature score",
        "signature dream",
        "signature serving_default",
    ]


def test_rounded_weights_are_compared_with_rounded_ones(space, tmp_path):
    version = export(space, tmp_path, bfloat16=True)
    assert verify.verify(space, str(version)) == []


def test_no_saved_model_is_one_line(space, tmp_path):
    with pytest.raises(FileNotFoundError, match="saved_model.pb is not there"):
        verify.verify(space, str(tmp_path))


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


def test_a_classifier_passes_the_gate_and_answers_as_the_model_does(space, tmp_path):
    labelled = transfer.classifier(space, ["cat", "dog"])
    version = export(labelled, str(tmp_path))
    assert verify.verify(labelled, str(version)) == []
    found = gate.read(version).signature_def
    assert {*found["serving_default"].outputs} == {"label", "probabilities"}
    assert "classify" in found and "sample" not in found


def test_a_semi_supervised_space_passes_the_gate_and_generates_too(space, tmp_path):
    labelled = transfer.semi_supervised(space, ["cat", "dog"])
    version = export(labelled, str(tmp_path))
    assert gate.faults(version) == []
    found = gate.read(version).signature_def
    assert {*found["serving_default"].outputs} == {"text"}
    assert {"classify", "sample"} <= {*found}


def test_a_bag_of_words_of_tweets_passes_the_gate(tmp_path):
    tokenizer = WordTokenizer("the cat dog sees !".split(), tweets=True)
    model = bag_of_words_vae(tokenizer.vocabulary_size, 4, 8, 3)
    model(np.ones((1, 5), "int32"))
    space = TextSpace(model, Codec(tokenizer, 7))
    assert gate.faults(export(space, str(tmp_path))) == []
