"""Table 2 and figure 2 of Bowman et al. 2016: language models of the Penn Treebank."""

import json
import os

import keras
import numpy as np

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
PIECE = 10  # batches whose importance-weighted likelihood is kept together


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
    """Evaluates a run's best epoch; each figure once, and kept in the run's folder."""
    path = run.path("table2.json")
    given = _plain({"scale": scale._asdict(), "epochs": run.epochs_done})
    found = {}
    if os.path.exists(path) and read_json(path)["given"] == given:
        found = read_json(path)["found"]
    for name, figure in _figures(run, scale).items():
        if name not in found:
            found[name] = figure()
            write_json(path, {"given": given, "found": found})
    return found


def _figures(run, scale) -> dict:
    """Returns what is evaluated, by name, as functions."""
    model = run.best().model
    model.compile()
    train = run.train_batches.epoch(0).take(scale.train_batches or -1)
    test, some = run.test_batches.epoch(0), run.test_batches.spread(scale.test_batches)
    found = {
        "train": lambda: evaluation.evaluate_bound(model, train)._asdict(),
        "test": lambda: evaluation.evaluate_bound(model, test)._asdict(),
    }
    if not model.latent_dim:
        return found
    return found | {
        "of_the_same": lambda: evaluation.evaluate_bound(model, some).bound,
        "active_units": lambda: evaluation.active_units(model, test).count,
        "latent_dim": lambda: model.latent_dim,
        "information": lambda: evaluation.mutual_information(model, test),
        "weighted": lambda: importance_weighted(run, model, some, scale.samples),
    }


def importance_weighted(run, model, batches, samples) -> float:
    """Returns the importance-weighted likelihood of sentences, nats per sentence.

    Hours at the paper's scale: what a killed one has done is kept in the run's folder.
    """
    ids = [np.asarray(batch) for batch in batches]
    pieces = [ids[start : start + PIECE] for start in range(0, len(ids), PIECE)]
    path = run.path("weighted.json")
    given = {"epochs": run.epochs_done, "samples": samples, "batches": len(ids)}
    nll = []
    if os.path.exists(path) and read_json(path)["given"] == given:
        nll = read_json(path)["nll"]
    done = len(nll)
    progress = keras.utils.Progbar(len(pieces) - done, unit_name="piece")
    for seed, piece in enumerate(pieces[done:], done):
        found = evaluation.importance_weighted_nll(model, piece, samples, seed=seed)
        nll.append(found.bound)
        write_json(path, {"given": given, "nll": nll})
        progress.add(1)
    sentences = [sum(map(len, piece)) for piece in pieces]
    return float(np.average(nll, weights=sentences))


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
