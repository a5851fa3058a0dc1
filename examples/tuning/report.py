"""What a search found: a table beside the paper's, and a plot."""

import itertools
import math

from examples import experiments
from examples.tuning.search import Record
from examples.tuning.suggestions import objective
from keras_textvae.zoo import Recipe

# The first columns of the table, and their headings.
COLUMNS = {
    "embedding_dim": "embedding",
    "units": "LSTM",
    "latent_dim": "z",
    "keep_rate": "keep rate",
    "learning_rate": "learning rate",
    "annealing": "annealing",
}
# Table 9 of Bowman et al. 2016.
PAPER_TABLE_9 = {
    "RNNLM": {"embedding_dim": 464, "units": 337, "keep_rate": 0.66},
    "VAE": {"embedding_dim": 353, "units": 191, "latent_dim": 13, "keep_rate": 0.62},
    "RNNLM, inputless": {"embedding_dim": 305, "units": 68},
    "VAE, inputless": {"embedding_dim": 499, "units": 350, "latent_dim": 111},
}
SHOWN = 10


def ranked(records: list[Record], min_kl: float) -> list[Record]:
    """Returns the trials that have ended, the best first."""

    def order(record):
        return objective(record.result.bound, record.result.kl, min_kl)

    return sorted((record for record in records if record.result), key=order)


def table(records: list[Record], min_kl: float, recipe: Recipe) -> str:
    """Returns the best trials, in Markdown, and below them the paper's Table 9.

    What was not searched is the recipe's. A KL below the least one is in brackets.
    """
    rows = []
    for record in ranked(records, min_kl)[:SHOWN]:
        result = record.result
        kl = f"{result.kl:.2f}" if result.kl >= min_kl else f"({result.kl:.2f})"
        figures = [f"{result.parameters:,}", result.epoch, f"{result.bound:.2f}", kl]
        rows.append(
            [record.name, *_cells(recipe.model.arguments | record.values), *figures]
        )
    for name, values in PAPER_TABLE_9.items():
        rows.append([f"the paper's {name}", *_cells(values), *"----"])
    header = ["trial", *COLUMNS.values(), "parameters", "epoch", "bound", "KL"]
    return experiments.markdown(header, rows)


def _cells(values):
    shown = map(values.get, COLUMNS)
    return ["-" if value is None else f"{value:g}" for value in shown]


def plot(axes, records: list[Record], min_kl: float):
    """Draws the trials' bounds, the best so far, and their KL, in order of beginning.

    Args:
        axes: two of Matplotlib's.
        records: `search.Record`s.
        min_kl: float. Trials below it are hollow, and never the best.
    """
    ended = [(i, record.result) for i, record in enumerate(records) if record.result]
    valid = [result.kl >= min_kl for _, result in ended]
    numbers = [number for number, _ in ended]
    bounds = [
        result.bound if counts else math.nan
        for (_, result), counts in zip(ended, valid, strict=True)
    ]
    best = itertools.accumulate(bounds, lambda a, b: b if math.isnan(a) or b < a else a)
    axes[0].step(numbers, [*best], where="post", label="best so far")
    axes[0].legend()
    for plot, name in zip(axes, ("bound", "kl"), strict=True):
        for (number, result), counts in zip(ended, valid, strict=True):
            face = "C0" if counts else "none"
            height = getattr(result, name)
            plot.plot(number, height, "o", color="C0", markerfacecolor=face)
        plot.set(xlabel="trial; hollow where the KL is too small")
        plot.locator_params(axis="x", integer=True)
    axes[0].set(ylabel="validation bound, nats per sentence")
    axes[1].set(ylabel="KL, nats per sentence", ylim=0)
    axes[1].axhline(min_kl, linestyle="--", color="C7")
