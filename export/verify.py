"""Verifies an exported SavedModel before it is let near a server.

    python export/verify.py --run_dir=RUN --saved_model=exported/textvae/1

It holds only operations that are allowed, for the CPU; its files are those of
`SHA256SUMS` (both in `serving/saved_model`); its signatures are those that were
declared. Then it is loaded as TensorFlow Serving loads it, in a process of its own that
never imports keras_textvae, answers its own warm-up requests, and one request for each
signature: texts must be equal to the model's, numbers within 1e-5; with
`--tensorflow=2.19,2.20` in those versions of TensorFlow too. Exit code 1 if anything is
wrong.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from absl import flags, logging

from keras_textvae.command_line import quiet_imports, run

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # as it was exported

with quiet_imports():
    import keras
    import tensorflow as tf

    import keras_textvae
    from export import examples, other_tensorflow, replay, space_flags
    from export.export_saved_model import DESCRIPTION
    from keras_textvae.atomic_files import read_json
    from keras_textvae.models import copied
    from serving.saved_model import gate, manifest

FLAGS = flags.FLAGS
TOLERANCE = 1e-5


def define_flags():
    space_flags.define()
    flags.DEFINE_string("saved_model", None, "version folder to verify; must be given")
    flags.DEFINE_list(
        "tensorflow", [], "other versions to run it in, each installed once, 2 GB"
    )


def main(argv):
    logging.set_verbosity(logging.ERROR)
    space = space_flags.open_space(argv, "saved_model")
    faults = verify(space, FLAGS.saved_model)
    for version in FLAGS.tensorflow if not faults else ():
        other = verify(space, FLAGS.saved_model, other_tensorflow.python(version))
        faults += [f"TensorFlow {version}: {fault}" for fault in other]
    for fault in faults:
        print(f"verify.py: {fault}", file=sys.stderr)
    if faults:
        return 1
    print(f"{FLAGS.saved_model}: {', '.join(space.graph.signatures)} equal the model's")


def verify(space, saved_model: str, python: str = sys.executable) -> list[str]:
    """Returns what is wrong with a SavedModel, one line each; none if nothing is.

    It is loaded only if what can be seen without loading it is right.

    Args:
        space: `keras_textvae.TextSpace` it was exported from.
        saved_model: str. The version's folder.
        python: str. The interpreter that loads it.

    Raises:
        FileNotFoundError: if there is no SavedModel.
        ValueError: if it can't be loaded or can't answer.
    """
    folder = pathlib.Path(saved_model)
    faults = [
        *gate.faults(folder),
        *manifest.faults(folder),
        *undeclared(space.graph.signatures, gate.read(folder).signature_def),
    ]
    if faults:
        return faults
    description = read_json(str(folder / DESCRIPTION))
    halved = description["weights"] == "bfloat16"
    space = rounded(space) if halved else space.in_float32()
    asked = requests(space)
    done = subprocess.run(
        [python, replay.__file__, saved_model],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ValueError(f"{saved_model} could not answer: {reason[0]}")
    for request, answer in zip(asked, json.loads(done.stdout), strict=True):
        faults += differences(request, answer, expected(space, **request))
    return faults


def undeclared(declared, signature_defs) -> list[str]:
    """Returns a line for each signature that is not what was declared.

    Args:
        declared: dict of `Signature` by name.
        signature_defs: map of SignatureDef by name.
    """
    required = declared | {"serving_default": next(iter(declared.values()))}
    names = {name for name in signature_defs if not name.startswith("__")}
    faults = [
        f"signature {name} is not declared" for name in sorted(names - {*required})
    ]
    for name, signature in required.items():
        if name not in names:
            faults.append(f"signature {name} is not there")
        elif (seen := _seen(signature_defs[name])) != (asked := _asked(signature)):
            faults.append(f"signature {name} is {seen}, not {asked}")
    return faults


def _asked(signature):
    inputs = {i.name: (i.dtype.name, *_sizes(i.shape)) for i in signature.inputs}
    outputs = {o.name: (o.dtype.name, *_sizes(o.shape)) for o in signature.outputs}
    defaults = {i.name: i.default for i in signature.inputs if i.default is not None}
    return inputs, outputs, defaults


def _seen(signature):
    inputs, outputs = (
        {
            name: (
                tf.dtypes.as_dtype(info.dtype).name,
                *tf.TensorShape(info.tensor_shape).as_list(),
            )
            for name, info in infos.items()
        }
        for infos in (signature.inputs, signature.outputs)
    )
    defaults = {
        name: tf.make_ndarray(proto).item()
        for name, proto in signature.defaults.items()
    }
    return inputs, outputs, defaults


def _sizes(shape):
    return (size if isinstance(size, int) else None for size in shape)


def rounded(space):
    """Returns a copy of a text space with its weights rounded to bfloat16."""
    model = copied(space.model, float32=True)
    for weight in model.variables:
        if weight.dtype == "float32":
            weight.assign(keras.ops.cast(keras.ops.cast(weight, "bfloat16"), "float32"))
    return keras_textvae.TextSpace(model, space.codec, space.density, space.fitted)


def requests(space) -> list[dict]:
    """Returns a request for each signature: two rows, no option at its default."""
    texts = examples.short_texts(space, 2)
    return [
        {"signature": name, "inputs": examples.inputs(signature, 2, texts, True)}
        for name, signature in space.graph.signatures.items()
    ]


def expected(space, signature: str, inputs: dict) -> dict:
    """Returns the outputs of the space's own graph, run here, as `replay` has them."""
    declared = space.graph.signatures[signature].inputs
    tensors = [tf.constant(inputs[i.name], i.dtype) for i in declared]
    outputs = space.graph.endpoints[signature](*tensors)
    return {name: replay.plain(tensor.numpy()) for name, tensor in outputs.items()}


def differences(request, answer, reference) -> list[str]:
    """Returns a line for each output that differs."""
    name = request["signature"]
    if answer.keys() != reference.keys():
        return [f"{name} has outputs {sorted(answer)}, not {sorted(reference)}"]
    return [
        f"{name}: {key} differs: {answer[key]} is not {reference[key]}"
        for key in reference
        if not _equal(answer[key], reference[key])
    ]


def _equal(answer, reference):
    answer, reference = np.asarray(answer), np.asarray(reference)
    if answer.shape != reference.shape:
        return False
    if reference.dtype.kind == "f":
        return np.allclose(answer, reference, rtol=TOLERANCE, atol=TOLERANCE)
    return bool(np.all(answer == reference))


if __name__ == "__main__":
    run(main, define_flags)
