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

from serving import command_line

with command_line.quiet_imports():
    import keras
    import numpy as np

    from examples.bowman2016.language_model_figures import figures
    from examples.bowman2016.scales import SCALES
    from examples.progress import Remaining
    from keras_textvae import zoo
    from keras_textvae.atomic_files import read_json, replacing
    from keras_textvae.callbacks import KLAnnealing, RunHistory, TrainingCheckpoint
    from keras_textvae.id_batches import IdBatches

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after the last whole epoch"
IDS, BEST = "ids.npz", "best.npz"  # in the run's folder
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
    run.train()
    if FLAGS.figures:
        found = figures(run, SCALES[FLAGS.figures], FLAGS.chunk)
        print(json.dumps(found, indent=1))


class JaxRun:
    """What `runs.Run` is, from ids in place of text.

    Args:
        folder: str. Written by `hand_over.py`.
        bucket_width: int. See `IdBatches`.

    Raises:
        FileNotFoundError: if the folder was not handed over.
    """

    def __init__(self, folder, bucket_width):
        self.folder = folder
        config = read_json(self.path("config.json"))
        self.preset = preset = read_preset(config["preset"])
        keras.config.set_dtype_policy(config["dtype_policy"])
        keras.utils.set_random_seed(config["seed"])
        with np.load(self.path(IDS)) as ids:
            self.train_batches, self.valid_batches, self.test_batches = (
                IdBatches(
                    ids[f"{split}_values"],
                    ids[f"{split}_lengths"],
                    preset.batch_size,
                    bucket_width,
                    shuffle=split == "train",
                    seed=config["seed"],
                )
                for split in SPLITS
            )
            self.model = preset.build_model(int(ids["vocabulary_size"]))
        self.model.compile(optimizer=preset.build_optimizer())
        self.history = RunHistory(self._save_best, preset.patience, preset.kl_weight)
        self.checkpoint = TrainingCheckpoint(self.path("checkpoint.npz"), self.history)
        self.epochs_done = self.checkpoint.restore(self.model)

    def path(self, name):
        """Returns the path of a file of the run."""
        return os.path.join(self.folder, name)

    @property
    def steps_per_epoch(self):
        """Training steps in an epoch."""
        return self.preset.steps_per_epoch or self.train_batches.steps_per_epoch

    def train(self):
        """Trains to the last epoch or to early stopping, from where the run stands."""
        preset = self.preset
        if self.epochs_done >= preset.epochs or self.history.out_of_patience:
            return
        self.model.fit(
            self.train_batches.from_step(self.epochs_done * self.steps_per_epoch),
            steps_per_epoch=self.steps_per_epoch,
            validation_data=self.valid_batches.spread(preset.valid_steps),
            initial_epoch=self.epochs_done,
            epochs=preset.epochs,
            shuffle=False,
            verbose=0,
            callbacks=self._callbacks(),
        )
        self.epochs_done = len(self.history.rows)

    def _callbacks(self):
        preset, rates = self.preset, self.preset.rate_schedule.build()
        annealing = [KLAnnealing(preset.schedule.build())]
        return [
            *(annealing if self.model.latent_dim else ()),
            keras.callbacks.LearningRateScheduler(
                lambda epoch, _: preset.learning_rate * rates(epoch)
            ),
            self.history,
            self.checkpoint,
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: self.history.write(
                    self.path("metrics.csv")
                )
            ),
            Remaining(self),
        ]

    def best(self):
        """Returns what has the `model` of the epoch with the best validation bound."""
        assign(self.model, self.path(BEST))
        return types.SimpleNamespace(model=self.model)

    def _save_best(self):
        arrays = map(keras.ops.convert_to_numpy, self.model.state)
        with replacing(self.path(BEST)) as partial:
            np.savez(partial, *arrays)


def read_preset(fields) -> zoo.Preset:
    """Returns a preset from the JSON that `runs.Run` writes."""
    schedules = {
        name: zoo.Schedule(fields[name][0], tuple(fields[name][1]))
        for name in ("schedule", "rate_schedule")
    }
    return zoo.Preset(**fields | schedules)


def assign(model, path):
    """Gives a model the weights, averages and random states of `best.npz`.

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
