"""Table 2 and figure 2 of Bowman et al. 2016: language models of the Penn Treebank."""

from examples import experiments
from examples.bowman2016.language_model_figures import figures
from examples.bowman2016.scales import changed
from examples.experiments import Trial, markdown
from keras_textvae import evaluation

# Table 2: NLL and perplexity, training and test; the KL in brackets.
PAPER_TABLE_2 = {
    "RNNLM": ("100", "95", "100", "116"),
    "VAE": ("98 (2)", "100", "101 (2)", "119"),
    "inputless RNNLM": ("135", "600", "135", "> 600"),
    "inputless VAE": ("120 (15)", "300", "125 (15)", "380"),
}


def table2_trials(scale):
    """Returns the runs of table 2 by the paper's names of them."""
    latent = {"latent_dim": scale.inputless_latent_dim}
    recipes = {
        "RNNLM": changed("bowman2016-ptb-rnnlm", scale),
        "VAE": changed("bowman2016-ptb", scale),
        "inputless RNNLM": changed("bowman2016-ptb-inputless-rnnlm", scale),
        "inputless VAE": changed("bowman2016-ptb-inputless", scale, **latent),
    }
    return {name: Trial(f"ptb/{name}", recipe) for name, recipe in recipes.items()}


def table2(scale, settings):
    """RNNLM and VAE, with the history and without, and what is in their z."""
    trials = table2_trials(scale)
    experiments.train_all([*trials.values()], settings)
    likelihoods, spaces = [], []
    for name, trial in trials.items():
        run = experiments.load_run(trial, settings)
        results = figures(run, scale)
        likelihoods.append([name, *likelihood_cells(results), *PAPER_TABLE_2[name]])
        if "active_units" in results:
            size = trial.recipe.model.arguments["latent_dim"]
            spaces.append([name, *latent_cells(results, size)])
    text = (
        "Nats per sentence of the Penn Treebank, the end counted, KL in brackets, the "
        "epoch with the best validation bound; perplexity with the end of sentence "
        "counted among the words, and after the stroke without, as the paper seems "
        "to.\n\n"
    )
    header = ["model", "train NLL", "PPL", "test NLL", "PPL"]
    header += ["paper: train NLL", "PPL", "test NLL", "PPL"]
    text += markdown(header, likelihoods)
    header = ["model", f"NLL, {scale.samples} samples", "bound on the same sentences"]
    header += ["active units", "of", "I(x, z), nats"]
    text += (
        f"\n\nThe importance-weighted likelihood:\n\n{markdown(header, spaces)}\n\n"
        "I(x, z) is of the test sentences, and can be no larger than the logarithm of "
        "their number (8.2 nats for all 3,761)."
    )
    experiments.save_report(settings.folder, "table2", text)


def likelihood_cells(results):
    """Returns the cells of a model in the first part of table 2."""
    cells = []
    for part in ("train", "test"):
        bound = evaluation.Bound(**results[part])
        kl = f" ({bound.kl:.1f})" if "active_units" in results else ""
        perplexities = f"{bound.perplexity:.1f} / {bound.perplexity_without_eos:.1f}"
        cells += [f"{bound.bound:.1f}{kl}", perplexities]
    return cells


def latent_cells(results, latent_dim):
    """Returns the cells of a VAE in the second part of table 2."""
    return [
        f"{results['weighted']:.2f}",
        f"{results['of_the_same']:.2f}",
        results["active_units"],
        latent_dim,
        f"{results['information']:.2f}",
    ]


def figure2(scale, settings):
    """The weight of the KL and the KL itself, by training step."""
    trial = Trial("figure2", changed("bowman2016-ptb", scale, **scale.figure2))
    figure, (weight_plot,) = experiments.new_figure()
    rows = experiments.train_all([trial], settings)[trial.name]
    steps = [row["epoch"] * trial.recipe.data.steps_per_epoch for row in rows]
    weights = [row["kl_weight"] for row in rows]
    kls = [row["val_kl"] for row in rows]
    weight_plot.plot(steps, weights, color="tab:gray", label="weight of the KL")
    weight_plot.set(xlabel="step", ylabel="weight", ylim=(0, 1.05))
    kl_plot = weight_plot.twinx()
    kl_plot.plot(steps, kls, label="KL, validation")
    kl_plot.set(ylabel="nats per sentence", ylim=0)
    lines = weight_plot.get_lines() + kl_plot.get_lines()
    weight_plot.legend(lines, [line.get_label() for line in lines], loc="center right")
    shown = range(0, len(rows), max(1, len(rows) // 12))
    table = [[steps[i], f"{weights[i]:.3f}", f"{kls[i]:.2f}"] for i in shown]
    text = (
        "The paper: the KL rises while it is cheap, drops when it is paid for in full, "
        "and slowly rises again.\n\n"
    )
    text += markdown(["step", "weight", "KL, nats per sentence"], table)
    experiments.save_report(settings.folder, "figure2", text, figure)
