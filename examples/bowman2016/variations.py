"""The variations of Bowman et al. 2016, section 3, on the built-in corpus.

The paper tried them and reports in words: other ways from the encoder to z and from z
to the decoder made little difference, other posteriors gave no significant gain, and
without annealing and word dropout z is ignored.
"""

import functools

from examples import experiments
from examples.experiments import Trial, markdown
from examples.keeping import once
from keras_textvae import evaluation, grammar, zoo
from keras_textvae.zoo import Schedule

# What each changes in the recipe. The first is figure 1 of the paper; all others differ
# from it in what they say.
_FIGURE_1 = {"z_every_step": False, "keep_rate": 0.75}
_NO_ANNEALING = {"schedule": zoo.CONSTANT}
_NO_WORD_DROPOUT = {"keep_rate": 1.0}
VARIATIONS = {
    "as in figure 1": {},
    "z at every step too": {"z_every_step": True},
    "a highway layer before and after z": {"highways": 1},
    "softplus variance": {"posterior": "softplus"},
    "planar flow": {"posterior": "planar"},
    "inverse autoregressive flow": {"posterior": "autoregressive"},
    "multi-step posterior": {"posterior": "multi_step"},
    "linear annealing": {"schedule": Schedule("linear", (0, 3000))},
    "no annealing": _NO_ANNEALING,
    "no word dropout": _NO_WORD_DROPOUT,
    "no word dropout, embeddings dropped": _NO_WORD_DROPOUT
    | {"dropout": 0.25, "output_dropout": 0.0},
    "no word dropout, no annealing": _NO_WORD_DROPOUT | _NO_ANNEALING,
    "right to left": {"right_to_left": True},
}


def trials(scale) -> dict[str, Trial]:
    """Returns the runs by what they vary."""
    recipe = zoo.recipe("lstm-grammar")
    recipe = recipe.replace(**_FIGURE_1, **scale.variation_sizes, **scale.variations)
    return {
        name: Trial(f"variations/{number:02} {name}", recipe.replace(**changes))
        for number, (name, changes) in enumerate(VARIATIONS.items())
    }


def section3(scale, settings):
    """Bound, its parts and active units of each variation."""
    runs = trials(scale)
    experiments.train_all([*runs.values()], settings)
    table = []
    for name, trial in runs.items():
        run = experiments.load_run(trial, settings)
        evaluate = functools.partial(evaluated, run)
        results = once(run, "section3", {}, evaluate)
        parts = [f"{results[part]:.2f}" for part in ("bound", "reconstruction", "kl")]
        table.append([name, *parts, results["active_units"]])
    entropy = grammar.english().entropy()
    text = (
        "Test sentences of the built-in corpus, nats per sentence; its exact entropy "
        f"is {entropy:.2f}. The KL of flows and of the multi-step posterior is an "
        "estimate from one sample. The paper: little difference between ways to and "
        "from z, no significant gain from other posteriors; without annealing and word "
        "dropout a KL of zero.\n\n"
    )
    header = ["variation", "bound", "reconstruction", "KL", "active units"]
    experiments.save_report(settings.folder, "section3", text + markdown(header, table))


def evaluated(run) -> dict:
    """Returns the test sentences' bound and parts, and how many units of z differ."""
    space = run.best()
    units = evaluation.active_units(space.model, run.test_batches).count
    return run.test(space.model)._asdict() | {"active_units": units}
