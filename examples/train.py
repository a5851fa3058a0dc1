r"""Trains a recipe on a corpus of its own or of yours.

    python examples/train.py --recipe=demo
    python examples/train.py --recipe=bowman2016-ptb --data_dir=DIR
    python examples/train.py --recipe=short-sentences --train_files='my/*.txt' \
        --valid_files=my/valid.txt
    python examples/train.py --recipe=short-sentences --train_files=reviews.csv \
        --text_column=review --drop_duplicates
    python examples/train.py --run_dir=runs/mine

The same command again goes on where a killed run was; so does --run_dir alone. The
corpus is first turned into ids, once (see examples/prepare.py). From then on
KERAS_BACKEND=jax trains it on a GPU, where --prepared says where the ids are, without
TensorFlow.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    from examples import corpus_flags, recipe_flags
    from keras_textvae import Run
    from keras_textvae.training import console, hosts, recipe_of

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after the last whole epoch"


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    recipe_flags.define()
    text, number = flags.DEFINE_string, flags.DEFINE_integer
    text("run_dir", None, "folder of the run (default: runs/RECIPE)")
    policies = ["float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum(
        "precision", None, policies, "Keras's precision policy (default: float32)"
    )
    text(
        "start_from",
        None,
        "begin with the weights of another run's folder (default: random ones)",
    )
    number("seed", None, "of weights, noise and the order of the data (default: 0)", 0)
    number(
        "devices",
        None,
        "of this machine, of each of several, that share every batch (default: as many "
        "as share it equally)",
        1,
    )
    number(
        "join_seconds",
        hosts.WAIT,
        "to wait for the other processes, where the environment says that several "
        "train together (docs/scale.md)",
        1,
    )
    number(
        "samples",
        5,
        "samples to print at the end, after a look at the latent space; 0 for neither",
        0,
        1024,
    )


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    for name in ("run_dir", "prepared", "recipe", "corpus", "start_from"):
        if FLAGS[name].value == "":
            raise ValueError(f"--{name} is empty.")
    with hosts.joined(FLAGS.join_seconds):
        run = build_run()
        console.train(run)
    if run.leads:
        console.report(run, FLAGS.samples)


def build_run() -> Run:
    """Returns the run that the flags describe, or the one in --run_dir."""
    if FLAGS.run_dir and FLAGS.recipe is None:
        return resumed()
    with hosts.together():
        recipe = recipe_flags.recipe()
        corpus = recipe_flags.corpus(recipe)
    folder = FLAGS.run_dir or os.path.join("runs", recipe_flags.name())
    return Run(
        folder,
        recipe,
        corpus,
        FLAGS.seed or 0,
        FLAGS.precision or "float32",
        FLAGS.start_from,
        devices=FLAGS.devices,
    )


def resumed() -> Run:
    """Returns the run in --run_dir, whose recipe and corpus are known there.

    Raises:
        ValueError: for a flag that would make another run of it.
        FileNotFoundError: if there is no run.
    """
    for name in ("seed", "precision", "start_from"):
        if FLAGS[name].value is not None:
            raise ValueError(
                f"--{name} is fixed in {FLAGS.run_dir}; with --recipe it is checked."
            )
    with hosts.together():
        recipe, corpus = recipe_of(FLAGS.run_dir), None
        if FLAGS.prepared or corpus_flags.are_set():
            corpus = recipe_flags.corpus(recipe)
        changes = recipe_flags.changes(recipe)
    return Run.resume(FLAGS.run_dir, corpus, FLAGS.devices, **changes)


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED, command_line.BACKENDS)
