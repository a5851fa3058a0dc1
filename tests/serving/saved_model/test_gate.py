"""The gate lets what is harmless pass, and finds what is hidden."""

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from serving.saved_model import gate, manifest
from serving.server import Server


@pytest.fixture
def hiding(tmp_path):
    """A function that saves a SavedModel whose signature runs a function."""

    def save(compute):
        module = tf.Module()
        spec = tf.TensorSpec([], tf.string, "text")
        signature = tf.function(
            lambda text: {"text": compute(text)}, input_signature=[spec]
        )
        folder = tmp_path / "1"
        tf.saved_model.save(module, str(folder), {"serving_default": signature})
        return folder

    return save


def in_a_loop(step):
    """Runs a step inside a while loop, where TensorFlow's own scanner is blind."""

    def compute(text):
        return tf.while_loop(
            lambda i, _: i < 2,
            lambda i, text: (i + 1, tf.ensure_shape(step(text), [])),
            (0, text),
        )[1]

    return compute


HIDDEN = {
    "ReadFile": tf.io.read_file,
    "WriteFile": lambda text: (tf.io.write_file("stolen", text), text)[1],
    "EagerPyFunc": lambda text: tf.py_function(lambda x: x, [text], tf.string),
    "MatchingFiles": lambda text: tf.strings.reduce_join(tf.io.matching_files(text)),
    # Allowed where the loader restores, and nowhere else.
    "RestoreV2": lambda text: tf.raw_ops.RestoreV2(
        prefix=text, tensor_names=["x"], shape_and_slices=[""], dtypes=[tf.string]
    )[0],
}


@pytest.mark.parametrize("op", HIDDEN)
def test_an_operation_hidden_in_a_loop_is_found(op, hiding):
    folder = hiding(in_a_loop(HIDDEN[op]))
    found = gate.faults(folder)
    assert f"operation {op} is not allowed" in found


def test_what_reads_a_file_in_a_loop_is_not_served(hiding):
    folder = hiding(in_a_loop(tf.io.read_file))
    manifest.write(folder)
    with pytest.raises(ValueError, match="refused: operation ReadFile is not allowed"):
        Server(folder.parent, verify=True).start()


def test_a_harmless_model_passes(hiding):
    assert gate.faults(hiding(in_a_loop(tf.strings.lower))) == []


def changed(folder, change):
    path = folder / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    change(saved_model.meta_graphs[0].graph_def)
    path.write_bytes(saved_model.SerializeToString())
    return gate.faults(folder)


def test_what_only_a_gpu_or_a_compiler_runs_is_found(hiding):
    folder = hiding(in_a_loop(tf.strings.lower))

    def change(graph):
        function = graph.library.function[0]
        function.attr["_XlaMustCompile"].b = True
        function.node_def[0].device = "/device:GPU:0"
        function.node_def.add(name="rnn", op="CudnnRNNV3")
        change.name = function.signature.name

    assert changed(folder, change) == [
        "operation CudnnRNNV3 is not allowed",
        "device /device:GPU:0 is not the CPU",
        f"{change.name} must be compiled by XLA",
    ]


def test_a_folder_without_a_saved_model_is_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="saved_model.pb is not there"):
        gate.faults(tmp_path)


@pytest.mark.parametrize("content", [b"", b"junk"])
def test_a_file_that_is_no_saved_model_is_one_line(tmp_path, content):
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(ValueError, match="saved_model.pb holds no SavedModel"):
        gate.faults(tmp_path)
