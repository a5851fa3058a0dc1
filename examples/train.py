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
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    import keras

    from examples import corpus_flags, recipe_flags
    from examples.corpus_lines import lines_of
    from examples.progress import Remaining
    from keras_textvae import Run, evaluation
    from keras_textvae.callbacks import CollapseWarning
    from keras_textvae.training import recipe_of

FLAGS = flags.FLAGS
REPORTED = 1000  # sentences, most, from which the latent space is judged
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
    run = build_run()
    describe(run)
    verbose = 1 if sys.stdout.isatty() else 2
    run.train([Remaining(), CollapseWarning()], verbose, announce)
    report(run)


def build_run() -> Run:
    """Returns the run that the flags describe, or the one in --run_dir."""
    if FLAGS.run_dir and FLAGS.recipe is None:
        return resumed()
    recipe = recipe_flags.recipe()
    folder = FLAGS.run_dir or os.path.join("runs", recipe_flags.name())
    corpus = recipe_flags.corpus(recipe)
    return Run(
        folder,
        recipe,
        corpus,
        FLAGS.seed or 0,
        FLAGS.precision or "float32",
        FLAGS.start_from,
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
    recipe, corpus = recipe_of(FLAGS.run_dir), None
    if FLAGS.prepared or corpus_flags.are_set():
        corpus = recipe_flags.corpus(recipe)
    return Run.resume(FLAGS.run_dir, corpus, **recipe_flags.changes(recipe))


def describe(run: Run):
    """Prints what is about to be trained, on what, and with how much."""
    device = keras.distribution.list_devices()[0]
    print(run.recipe.reference)
    print(f"device {device}, {run.model.count_params():,} parameters")
    recipe_flags.describe(run.corpus)
    print(
        f"vocabulary {run.corpus.vocabulary_size:,}, "
        f"{run.steps_per_epoch:,} steps an epoch, "
        f"{run.recipe.training.epochs} epochs at most"
    )
    print(f"run folder: {run.folder}", flush=True)


def announce(run: Run):
    """Prints which run begins, a stage or the last, and where it goes on."""
    stage = os.path.basename(run.folder) if "stages" in run.folder else "training"
    if run.epochs_done:
        print(f"{stage}: going on after epoch {run.epochs_done}", flush=True)
    elif stage != "training" or run.recipe.stages:
        print(f"{stage}: {run.recipe.training.epochs} epochs at most", flush=True)


def report(run: Run):
    """Prints the test set's figures of the best epoch, and samples."""
    result = run.test(run.best_model())
    split = "test" if run.corpus.has_test else "valid"
    text = run.recipe.text
    unit = f"crop of {text.length}" if text.form == "crop" else "sentence"
    print(
        f"{split}: bound {result.bound:.2f} nats per {unit} = reconstruction "
        f"{result.reconstruction:.2f} + KL {result.kl:.2f}"
    )
    if text.level == "words" and run.corpus.test.too_long and text.too_long == "cut":
        print(f"perplexity {result.perplexity:.1f}")  # not every sentence has an end
    elif text.level == "words":
        print(
            f"perplexity {result.perplexity:.1f} with the end of sentence counted, "
            f"{result.perplexity_without_eos:.1f} without"
        )
    else:
        print(f"{result.bits_per_token:.3f} bits per {text.level.removesuffix('s')}")
    if components := run.recipe.density.components:
        flag = "" if run.recipe.density.fitted else " --fitted"
        gaussians = "a Gaussian" if components == 1 else f"{components} Gaussians"
        print(f"density of {gaussians}: examples/sample.py{flag} draws from it")
    if not FLAGS.samples:
        return
    if keras.backend.backend() != "tensorflow":
        print(f"for samples, on TensorFlow: examples/sample.py --run_dir={run.folder}")
        return
    space = run.best()
    if space.model.latent_dim:
        report_space(run, space)
    print("samples:")
    texts = space.sample(FLAGS.samples, seed=run.seed)
    print(*(f"  {text}" for text in texts), sep="\n")


def report_space(run: Run, space):
    """Prints the report on the latent space in short, on some test sentences."""
    files = run.corpus.files
    try:
        texts = list(lines_of(files.test or files.valid))
    except OSError as error:  # the ids may be all there is
        print(f"no look at the latent space: {error}")
        return
    some = random.Random(run.seed).sample(texts, min(len(texts), REPORTED))
    report = evaluation.report(
        space, some, samples=0, paths=0, importance_samples=0, seed=run.seed
    )
    print(report.short())
    print(f"all of it: examples/report.py --run_dir={run.folder}")


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED, command_line.BACKENDS)
