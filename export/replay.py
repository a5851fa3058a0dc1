"""Answers requests from a SavedModel alone, as TensorFlow Serving would.

    python export/replay.py exported/textvae/1 < requests.json

Reads a JSON list of {"signature", "inputs"}, and prints the list of their outputs. It
never imports keras_textvae: what it answers is in the SavedModel. The model is loaded
into a session and answers its own warm-up requests first, as in TensorFlow Serving.
"""

import json
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import tensorflow as tf

from serving.saved_model import Engine, warm_up


def replay(directory: str, requests: list) -> list:
    """Returns the outputs of each request, as nested lists by name."""
    engine = Engine(directory)
    engine.warm_up(warm_up.read(directory))
    return [_answer(engine, **request) for request in requests]


def _answer(engine, signature, inputs):
    declared = engine.signatures[signature].inputs
    protos = {
        name: tf.make_tensor_proto(value, declared[name].dtype)
        for name, value in inputs.items()
    }
    outputs = engine.run(signature, protos)
    return {name: plain(tf.make_ndarray(proto)) for name, proto in outputs.items()}


def plain(array) -> list:
    """Returns an array as nested lists, texts as str."""
    if array.dtype == object:
        array = array.astype(bytes).astype(str) if not array.size else array
        return json.loads(json.dumps(array.tolist(), default=bytes.decode))
    return array.tolist()


if __name__ == "__main__":
    answers = replay(sys.argv[1], json.load(sys.stdin))
    if "keras_textvae" in sys.modules:
        sys.exit("replay.py: keras_textvae was imported.")
    json.dump(answers, sys.stdout)
