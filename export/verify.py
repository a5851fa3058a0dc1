"""Compares every signature of an exported SavedModel with the model it came from.

    python export/verify.py --run_dir=RUN --saved_model=exported/textvae/1

The SavedModel answers in a process of its own that never imports keras_textvae. Texts
must be equal, numbers within 1e-5. Exit code 1 if they are not.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from absl import flags, logging
from google.protobuf.message import DecodeError

from serving.command_line import quiet_imports, run

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # as it was exported

with quiet_imports():
    from tensorflow.core.protobuf import saved_model_pb2

    import keras_textvae

FLAGS = flags.FLAGS
TOLERANCE = 1e-5
FORBIDDEN_OPS = ("Cudnn", "PyFunc", "EagerPyFunc", "ReadFile", "WriteFile")


def define_flags():
    flags.DEFINE_string("run_dir", None, "run or text space it is of; must be given")
    flags.DEFINE_string("saved_model", None, "version folder to verify; must be given")


def main(argv):
    logging.set_verbosity(logging.ERROR)
    if len(argv) > 1 or not (FLAGS.run_dir and FLAGS.saved_model):
        raise ValueError(
            "--run_dir and --saved_model are needed, and no argument without a name."
        )
    faults = verify(keras_textvae.open_space(FLAGS.run_dir), FLAGS.saved_model)
    for fault in faults:
        print(f"verify.py: {fault}", file=sys.stderr)
    if faults:
        return 1
    names = ", ".join(request["signature"] for request in requests(("", ""), [[0.0]]))
    print(f"{FLAGS.saved_model}: {names} equal the model's")


def verify(space, saved_model: str) -> list[str]:
    """Returns what is wrong with a SavedModel, one line each; nothing if it is right.

    Args:
        space: `keras_textvae.TextSpace` it was exported from.
        saved_model: str. The version's folder.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        ValueError: if it can't be loaded or can't answer.
    """
    path = pathlib.Path(saved_model) / "saved_model.pb"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there.")
    faults = forbidden(path)
    texts = space.sample(2, seed=1)
    z = np.random.default_rng(0).normal(size=(2, space.model.latent_dim))
    asked = [
        request
        for request in requests(texts, z.astype("float32").tolist())
        if request["signature"] in space.graph.inputs
    ]
    program = pathlib.Path(__file__).with_name("replay.py")
    done = subprocess.run(
        [sys.executable, str(program), saved_model],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ValueError(f"{saved_model} could not answer: {reason[0]}")
    for request, answer in zip(asked, json.loads(done.stdout), strict=True):
        faults += differences(request, answer, expected(space, request))
    return faults


def requests(texts, z) -> list[dict]:
    """Returns one request for each signature."""
    return [
        {"signature": "sample", "inputs": {"seed": [3, 4], "temperature": 0.7}},
        {
            "signature": "interpolate",
            "inputs": {
                "start": texts[:1],
                "end": texts[1:],
                "steps": 5,
                "spherical": True,
            },
        },
        {"signature": "impute", "inputs": {"text": ["_ a", "a _ _"]}},
        {"signature": "reconstruct", "inputs": {"text": texts}},
        {"signature": "encode", "inputs": {"text": texts}},
        {"signature": "decode", "inputs": {"z": z}},
        {"signature": "score", "inputs": {"text": texts, "seed": 5}},
    ]


def expected(space, request) -> dict:
    """Returns the model's own answer to a request."""
    inputs = request["inputs"]
    match request["signature"]:
        case "sample":
            texts = space.sample(2, seed=3, temperature=inputs["temperature"])
            return {"text": texts}
        case "interpolate":
            start, end = inputs["start"][0], inputs["end"][0]
            path = space.interpolate(start, end, inputs["steps"], inputs["spherical"])
            return {"text": [path]}
        case "impute":
            return {"text": space.impute(inputs["text"])}
        case "reconstruct":
            return {"text": space.reconstruct(inputs["text"])}
        case "encode":
            encoding = space.encode(inputs["text"])._asdict()
            return {name: x for name, x in encoding.items() if x is not None}
        case "decode":
            return {"text": space.decode(inputs["z"])}
        case "score":
            return space.score(inputs["text"], inputs["seed"])._asdict()


def differences(request, answer, wanted) -> list[str]:
    """Returns a line for each output that differs."""
    name = request["signature"]
    if answer.keys() != wanted.keys():
        return [f"{name} has outputs {sorted(answer)}, not {sorted(wanted)}"]
    return [
        f"{name}: {key} differs: {answer[key]} is not {wanted[key]}"
        for key in wanted
        if not _equal(answer[key], wanted[key])
    ]


def _equal(answer, wanted):
    answer, wanted = np.asarray(answer), np.asarray(wanted)
    if answer.shape != wanted.shape:
        return False
    if wanted.dtype.kind == "f":
        return np.allclose(answer, wanted, rtol=TOLERANCE, atol=TOLERANCE)
    return bool(np.all(answer == wanted))


def forbidden(path) -> list[str]:
    """Returns a line for each operation that a CPU server can't or must not run.

    Raises:
        ValueError: if the file holds no SavedModel.
    """
    saved_model = saved_model_pb2.SavedModel()
    with contextlib.suppress(DecodeError):
        saved_model.ParseFromString(path.read_bytes())
    if not saved_model.meta_graphs:
        raise ValueError(f"{path} holds no SavedModel.")
    graph = saved_model.meta_graphs[0].graph_def
    functions = graph.library.function
    nodes = [*graph.node, *(node for f in functions for node in f.node_def)]
    bad = {node.op for node in nodes if node.op.startswith(FORBIDDEN_OPS)}
    compiled = [f.signature.name for f in functions if f.attr["_XlaMustCompile"].b]
    return [f"the graph has the operation {op}" for op in sorted(bad)] + [
        f"the function {name} must be compiled by XLA" for name in compiled
    ]


if __name__ == "__main__":
    run(main, define_flags)
