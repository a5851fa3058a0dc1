"""Figure 3 and table 5 of Bowman et al. 2016: word dropout on fiction."""

from examples import experiments
from examples.bowman2016.scales import changed
from examples.experiments import Trial, markdown
from examples.keeping import once
from keras_textvae.evaluation import Bound

KEEP_RATES = (1.0, 0.75, 0.5, 0.0)
SAMPLES = 200


def fiction_trial(scale, keep_rate):
    """Returns the run of a VAE on fiction with a keep rate of the decoder's words."""
    recipe = changed("bowman2016-fiction", scale, keep_rate=keep_rate)
    return Trial(f"fiction/VAE, keep rate {keep_rate}", recipe)


def trained(scale, settings):
    """Trains a VAE for each keep rate; returns the runs by keep rate."""
    trials = {rate: fiction_trial(scale, rate) for rate in KEEP_RATES}
    experiments.train_all([*trials.values()], settings)
    return {rate: experiments.load_run(t, settings) for rate, t in trials.items()}


def tested(run) -> Bound:
    """Returns the test figures of a run's best epoch, evaluated once."""

    def test():
        return run.test(run.best_model())._asdict()

    return Bound(**once(run, "test", {}, test))


def figure3(scale, settings):
    """The two parts of the bound, by keep rate."""
    figure, (plot,) = experiments.new_figure()
    results = {rate: tested(run) for rate, run in trained(scale, settings).items()}
    names = [f"{rate:.0%}" for rate in results]
    kls = [result.kl for result in results.values()]
    reconstructions = [result.reconstruction for result in results.values()]
    plot.bar(names, reconstructions, label="reconstruction")
    plot.bar(names, kls, bottom=reconstructions, label="KL")
    plot.set(xlabel="keep rate", ylabel="nats per sentence")
    plot.legend()
    table = [
        [name, *(f"{x:.2f}" for x in (result.bound, result.reconstruction, result.kl))]
        for name, result in zip(names, results.values(), strict=True)
    ]
    text = (
        "Test sentences of fiction, nats per sentence. All words are shown in "
        "evaluation, but at keep rate 0. The paper: the lower the keep rate, the more "
        "information is in z, and the worse the bound.\n\n"
    )
    text += markdown(["keep rate", "bound", "reconstruction", "KL"], table)
    experiments.save_report(settings.folder, "figure3", text, figure)


def table5(scale, settings):
    """Samples from the prior, decoded greedily, by keep rate."""
    text, table = [], []
    for rate, run in trained(scale, settings).items():
        texts = run.best().sample(SAMPLES, temperature=0.0)
        distinct = len(set(texts)) / len(texts)
        words = sum(len(text.split()) for text in texts) / len(texts)
        table.append([f"{rate:.0%}", f"{distinct:.0%}", f"{words:.1f}"])
        text += [f"\nkeep rate {rate:.0%}:\n", *(f"    {line}" for line in texts[:10])]
    header = ["keep rate", "distinct samples", "mean length, words"]
    head = (
        f"{SAMPLES} z from the prior, decoded greedily; the first ten of each. The "
        "paper: without dropout they hardly differ; without words they are no "
        "sentences.\n\n"
    )
    report = head + markdown(header, table) + "\n" + "\n".join(text)
    experiments.save_report(settings.folder, "table5", report)
