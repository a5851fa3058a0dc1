r"""Searches hyperparameters of LSTM models, as Bowman et al. 2016 did.

    python examples/tune.py --recipe=bowman2016-ptb --data_dir=DIR --trials=50
    python examples/tune.py --recipe=bowman2016-ptb-rnnlm --data_dir=DIR
    python examples/tune.py --recipe=lstm-grammar --scale=smoke --trials=3

KerasTuner's Bayesian optimisation (extra `tune`) over the sizes of embedding, LSTM and
z, the keep rate of word dropout, the learning rate, and the annealing: the step at
which the KL weight is one half, the whole schedule being stretched or compressed. All
else is the recipe's, but `tied` embeddings are untied, since they would need both sizes
to be equal. What a recipe lacks is not searched, nor a keep rate of 0.

The objective is the validation bound among models whose KL is at least --min_kl; the
others rank behind them, the larger KL first. The paper restricts its search likewise.

Each trial is a run folder in --output_dir, trained by a process of its own to --epochs
or to the recipe's early stopping. The same command goes on where a killed one was, and
beyond it with more --trials. At the end tuning.md has the best trials beside the
paper's Table 9, and tuning.png the course of the search. Of a finished trial the best
model is kept, not the checkpoint. Scales:

    smoke  minutes, models that learn nothing: does it run?
    small  sizes up to 256, four epochs: a search in hours on 2 cores
    paper  sizes around the paper's: hours a trial without an accelerator
"""

import contextlib
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from examples.experiments import Settings, Trial
from keras_textvae import command_line

with command_line.quiet_imports():
    from examples import experiments
    from examples.tuning import report, space
    from examples.tuning.search import Search
    from examples.tuning.suggestions import objective, oracle, suggest
    from keras_textvae import corpora, zoo

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after each trial's last epoch"
MIN_KL = 1.0


def define_flags():
    names = sorted(
        name
        for name, recipe in zoo.RECIPES.items()
        if recipe.model.architecture in space.ARCHITECTURES
    )
    text, number = flags.DEFINE_string, flags.DEFINE_integer
    text("recipe", "bowman2016-ptb", f"one of {', '.join(names)}")
    flags.DEFINE_enum("scale", "paper", [*space.SCALES], "how large, see above")
    text("data_dir", None, "folder of the corpus (default: it is downloaded)")
    text("corpus", None, "a name, or a folder of yours (default: the recipe's)")
    text("output_dir", None, "folder of the search (default: runs/tune/RECIPE)")
    number("trials", 20, "trials in all", 1)
    number("epochs", None, "most epochs of a trial (default: the recipe's)", 1)
    flags.DEFINE_float(
        "min_kl", None, f"least KL, nats (default: {MIN_KL}; 0 without a KL)", 0.0
    )
    number("jobs", os.cpu_count(), "trials at a time", 1)
    policies = ["float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "float32", policies, "Keras's precision policy")
    number("seed", 0, "of the search, and of each trial's weights and noise", 0)


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    recipe = searched_recipe()
    axes = space.axes(recipe, space.SCALES[FLAGS.scale])
    # Whatever is wrong, it is said before days of training.
    oracle(axes)
    figure, plots = experiments.new_figure(columns=2)
    min_kl = least_kl(recipe)
    corpora.load(recipe.data.corpus, FLAGS.data_dir)
    folder = FLAGS.output_dir or os.path.join("runs", "tune", FLAGS.recipe)
    search = Search(folder, configuration(recipe, axes, min_kl))
    with search.locked():
        train(search, recipe, axes, min_kl)
    report.plot(plots, search.records, min_kl)
    text = f"{describe(search, min_kl)}\n\n"
    text += report.table(search.records, min_kl, recipe)
    experiments.save_report(folder, "tuning", text, figure)


def searched_recipe() -> zoo.Recipe:
    """Returns the recipe that the flags describe."""
    recipe = zoo.recipe(FLAGS.recipe)
    architecture = recipe.model.architecture
    if architecture not in space.ARCHITECTURES:
        raise ValueError(
            f"--recipe={FLAGS.recipe}: its architecture is {architecture!r}, "
            f"not {' or '.join(map(repr, space.ARCHITECTURES))}."
        )
    recipe = recipe.replace(**space.SCALES[FLAGS.scale].fields)
    overrides = {"epochs": FLAGS.epochs, "corpus": FLAGS.corpus}
    return recipe.replace(**{name: x for name, x in overrides.items() if x is not None})


def least_kl(recipe: zoo.Recipe) -> float:
    """Returns the least KL of a trial that counts."""
    if space.has_kl(recipe):
        return MIN_KL if FLAGS.min_kl is None else FLAGS.min_kl
    if FLAGS.min_kl:
        raise ValueError(f"--min_kl={FLAGS.min_kl}: {FLAGS.recipe} has no KL.")
    return 0.0


def configuration(recipe: zoo.Recipe, axes: dict, min_kl: float) -> dict:
    """Returns what tells a search from every other."""
    return {
        "recipe": FLAGS.recipe,
        "scale": FLAGS.scale,
        "corpus": recipe.data.corpus,
        "epochs": recipe.training.epochs,
        "min_kl": min_kl,
        "precision": FLAGS.precision,
        "seed": FLAGS.seed,
        "space": {name: axis._asdict() for name, axis in axes.items()},
    }


def train(search: Search, recipe: zoo.Recipe, axes: dict, min_kl: float):
    """Trains the trials that are not finished, then new ones, up to --trials."""
    settings = Settings(search.folder, FLAGS.data_dir, FLAGS.precision, FLAGS.jobs)
    finished = [record.name for record in search.records if record.result]
    begun = [as_trial(record, recipe) for record in search.records]
    count = max(FLAGS.trials, len(begun))
    progress = experiments.Progress(begun, search.folder, finished, count)

    def trials():
        yield from (trial for trial in begun if trial.name not in finished)
        while len(search.records) < FLAGS.trials:
            record = search.begin(next_values(search, axes, min_kl))
            print(f"{record.name}: {in_words(record.values)}", flush=True)
            progress.trials.append(as_trial(record, recipe))
            yield progress.trials[-1]

    for trial, rows in experiments.train_each(trials(), settings, progress):
        result = search.end(trial.name, rows).result
        best = report.ranked(search.records, min_kl)[0].name
        print(
            f"{trial.name}: bound {result.bound:.2f} nats, KL {result.kl:.2f}, at "
            f"epoch {result.epoch}; the best so far is {best}",
            flush=True,
        )
        with contextlib.suppress(FileNotFoundError):  # most of what a run folder takes
            os.remove(os.path.join(search.folder, trial.name, "checkpoint.npz"))


def as_trial(record, recipe: zoo.Recipe) -> Trial:
    """Returns a trial of the search as one of an experiment."""
    return Trial(record.name, space.with_values(recipe, record.values), FLAGS.seed)


def next_values(search: Search, axes: dict, min_kl: float) -> dict[str, float]:
    """Returns the values of the trial after those that have begun."""
    past = [
        (values, objective(result.bound, result.kl, min_kl) if result else None)
        for _, values, result in search.records
    ]
    # The oracle forgets how many random numbers it has drawn.
    seed = random.Random(f"{FLAGS.seed} {len(past)}").getrandbits(30)
    return suggest(axes, past, seed)


def in_words(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def describe(search: Search, min_kl: float) -> str:
    """Returns the text above the table."""
    best = report.ranked(search.records, min_kl)[0]
    folder = os.path.join(search.folder, best.name)
    verdict = f"The best is the run folder {folder}."
    if best.result.kl < min_kl:
        verdict = f"No trial has a KL of {min_kl:g} nats; the nearest is {folder}."
    elif min_kl:
        verdict = f"A KL below {min_kl:g} nats, in brackets, does not count. {verdict}"
    return (
        f"{len(search.records)} trials of `{FLAGS.recipe}`, scale {FLAGS.scale}, "
        f"{search.configuration['epochs']} epochs at most. Validation at each trial's "
        f"best epoch, nats per sentence. {verdict}"
    )


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
