r"""Reproduces figures and tables of "A Hybrid Convolutional Variational Autoencoder for
Text Generation" (Semeniuta et al. 2017).

    python examples/reproduce_semeniuta2017.py --scale=small --figure=3 --data_dir=DIR
    python examples/reproduce_semeniuta2017.py --scale=small --table=2,3,6 \
        --data_dir=DIR

Each run is a folder of its own in --output_dir/SCALE, and the same command goes on
where a killed one was; figures and tables that need the same runs share them. Tables
are written as Markdown and figures as PNG beside them. Scales:

    smoke  minutes, models that learn nothing: does it run?
    small  about half an hour each on 2 cores: smaller LSTMs, fewer iterations and
           settings, annealing sooner
    paper  the authors' sizes, 100,000 iterations a run: days without an accelerator
"""

import math
import os
import pathlib
import sys
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from examples import experiments
from examples.experiments import Settings, Trial, markdown
from serving import command_line

with command_line.quiet_imports():
    import numpy as np

    from keras_textvae import zoo
    from keras_textvae.zoo import Schedule

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after each run's last epoch"


class Scale(NamedTuple):
    """What a scale changes in the presets, and which settings it tries.

    Attributes:
        steps: training steps in an epoch.
        epochs: epochs of figures 4 to 6.
        anneal: first and last step of the KL weight's rise, hybrid models.
        lstm_anneal: the same of LSTM VAEs.
        model: arguments of every model on PTB that it has.
        valid_steps: batches of a validation.
        epochs3, lengths3: of figure 3.
        lengths4: of figure 4.
        alphas5: of figure 5.
        layers6, alphas6: of figure 6.
        tweets: arguments of models of tweets that they have.
        tweet_epochs, tweet_anneal: of models of tweets.
    """

    steps: int
    epochs: int
    anneal: tuple
    lstm_anneal: tuple
    model: dict
    valid_steps: int | None
    epochs3: int
    lengths3: tuple
    lengths4: tuple
    alphas5: tuple
    layers6: tuple
    alphas6: tuple
    tweets: dict
    tweet_epochs: int
    tweet_anneal: tuple


SCALES = {
    "smoke": Scale(
        steps=10,
        epochs=2,
        anneal=(2, 15),
        lstm_anneal=(2, 15),
        model={"units": 8, "hidden": 8, "channels": (8, 8), "features": 8},
        valid_steps=2,
        epochs3=2,
        lengths3=(10, 30),
        lengths4=(12, 24),
        alphas5=(0.2,),
        layers6=(1, 3),
        alphas6=(0.0, 0.2),
        tweets={"units": 8, "channels": (8,) * 5, "features": 8},
        tweet_epochs=2,
        tweet_anneal=(2, 15),
    ),
    "small": Scale(
        steps=200,
        epochs=20,
        anneal=(500, 2500),
        lstm_anneal=(1000, 2500),
        model={"units": 256, "hidden": 128},
        valid_steps=20,
        epochs3=12,
        lengths3=(10, 20, 30, 50, 100),
        lengths4=(12, 36, 60),
        alphas5=(0.1, 0.4, 1.0),
        layers6=(1, 3, 10),
        alphas6=(0.0, 0.2, 0.5),
        tweets={"units": 256, "channels": (128, 256, 256, 256, 256)},
        tweet_epochs=40,
        tweet_anneal=(3000, 5000),
    ),
    "paper": Scale(
        steps=1000,
        epochs=100,
        anneal=(1000, 8000),
        lstm_anneal=(10_000, 17_000),
        model={},
        valid_steps=100,
        epochs3=30,
        lengths3=(10, 20, 30, 50, 75, 100),
        lengths4=(12, 24, 36, 48, 60),
        alphas5=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
        layers6=(1, 2, 3, 5, 7, 10),
        alphas6=(0.0, 0.2, 0.5),
        tweets={},
        tweet_epochs=100,
        tweet_anneal=(50_000, 60_000),
    ),
}
FLOOR = 0.001  # of the hybrid's KL weight
WITHOUT_KL = Schedule("constant", (0.0,))
NOT_ANNEALED = Schedule("constant", (1.0,))

# Table 3 of the paper: nats per tweet.
PAPER_TABLE_3 = {
    "LSTM VAE, p = 0.2": (67.4, 1.0),
    "LSTM VAE, p = 0.5": (77.1, 2.1),
    "LSTM VAE, p = 0.8": (93.7, 3.8),
    "Hybrid, alpha = 0.2": (58.5, 12.5),
}
SAMPLES = 200


def define_flags():
    flags.DEFINE_list("figure", [], "figures: 3, 4, 5, 6")
    flags.DEFINE_list("table", [], "tables: 2, 3, 6")
    flags.DEFINE_enum("scale", "smoke", [*SCALES], "how large, see above")
    flags.DEFINE_string(
        "data_dir", None, "folder of the corpora ptb and tweets (default: download ptb)"
    )
    flags.DEFINE_string("output_dir", "runs/semeniuta2017", "folder of all of it")
    flags.DEFINE_integer("jobs", os.cpu_count(), "runs at a time", 1)
    policies = ["float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "float32", policies, "Keras's precision policy")


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    require("--figure", FLAGS.figure, FIGURES)
    require("--table", FLAGS.table, TABLES)
    if not FLAGS.figure + FLAGS.table:
        raise ValueError("--figure or --table is needed, see --help.")
    scale = SCALES[FLAGS.scale]
    folder = os.path.join(FLAGS.output_dir, FLAGS.scale)
    settings = Settings(folder, FLAGS.data_dir, FLAGS.precision, FLAGS.jobs)
    for name in FLAGS.figure:
        FIGURES[name](scale, settings)
    if FLAGS.table:
        models = [*tweet_models(scale, settings)]
        for name in FLAGS.table:
            TABLES[name](models, folder)


def require(flag, names, known):
    for name in names:
        if name not in known:
            raise ValueError(f"{flag}={name}: the paper's are {', '.join(known)}.")


def changed(preset_name, scale, arguments, **fields):
    """Returns a preset at a scale, with some of its model's arguments changed."""
    preset = zoo.preset(preset_name)
    sizes = scale.tweets if preset.corpus == "tweets" else scale.model
    known = zoo.arguments(preset.architecture)
    sizes = {name: size for name, size in sizes.items() if name in known}
    fields = {"steps_per_epoch": scale.steps, "valid_steps": scale.valid_steps} | fields
    model = preset.model | sizes | arguments
    return preset.replace(model=model, **fields)


def figure3(scale, settings):
    """Training without history and without KL: LSTM against convolutions."""
    trials = []
    for length in scale.lengths3:
        fields = {
            "length": length,
            "epochs": scale.epochs3,
            "schedule": WITHOUT_KL,
            "rate_schedule": NOT_ANNEALED,
        }
        lstm = changed("semeniuta2017-ptb-lstm", scale, {"keep_rate": 0.0}, **fields)
        size = lstm.build_model(CHARACTERS).count_params()
        convolutional = changed("semeniuta2017-ptb-feedforward", scale, {}, **fields)
        convolutional = as_large(convolutional, size)
        trials.append(Trial(f"figure3/lstm-n{length}", lstm))
        trials.append(Trial(f"figure3/convolutional-n{length}", convolutional))
    rows = experiments.train_all(trials, settings)
    figure, axes = experiments.new_figure(columns=2, width=5.0)
    table = []
    for length in scale.lengths3:
        found = [
            rows[f"figure3/{model}-n{length}"] for model in ("lstm", "convolutional")
        ]
        for curve, plot in zip(found, axes, strict=True):
            steps = [row["epoch"] * scale.steps for row in curve]
            nats = [row["reconstruction"] / length for row in curve]
            plot.plot(steps, nats, label=f"{length} characters")
        sizes = [f"{curve[-1]['parameters']:,.0f}" for curve in found]
        ends = [f"{curve[-1]['reconstruction'] / length:.3f}" for curve in found]
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


# Of PTB as characters, special ids included.
CHARACTERS = 54


def as_large(preset, parameters):
    """Returns the feed-forward preset with about as many parameters."""

    def resized(width):
        sizes = {"channels": (width, 2 * width), "features": 3 * width // 2}
        return preset.replace(model=preset.model | sizes)

    def excess(width):
        return resized(width).build_model(CHARACTERS).count_params() - parameters

    low, high = 8, 1024  # the number of parameters grows with the width
    while high - low > 8:
        middle = (low + high) // 16 * 8
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    return resized(min(low, high, key=lambda width: abs(excess(width))))


def figure4(scale, settings):
    """Total cost and KL by length: the hybrid against LSTM VAEs."""
    models = {"hybrid, alpha 0.2": ("semeniuta2017-ptb", {}, "hybrid")}
    for rate in (0.2, 0.5):
        arguments = {"keep_rate": 1.0 - rate}
        name = f"lstm-p{rate}"
        models[f"LSTM VAE, p {rate}"] = ("semeniuta2017-ptb-lstm", arguments, name)
    trials = [
        Trial(
            f"figure4/{name}-n{length}",
            changed(
                preset,
                scale,
                arguments,
                length=length,
                epochs=scale.epochs,
                schedule=annealing(scale, name),
            ),
        )
        for length in scale.lengths4
        for preset, arguments, name in models.values()
    ]
    rows = experiments.train_all(trials, settings)
    series = {
        label: [rows[f"figure4/{name}-n{length}"][-1] for length in scale.lengths4]
        for label, (_, _, name) in models.items()
    }
    text = (
        "The paper: past 48 characters the LSTM VAE's KL is almost zero, while the "
        "hybrid's keeps its share of the cost.\n\n"
    )
    report_costs(settings.folder, "figure4", "characters", scale.lengths4, series, text)


def annealing(scale, name):
    """Returns the KL weight's schedule of a hybrid or of an LSTM VAE."""
    if name.startswith("lstm"):
        return Schedule("linear", scale.lstm_anneal)
    return Schedule("linear", (*scale.anneal, FLOOR))


def figure5(scale, settings):
    """The hybrid by alpha, with and without annealing."""
    schedules = {"annealed": annealing(scale, "hybrid"), "not annealed": NOT_ANNEALED}
    trials = [
        Trial(
            f"figure5/{kind.replace(' ', '-')}-alpha{alpha}",
            changed(
                "semeniuta2017-ptb",
                scale,
                {"alpha": alpha},
                length=52,
                epochs=scale.epochs,
                schedule=schedule,
            ),
        )
        for kind, schedule in schedules.items()
        for alpha in scale.alphas5
    ]
    rows = experiments.train_all(trials, settings)
    series = {
        kind: [
            rows[f"figure5/{kind.replace(' ', '-')}-alpha{alpha}"][-1]
            for alpha in scale.alphas5
        ]
        for kind in schedules
    }
    text = (
        "The paper: a larger alpha raises the KL at a small price in the cost; with "
        "annealing the KL is not zero at smaller alphas already.\n\n"
    )
    report_costs(settings.folder, "figure5", "alpha", scale.alphas5, series, text)


def figure6(scale, settings):
    """The hybrid with masked convolutions, by layers and alpha."""
    trials = [
        Trial(
            f"figure6/layers{layers}-alpha{alpha}",
            changed(
                "semeniuta2017-ptb-bytenet",
                scale,
                {"layers": layers, "alpha": alpha},
                epochs=scale.epochs,
                schedule=annealing(scale, "hybrid"),
            ),
        )
        for alpha in scale.alphas6
        for layers in scale.layers6
    ]
    rows = experiments.train_all(trials, settings)
    series = {
        f"alpha {alpha}": [
            rows[f"figure6/layers{layers}-alpha{alpha}"][-1] for layers in scale.layers6
        ]
        for alpha in scale.alphas6
    }
    text = (
        "An output sees as many characters as there are layers, and one more. The "
        "paper: without the auxiliary loss (alpha 0) the KL is zero as soon as the "
        "receptive field is larger than 3; with it, it never is.\n\n"
    )
    report_costs(settings.folder, "figure6", "layers", scale.layers6, series, text)


def report_costs(folder, name, axis, values, series, text):
    """Writes cost and KL of series of last epochs, in bits per character."""
    figure, (plot,) = experiments.new_figure()
    header, table = [axis], [[value] for value in values]
    for label, rows in series.items():
        cost = [bits(row, "loss") for row in rows]
        kl = [bits(row, "kl") for row in rows]
        (line,) = plot.plot(values, cost, marker="o", label=f"{label}: cost")
        plot.plot(values, kl, "o--", color=line.get_color(), label=f"{label}: KL")
        header += [f"{label}: cost", "KL", "KL's share"]
        for cells, c, k in zip(table, cost, kl, strict=True):
            cells += [f"{c:.3f}", f"{k:.3f}", f"{k / c:.0%}"]
    plot.set(xlabel=axis, ylabel="bits per character", ylim=0)
    plot.legend(fontsize="small")
    text += "Validation after the last epoch, bits per character.\n\n"
    experiments.save_report(folder, name, text + markdown(header, table), figure)


def bits(row, figure):
    return row[f"val_{figure}"] / row["val_tokens"] / math.log(2)


def tweet_trials(scale):
    """Returns the runs of tables 2, 3 and 6 by the paper's names of them."""
    fields = {"epochs": scale.tweet_epochs}
    schedule = Schedule("linear", scale.tweet_anneal)
    sizes = {"latent_dim": 100}
    trials = {
        f"LSTM VAE, p = {rate}": Trial(
            f"tweets/lstm-p{rate}",
            changed(
                "semeniuta2017-tweets-lstm",
                scale,
                sizes | {"keep_rate": round(1.0 - rate, 1)},
                schedule=schedule,
                **fields,
            ),
        )
        for rate in (0.2, 0.5, 0.8)
    }
    floored = Schedule("linear", (*scale.tweet_anneal, FLOOR))
    hybrid = changed("semeniuta2017-tweets", scale, sizes, schedule=floored, **fields)
    return trials | {"Hybrid, alpha = 0.2": Trial("tweets/hybrid", hybrid)}


def tweet_models(scale, settings):
    """Trains the models of tweets; yields name, run and best text space of each."""
    trials = tweet_trials(scale)
    experiments.train_all([*trials.values()], settings)
    for name, trial in trials.items():
        run = experiments.load_run(trial, settings)
        yield name, run, run.best()


def table2(models, folder):
    """Greedy samples from the prior: how many differ, and how long they are."""
    table, listed = [], []
    for name, _, space in models:
        texts = space.sample(SAMPLES, temperature=0.0)
        distinct = len(set(texts)) / len(texts)
        length = np.mean([len(text.encode()) for text in texts])
        table.append([name, f"{distinct:.0%}", f"{length:.1f}"])
        listed += [f"\n{name}:\n", *(f"    {text}" for text in texts[:10])]
    header = ["model", "distinct samples", "mean length, bytes"]
    text = (
        f"{SAMPLES} z from the prior, decoded greedily; the first ten of each.\n\n"
        f"{markdown(header, table)}\n"
    )
    experiments.save_report(folder, "table2", text + "\n".join(listed))


def table3(models, folder):
    """Reconstruction and KL of the test tweets."""
    table = []
    for name, run, space in models:
        result = run.test(space)
        ours = f"{result.reconstruction:.1f}", f"{result.kl:.1f}"
        table.append([name, *ours, *PAPER_TABLE_3[name]])
    header = ["model", "reconstruction", "KL", "paper: reconstruction", "paper: KL"]
    text = (
        "Test tweets, nats per tweet, the epoch with the best validation bound. The "
        "paper has other tweets, and counts the padding's loss.\n\n"
    )
    experiments.save_report(folder, "table3", text + markdown(header, table))


def table6(models, folder):
    """Interpolations between draws from the prior, decoded greedily."""
    _, _, space = models[-1]
    ends = np.random.default_rng(0).normal(
        size=(4, 2, space.model.posterior.latent_dim)
    )
    shares = np.linspace(0.0, 1.0, 7)[:, None]
    lines = [f"The hybrid, {len(ends)} pairs of z from the prior, 7 points each.\n"]
    for start, end in ends:
        path = (1.0 - shares) * start + shares * end
        lines += [*(f"    {text}" for text in space.decode(path)), ""]
    experiments.save_report(folder, "table6", "\n".join(lines).rstrip())


FIGURES = {"3": figure3, "4": figure4, "5": figure5, "6": figure6}
TABLES = {"2": table2, "3": table3, "6": table6}


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
