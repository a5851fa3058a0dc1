"""The verification finds what differs, and nothing else."""

import json
import shutil
import subprocess
import sys
import types

import grpc
import numpy as np
import pytest
import tensorflow as tf

from export import replay, verify
from export.export_saved_model import export
from keras_textvae import (
    Batching,
    Codec,
    GaussianMixture,
    TextSpace,
    WordTokenizer,
    bag_of_words_vae,
    transfer,
)
from serving.client import TextVAEClient
from serving.saved_model import gate, manifest
from serving.server import Server
from tests.step_by_step import step_by_step
from tests.text_space.conftest import space_of_subwords, stirred


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Answers in this process, and expects without graphs: both take seconds else."""

    def answer(command, input, **options):
        *_, saved_model = command
        answers = replay.replay(saved_model, json.loads(input))
        return subprocess.CompletedProcess(command, 0, json.dumps(answers), "")

    monkeypatch.setattr(verify, "subprocess", types.SimpleNamespace(run=answer))
    with step_by_step():
        yield


def test_all_options_and_signatures_equal_their_model_in_a_process_of_its_own(
    space, tmp_path, monkeypatch
):
    model = transfer.semi_supervised(space, ["cat", "dog"]).model
    stirred(model)  # or every text is as likely a cat as a dog
    z = np.random.default_rng(0).normal(3.0, 1.0, (50, 4))
    density = GaussianMixture.fit(z, components=2)
    labelled = TextSpace(model, space.codec, density, fitted=True)
    version = export(labelled, tmp_path, batching=Batching(), bfloat16=True)
    found = gate.read(version).signature_def
    assert {*found["serving_default"].outputs} == {"text"}
    assert {"classify", *space.graph.signatures} <= {*found}
    ended = []

    def run(command, **options):
        ended.append(subprocess.run(command, **options))
        return ended[0]

    monkeypatch.setattr(verify, "subprocess", types.SimpleNamespace(run=run))
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    assert verify.verify(labelled, str(version)) == []
    (process,) = ended
    assert process.args[0] == sys.executable
    imported = process.stderr.replace(" ", "")
    assert "|keras_textvae" not in imported
    assert "|numpy" in imported


def test_an_export_passes_the_gate(exported):
    assert gate.faults(exported) == manifest.faults(exported) == []


def test_a_space_of_subwords_passes_and_answers_raw_text_when_it_is_served(tmp_path):
    space = space_of_subwords()
    version = export(space, tmp_path / "textvae")
    assert verify.verify(space, str(version)) == []
    hidden = ["the cat _ a dog", "Z\u00fcrich _, \u4e2d"]
    with (
        Server(version.parent, "textvae") as server,
        TextVAEClient(server.address, "textvae", timeout=60) as client,
    ):
        assert client.sample([3, 4]) == space.sample(2, seed=3)
        assert client.impute(hidden) == space.impute(hidden)
        assert client.impute(hidden, 1) == space.impute(hidden, max_pieces=1)
        texts = ["  Z\u00fcrich\t\u2581", "\0 <eos>"]
        np.testing.assert_allclose(
            client.encode(texts)["mean"], space.encode(texts).mean, atol=1e-5
        )
        with pytest.raises(grpc.RpcError, match="`max_pieces` must be at most 8"):
            client.impute(hidden, 9)


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


def test_another_model_is_found_out(labelled, version):
    projection = labelled.model.posterior.projection.kernel
    original = np.array(projection)
    projection.assign(original + 0.01)
    try:
        faults = verify.verify(labelled, str(version))
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
    monkeypatch.setattr(verify, "subprocess", None)
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


def test_no_saved_model_is_one_line(space, tmp_path):
    with pytest.raises(FileNotFoundError, match="saved_model.pb is not there"):
        verify.verify(space, str(tmp_path))


@pytest.fixture(scope="module")
def version(labelled, tmp_path_factory):
    return export(labelled, tmp_path_factory.mktemp("labelled"))


def test_a_classifier_passes_the_gate_and_answers_as_the_model_does(labelled, version):
    assert verify.verify(labelled, str(version)) == []
    found = gate.read(version).signature_def
    outputs = {"label", "labels", "probabilities"}
    assert {*found["serving_default"].outputs} == outputs
    assert "classify" in found and "sample" not in found


@pytest.mark.parametrize("options", [{"tweets": True}, {"split": "punctuation"}])
def test_a_bag_of_words_and_marks_passes_the_gate(tmp_path, options):
    tokenizer = WordTokenizer("the cat dog sees !".split(), **options)
    model = bag_of_words_vae(tokenizer.vocabulary_size, 4, 8, 3)
    space = TextSpace(model, Codec(tokenizer, 7))
    version = export(space, str(tmp_path))
    assert verify.verify(space, version) == []  # through the gate
    assert {"encode", "score"} < {*gate.read(version).signature_def}
