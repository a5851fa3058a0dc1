"""Tables 2, 3 and 6 of Semeniuta et al. 2017: tweets."""

import numpy as np

from examples import experiments
from examples.experiments import Trial, markdown
from examples.semeniuta2017.scales import changed

# Table 3 of the paper: nats per tweet.
PAPER_TABLE_3 = {
    "LSTM VAE, p = 0.2": (67.4, 1.0),
    "LSTM VAE, p = 0.5": (77.1, 2.1),
    "LSTM VAE, p = 0.8": (93.7, 3.8),
    "Hybrid, alpha = 0.2": (58.5, 12.5),
}
SAMPLES = 200


def tweet_trials(scale):
    """Returns the runs of tables 2, 3 and 6 by the paper's names of them."""
    recipes = {
        f"LSTM VAE, p = {rate}": changed(
            "semeniuta2017-tweets-lstm", scale, keep_rate=round(1.0 - rate, 1)
        )
        for rate in (0.2, 0.5, 0.8)
    }
    recipes["Hybrid, alpha = 0.2"] = changed("semeniuta2017-tweets", scale)
    return {name: Trial(f"tweets/{name}", recipe) for name, recipe in recipes.items()}


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
        result = run.test(space.model)
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
    ends = np.random.default_rng(0).normal(size=(4, 2, space.model.latent_dim))
    shares = np.linspace(0.0, 1.0, 7)[:, None]
    lines = [f"The hybrid, {len(ends)} pairs of z from the prior, 7 points each.\n"]
    for start, end in ends:
        path = (1.0 - shares) * start + shares * end
        lines += [*(f"    {text}" for text in space.decode(path)), ""]
    experiments.save_report(folder, "table6", "\n".join(lines).rstrip())
