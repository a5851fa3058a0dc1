"""Table 2 and figure 2 of Bowman et al. 2016: language models of the Penn Treebank."""

import json
import os

from examples import experiments
from examples.bowman2016.scales import changed
from examples.experiments import Trial, markdown
from keras_textvae import evaluation
from keras_textvae.atomic_files import read_json, write_json

# Table 2: test NLL, its KL in brackets, and test perplexity.
PAPER_TABLE_2 = {
    "RNNLM": ("100", "116"),
    "VAE": ("101 (2)", "119"),
    "inputless RNNLM": ("135", "> 600"),
    "inputless VAE": ("125 (15)", "380"),
}


def table2_trials(scale):
    """Returns the runs of table 2 by the paper's names of them."""
    latent = {"latent_dim": scale.inputless_latent_dim}
    presets = {
        "RNNLM": changed("bowman2016-ptb-rnnlm", scale),
        "VAE": changed("bowman2016-ptb", scale),
        "inputless RNNLM": changed("bowman2016-ptb-inputless-rnnlm", scale),
        "inputless VAE": changed("bowman2016-ptb-inputless", scale, latent),
    }
    return {name: Trial(f"ptb/{name}", preset) for name, preset in presets.items()}


def table2(scale, settings):
    """RNNLM and VAE, with the history and without, and what is in their z."""
    trials = table2_trials(scale)
    experiments.train_all([*trials.values()], settings)
    likelihoods, spaces = [], []
    for name, trial in trials.items():
        run = experiments.load_run(trial, settings)
        found = figures(run, scale)
        likelihoods.append([name, *likelihood_cells(found), *PAPER_TABLE_2[name]])
        if "active_units" in found:
            spaces.append([name, *latent_cells(found)])
    text = (
        "Nats per sentence of the Penn Treebank, the end counted, KL in brackets, the "
        "epoch with the best validation bound; perplexity with the end of sentence "
        "counted among the words, and without, as the paper seems to.\n\n"
    )
    header = ["model", "train NLL", "test NLL", "PPL", "PPL without end"]
    header += ["paper: test NLL", "PPL"]
    text += markdown(header, likelihoods)
    header = ["model", f"NLL, {scale.samples} samples", "bound on the same sentences"]
    header += ["active units", "of", "I(x, z), nats"]
    text += f"\n\nThe importance-weighted likelihood:\n\n{markdown(header, spaces)}"
    experiments.save_report(settings.folder, "table2", text)


def likelihood_cells(found):
    """Returns the cells of a model in the first part of table 2."""

    def nll(part):
        kl = f" ({part['kl']:.1f})" if "active_units" in found else ""
        return f"{part['bound']:.1f}{kl}"

    test = evaluation.Bound(**found["test"])
    perplexities = test.perplexity, test.perplexity_without_eos
    return [
        nll(found["train"]),
        nll(found["test"]),
        *(f"{perplexity:.1f}" for perplexity in perplexities),
    ]


def latent_cells(found):
    """Returns the cells of a VAE in the second part of table 2."""
    return [
        f"{found['weighted']:.2f}",
        f"{found['of_the_same']:.2f}",
        found["active_units"],
        found["latent_dim"],
        f"{found['information']:.2f}",
    ]


def figures(run, scale) -> dict:
    """Evaluates a run's best epoch, once: the figures stay in its folder."""
    path = run.path("table2.json")
    given = {"scale": scale._asdict(), "epochs": run.epochs_done}
    if os.path.exists(path) and read_json(path)["given"] == _plain(given):
        return read_json(path)["found"]
    model = run.best().model
    model.compile()
    train = run.train_batches.epoch(0).take(scale.train_batches or -1)
    found = {
        "train": evaluation.evaluate_bound(model, train)._asdict(),
        "test": evaluation.evaluate_bound(model, run.test_batches.epoch(0))._asdict(),
    }
    if model.latent_dim:
        found |= latent_figures(model, run.test_batches, scale)
    write_json(path, {"given": _plain(given), "found": found})
    return found


def latent_figures(model, batches, scale) -> dict:
    """Returns what the posteriors of the test sentences say, some of them or all."""
    every, some = batches.epoch(0), batches.spread(scale.test_batches)
    weighted = evaluation.importance_weighted_nll(model, some, scale.samples, verbose=1)
    return {
        "weighted": weighted.bound,
        "of_the_same": evaluation.evaluate_bound(model, some).bound,
        "active_units": evaluation.active_units(model, every).count,
        "latent_dim": model.latent_dim,
        "information": evaluation.mutual_information(model, every),
    }


def _plain(given):
    """Returns it as JSON would read it again."""
    return json.loads(json.dumps(given))


def figure2(scale, settings):
    """The weight of the KL and the KL itself, by training step."""
    trial = Trial("figure2", changed("bowman2016-ptb", scale, **scale.figure2))
    figure, (weight_plot,) = experiments.new_figure()
    rows = experiments.train_all([trial], settings)[trial.name]
    steps = [row["epoch"] * trial.preset.steps_per_epoch for row in rows]
    weights = [row["kl_weight"] for row in rows]
    kls = [row["val_kl"] for row in rows]
    weight_plot.plot(steps, weights, color="tab:gray", label="weight of the KL")
    weight_plot.set(xlabel="step", ylabel="weight", ylim=(0, 1.05))
    kl_plot = weight_plot.twinx()
    kl_plot.plot(steps, kls, label="KL, validation")
    kl_plot.set(ylabel="nats per sentence", ylim=0)
    lines = weight_plot.get_lines() + kl_plot.get_lines()
    weight_plot.legend(lines, [line.get_label() for line in lines], loc="upper right")
    shown = range(0, len(rows), max(1, len(rows) // 12))
    table = [[steps[i], f"{weights[i]:.3f}", f"{kls[i]:.2f}"] for i in shown]
    text = (
        "The paper: the KL rises while it is cheap, drops when it is paid for in full, "
        "and slowly rises again.\n\n"
    )
    text += markdown(["step", "weight", "KL, nats per sentence"], table)
    experiments.save_report(settings.folder, "figure2", text, figure)
