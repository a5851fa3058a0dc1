"""Figures 3 to 6 of Semeniuta et al. 2017: characters of the Penn Treebank."""

import math

from examples import experiments
from examples.experiments import Trial, markdown
from examples.semeniuta2017.scales import changed
from keras_textvae.zoo import CONSTANT, Terms

CHARACTERS = 54  # of PTB, special ids included


def figure3(scale, settings):
    """Training without history and without KL: LSTM against convolutions."""
    trials = []
    for length in scale.lengths3:
        fields = {
            "length": length,
            "epochs": scale.epochs3,
            "terms": Terms(beta=0.0),
            "rate_schedule": CONSTANT,
        }
        lstm = changed("semeniuta2017-ptb-lstm", scale, keep_rate=0.0, **fields)
        size = lstm.build_model(CHARACTERS).count_params()
        convolutional = changed("semeniuta2017-ptb-feedforward", scale, **fields)
        convolutional = as_large(convolutional, size)
        trials.append(Trial(f"figure3/lstm-n{length}", lstm))
        trials.append(Trial(f"figure3/convolutional-n{length}", convolutional))
    figure, axes = experiments.new_figure(columns=2, width=5.0)
    rows = experiments.train_all(trials, settings)
    table = []
    for length in scale.lengths3:
        curves = [
            rows[f"figure3/{model}-n{length}"] for model in ("lstm", "convolutional")
        ]
        for curve, plot in zip(curves, axes, strict=True):
            steps = [row["epoch"] * scale.steps for row in curve]
            nats = [row["reconstruction"] / length for row in curve]
            plot.plot(steps, nats, label=f"{length} characters")
        sizes = [f"{curve[-1]['parameters']:,.0f}" for curve in curves]
        ends = [f"{curve[-1]['reconstruction'] / length:.3f}" for curve in curves]
        table.append([length, *ends, *sizes])
    titles = "LSTM autoencoder, without history", "convolutional autoencoder"
    for plot, title in zip(axes, titles, strict=True):
        plot.set(title=title, xlabel="iteration", ylabel="nats per character", ylim=0)
        plot.legend()
    header = ["characters", "LSTM", "convolutional", "LSTM parameters", "convolutional"]
    text = (
        "Training reconstruction at the end, nats per character. The paper: the LSTM "
        "fails to fit from 30 characters on, the convolutions fit every length.\n\n"
    )
    experiments.save_report(
        settings.folder, "figure3", text + markdown(header, table), figure
    )


def as_large(recipe, parameters):
    """Returns the feed-forward recipe with about as many parameters."""

    def resized(width):
        return recipe.replace(channels=(width, 2 * width), features=3 * width // 2)

    def excess(width):
        return resized(width).build_model(CHARACTERS).count_params() - parameters

    low, high = 8, 1024  # the number of parameters grows with the width
    while high - low > 8:
        middle = (low + high) // 16 * 8
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return resized(min(low, high, key=lambda width: abs(excess(width))))


def figure4(scale, settings):
    """Total cost and KL by length: the hybrid against LSTM VAEs."""

    def by_length(name, **fields):
        return {
            length: changed(name, scale, length=length, **fields)
            for length in scale.lengths4
        }

    recipes = {
        "hybrid, alpha 0.2": by_length("semeniuta2017-ptb"),
        "LSTM VAE, p 0.2": by_length("semeniuta2017-ptb-lstm", keep_rate=0.8),
        "LSTM VAE, p 0.5": by_length("semeniuta2017-ptb-lstm", keep_rate=0.5),
    }
    text = (
        "The paper: past 48 characters the LSTM VAE's KL is almost zero, while the "
        "hybrid's keeps its share of the cost.\n\n"
    )
    compare("figure4", "characters", recipes, text, settings)


def figure5(scale, settings):
    """The hybrid by alpha, with and without annealing."""

    def by_alpha(**fields):
        return {
            alpha: changed("semeniuta2017-ptb", scale, alpha=alpha, length=52, **fields)
            for alpha in scale.alphas5
        }

    recipes = {"annealed": by_alpha(), "not annealed": by_alpha(schedule=CONSTANT)}
    text = (
        "The paper: a larger alpha raises the KL at a small price in the cost; with "
        "annealing the KL is not zero at smaller alphas already.\n\n"
    )
    compare("figure5", "alpha", recipes, text, settings)


def figure6(scale, settings):
    """The hybrid with masked convolutions, by layers and alpha."""
    recipes = {
        f"alpha {alpha}": {
            layers: changed(
                "semeniuta2017-ptb-bytenet", scale, layers=layers, alpha=alpha
            )
            for layers in scale.layers6
        }
        for alpha in scale.alphas6
    }
    text = (
        "An output sees as many characters as there are layers, and one more. The "
        "paper: without the auxiliary loss (alpha 0) the KL is zero as soon as the "
        "receptive field is larger than 3; with it, it never is.\n\n"
    )
    compare("figure6", "layers", recipes, text, settings)


def compare(name, axis, recipes, text, settings):
    """Trains series of recipes; writes their last costs and KL, bits per character.

    Args:
        name: of the figure.
        axis: what is varied within a series.
        recipes: series' label -> value on the axis -> recipe.
        text: stands above the table.
        settings: `experiments.Settings`.
    """
    trials = {
        (label, value): Trial(f"{name}/{label}, {axis} {value}", recipe)
        for label, series in recipes.items()
        for value, recipe in series.items()
    }
    figure, (plot,) = experiments.new_figure(width=7.5)
    rows = experiments.train_all([*trials.values()], settings)
    last = {key: rows[trial.name][-1] for key, trial in trials.items()}
    values = [*next(iter(recipes.values()))]
    header, table = [axis], [[value] for value in values]
    for label in recipes:
        cost = [bits(last[label, value], "loss") for value in values]
        kl = [bits(last[label, value], "kl") for value in values]
        (line,) = plot.plot(values, cost, marker="o", label=f"{label}: cost")
        plot.plot(values, kl, "o--", color=line.get_color(), label=f"{label}: KL")
        header += [f"{label}: cost", "KL", "KL's share"]
        for cells, c, k in zip(table, cost, kl, strict=True):
            cells += [f"{c:.3f}", f"{k:.3f}", f"{k / c:.0%}"]
    plot.set(xlabel=axis, ylabel="bits per character", ylim=0)
    figure.legend(loc="outside right upper", fontsize="small")
    text += "Validation after the last epoch, bits per character.\n\n"
    experiments.save_report(
        settings.folder, name, text + markdown(header, table), figure
    )


def bits(row, figure):
    return row[f"val_{figure}"] / row["val_tokens"] / math.log(2)
