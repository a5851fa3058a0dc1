r"""Trains a preset on a corpus of its own or of yours.

    python examples/train.py --preset=hybrid-grammar
    python examples/train.py --preset=bowman2016-ptb --data_dir=DIR
    python examples/train.py --preset=lstm-grammar --train_files='my/*.txt' \
        --valid_files=my/valid.txt

The same command again goes on where a killed run was.
"""

import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    import keras

    from examples.progress import Remaining
    from keras_textvae import corpora, runs, zoo

FLAGS = flags.FLAGS

REPLACEABLE = (
    "epochs",
    "steps_per_epoch",
    "batch_size",
    "learning_rate",
    "length",
    "vocabulary",
    "too_long",
    "right_to_left",
)

ANNEALING = "none, sigmoid,MIDPOINT,STEEPNESS or linear,START,END, in steps"

INTERRUPTED = "interrupted; the same command goes on after the last whole epoch"

# The type of a model's argument -> how its value is read.
PARSERS = {
    bool: lambda text: {"true": True, "false": False}[text.lower()],
    int: int,
    float: float,
    str: str,
    type(None): json.loads,  # a number
    tuple: lambda sizes: tuple(int(size) for size in sizes.split(",")),
}


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    text, number, files = flags.DEFINE_string, flags.DEFINE_integer, flags.DEFINE_list
    text("preset", "hybrid-grammar", f"one of {', '.join(sorted(zoo.PRESETS))}")
    text("run_dir", None, "folder of the run (default: runs/PRESET)")
    text("data_dir", None, "folder of the corpus (default: it is downloaded)")
    text("corpus", None, "a name, or a folder of yours (default: the preset's)")
    files("train_files", None, "your own training files, or patterns (default: none)")
    files("valid_files", None, "your own validation files (default: none)")
    files("test_files", [], "your own test files (default: the validation files)")
    number("epochs", None, "most epochs (default: the preset's)", 1)
    number("steps_per_epoch", None, "training steps in an epoch (default: all)", 1)
    number("batch_size", None, "sentences in a step (default: the preset's)", 1)
    flags.DEFINE_float("learning_rate", None, "of Adam (default: the preset's)", 0.0)
    text("annealing", None, f"of the KL weight: {ANNEALING} (default: the preset's)")
    number("length", None, "most words or characters (default: the preset's)", 2)
    number("vocabulary", None, "most ids, special too (default: the preset's)", 5)
    flags.DEFINE_multi_string(
        "model", [], "an argument of the model, as latent_dim=16; repeat for more"
    )
    flags.DEFINE_enum(
        "too_long",
        None,
        ["error", "drop", "cut"],
        "what to do with longer sentences (default: the preset's)",
    )
    flags.DEFINE_bool(
        "right_to_left", None, "read from the last word on (default: the preset's)"
    )
    policies = ["float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "float32", policies, "Keras's precision policy")
    text(
        "start_from",
        None,
        "begin with the weights of another run's folder (default: random ones)",
    )
    number("seed", 0, "seed of weights, noise and the order of the data", 0)
    number("samples", 5, "samples to print at the end", 0, 1024)


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    run = build_run()
    describe(run, FLAGS.preset)
    run.train([Remaining(run)], verbose=1 if sys.stdout.isatty() else 2)
    report(run)


def build_run() -> runs.Run:
    """Returns the run that the flags describe."""
    preset = zoo.preset(FLAGS.preset)
    given = {name: FLAGS[name].value for name in REPLACEABLE}
    preset = preset.replace(**{k: v for k, v in given.items() if v is not None})
    preset = preset.replace(model=preset.model | model_arguments(preset.arguments))
    if FLAGS.annealing:
        preset = preset.replace(schedule=annealing(FLAGS.annealing))
    if FLAGS.train_files or FLAGS.valid_files or FLAGS.test_files:
        if not (FLAGS.train_files and FLAGS.valid_files):
            raise ValueError("--train_files and --valid_files are needed together.")
        corpus = corpora.from_files(
            FLAGS.train_files, FLAGS.valid_files, FLAGS.test_files
        )
    else:
        corpus = corpora.load(FLAGS.corpus or preset.corpus, FLAGS.data_dir)
    folder = FLAGS.run_dir or os.path.join("runs", FLAGS.preset)
    return runs.Run(
        folder, preset, corpus, FLAGS.seed, FLAGS.precision, FLAGS.start_from
    )


def annealing(text: str) -> zoo.Schedule:
    """Parses `--annealing`."""
    name, *numbers = text.split(",")
    if text == "none":
        return zoo.Schedule("constant", (1.0,))
    try:
        if name not in ("sigmoid", "linear"):
            raise ValueError(f"there is no schedule {name!r}")
        if len(numbers) != 2:
            raise ValueError("two numbers are needed")
        schedule = zoo.Schedule(name, tuple(map(float, numbers)))
        schedule.build()
    except ValueError as error:
        raise ValueError(f"--annealing={text}: {error}. It is {ANNEALING}.") from None
    return schedule


def model_arguments(known: dict) -> dict:
    """Parses `--model=NAME=VALUE` flags, each of the type of the known value."""
    arguments = {}
    for text in FLAGS.model:
        name, _, value = text.partition("=")
        if name not in known:
            raise ValueError(f"--model={text}: the arguments are {', '.join(known)}.")
        kind = type(known[name])
        try:
            arguments[name] = PARSERS[kind](value)
        except (ValueError, KeyError):
            raise ValueError(
                f"--model={text}: a value like {known[name]} is needed."
            ) from None
    return arguments


def describe(run: runs.Run, name: str):
    """Prints what is about to be trained, on what, and with how much."""
    train, valid = run.train_batches.count(), run.valid_batches.count()
    device = keras.distribution.list_devices()[0]
    print(f"{name}: {run.preset.reference}")
    print(f"device {device}, {run.model.count_params():,} parameters")
    for split, count in (("train", train), ("valid", valid)):
        print(
            f"{split}: {count.sentences:,} sentences, {count.tokens:,} tokens, "
            f"{count.too_long:,} too long, {count.padding_share:.1%} padding"
        )
    print(
        f"vocabulary {run.tokenizer.vocabulary_size:,}, "
        f"{run.steps_per_epoch:,} steps an epoch, {run.preset.epochs} epochs at most"
    )
    if run.epochs_done:
        print(f"going on after epoch {run.epochs_done}")
    print(f"run folder: {run.folder}", flush=True)


def report(run: runs.Run):
    """Prints the test set's figures of the best epoch, and samples."""
    space = run.best()
    result = run.test(space)
    name = "test" if run.corpus.test else "valid"
    unit = f"crop of {run.preset.length}" if run.preset.crops else "sentence"
    print(
        f"{name}: bound {result.bound:.2f} nats per {unit} = reconstruction "
        f"{result.reconstruction:.2f} + KL {result.kl:.2f}"
    )
    if run.preset.level == "words":
        print(
            f"perplexity {result.perplexity:.1f} with the end of sentence counted, "
            f"{result.perplexity_without_eos:.1f} without"
        )
    else:
        print(f"{result.bits_per_token:.3f} bits per character")
    if FLAGS.samples:
        print("samples:")
        texts = space.sample(FLAGS.samples, seed=FLAGS.seed)
        print(*(f"  {text}" for text in texts), sep="\n")


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
