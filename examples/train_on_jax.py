r"""Trains a run that `hand_over.py` has prepared, on JAX without TensorFlow.

    KERAS_BACKEND=jax python examples/train_on_jax.py --run_dir=RUN

On a GPU where JAX finds one; Keras and JAX are all it needs. Writes RUN/checkpoint.npz,
from which the same command goes on, RUN/metrics.csv and RUN/best.npz. With --figures it
then evaluates what `reproduce_bowman2016.py --table=2` reports at that scale, into
RUN/figures, where that program finds it.
"""

import json
import os
import pathlib
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    import keras
    import numpy as np

    from examples.bowman2016.language_model_figures import figures
    from examples.bowman2016.scales import SCALES
    from examples.progress import Remaining
    from keras_textvae import zoo
    from keras_textvae.atomic_files import read_json, replacing
    from keras_textvae.id_batches import IdBatches
    from keras_textvae.training import Training

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after the last whole epoch"
IDS, START, BEST = "ids.npz", "start.npz", "best.npz"  # in the run's folder
SPLITS = ("train", "valid", "test")


def define_flags():
    flags.DEFINE_string("run_dir", None, "folder of the run (needed)")
    flags.DEFINE_integer(
        "bucket_width",
        16,
        "lengths are rounded up to multiples; JAX compiles once for each",
        1,
    )
    flags.DEFINE_enum("figures", None, [*SCALES], "the scale of table 2's figures")
    flags.DEFINE_integer(
        "chunk", None, "samples of z there at a time (default: few, for a CPU)", 1
    )


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    if not FLAGS.run_dir:
        raise ValueError("--run_dir is needed.")
    if keras.backend.backend() != "jax":
        raise ValueError("KERAS_BACKEND=jax is needed; on TensorFlow it is train.py.")
    run = JaxRun(FLAGS.run_dir, FLAGS.bucket_width)
    print(
        f"{run.folder}: device {keras.distribution.list_devices()[0]}, "
        f"{run.model.count_params():,} parameters, {run.steps_per_epoch:,} steps an "
        f"epoch, {run.preset.epochs} epochs at most, {run.epochs_done} done",
        flush=True,
    )
    run.train([Remaining(run)], verbose=0)
    if FLAGS.figures:
        found = figures(run, SCALES[FLAGS.figures], FLAGS.chunk)
        print(json.dumps(found, indent=1))


class JaxRun(Training):
    """What `runs.Run` is, from ids in place of text.

    Args:
        folder: str. Written by `hand_over.py`.
        bucket_width: int. See `IdBatches`.

    Raises:
        FileNotFoundError: if the folder was not handed over.
    """

    def __init__(self, folder, bucket_width):
        config = read_json(os.path.join(folder, "config.json"))
        super().__init__(folder, read_preset(config["preset"]))
        with np.load(self.path(IDS)) as ids:
            self.train_batches, self.valid_batches, self.test_batches = (
                IdBatches(
                    ids[f"{split}_values"],
                    ids[f"{split}_lengths"],
                    self.preset.batch_size,
                    bucket_width,
                    shuffle=split == "train",
                    seed=config["seed"],
                )
                for split in SPLITS
            )
            size = int(ids["vocabulary_size"])
        self._build(size, config["seed"], config["dtype_policy"])
        if os.path.exists(self.path(START)):
            assign(self.model, self.path(START))
        self._restore()

    def best(self):
        """Returns what has the `model` of the epoch with the best validation bound."""
        assign(self.model, self.path(BEST))
        return types.SimpleNamespace(model=self.model)

    def _save_best(self):
        save_state(self.model, self.path(BEST))


def read_preset(fields) -> zoo.Preset:
    """Returns a preset from the JSON that `runs.Run` writes."""
    schedules = {
        name: zoo.Schedule(fields[name][0], tuple(fields[name][1]))
        for name in ("schedule", "rate_schedule")
    }
    return zoo.Preset(**fields | schedules)


def save_state(model, path):
    """Writes a model's weights, averages and random states."""
    arrays = map(keras.ops.convert_to_numpy, model.state)
    with replacing(path) as partial:
        np.savez(partial, *arrays)


def assign(model, path):
    """Gives a model what `save_state` wrote.

    Raises:
        ValueError: if the file is of another model.
    """
    with np.load(path) as saved:
        arrays = [saved[name] for name in saved.files]
    shapes = [array.shape for array in arrays]
    if shapes != [tuple(variable.shape) for variable in model.state]:
        raise ValueError(f"{path} is not of this model.")
    for variable, array in zip(model.state, arrays, strict=True):
        variable.assign(array)


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
