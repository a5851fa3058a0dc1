"""Tables 1, 6, 7, 8 and 10 of Bowman et al. 2016: what is where in the latent space."""

import numpy as np

from examples import experiments
from examples.bowman2016.scales import changed
from examples.bowman2016.word_dropout import fiction_trial
from examples.experiments import Trial, markdown
from keras_textvae import corpora, posteriors

RANGE = 0.1  # of the elements of table 6's matrix
SHOWN = 10
PAIRS = 4
STEPS = 8


def vae(scale, settings):
    """Returns the trained VAE on fiction, keep rate 0.75."""
    return trained(fiction_trial(scale, 0.75), settings)


def trained(trial, settings):
    experiments.train_all([trial], settings)
    return experiments.load_run(trial, settings)


def table6(scale, settings):
    """Samples from where the prior is low, decoded greedily."""
    space = vae(scale, settings).best()
    rng = np.random.default_rng(0)
    z = rng.normal(size=(SHOWN, space.model.latent_dim)).astype("float32")
    matrix = stretching(space.model.latent_dim, rng)
    stretched = z @ matrix.T
    densities = [np.asarray(posteriors.log_prob(x, 0.0, 0.0)) for x in (z, stretched)]
    table = [
        [f"{far:.1f}", text, f"{near:.1f}", plain]
        for far, text, near, plain in zip(
            densities[1],
            space.decode(stretched),
            densities[0],
            space.decode(z),
            strict=True,
        )
    ]
    singular = np.linalg.svd(matrix, compute_uv=False)
    text = (
        f"z from the prior, multiplied by a random matrix, elements in +-{RANGE}, that "
        "is scaled to preserve volume (the paper's does so about, in its number of "
        f"dimensions); it stretches by {singular[-1]:.2f} to {singular[0]:.2f}. Beside "
        "each the sentence of z itself. log p(z) in nats.\n\n"
    )
    header = ["log p(z)", "stretched", "log p(z)", "z itself"]
    experiments.save_report(settings.folder, "table6", text + markdown(header, table))


def stretching(size, rng):  # -> [D, D]
    """Returns a random matrix, uniform in +-`RANGE`, scaled to preserve volume."""
    matrix = rng.uniform(-RANGE, RANGE, (size, size))
    _, log_det = np.linalg.slogdet(matrix)
    return (matrix / np.exp(log_det / size)).astype("float32")


def table7(scale, settings):
    """Sentences, decoded from the posterior's mean and from three samples of it."""
    run = vae(scale, settings)
    space = run.best()
    texts = test_sentences(run, SHOWN // 2)
    encoding = space.encode(texts)
    columns = [texts, space.decode(encoding.mean)]
    rng = np.random.default_rng(0)
    for _ in range(3):
        noise = rng.normal(size=encoding.mean.shape)
        columns.append(
            space.decode(encoding.mean + np.exp(0.5 * encoding.log_var) * noise)
        )
    names = ["input", "mean", "sample 1", "sample 2", "sample 3"]
    blocks = [
        "\n".join(f"    {name}: {text}" for name, text in zip(names, row, strict=True))
        for row in zip(*columns, strict=True)
    ]
    head = "The first test sentences of fiction, decoded greedily.\n\n"
    experiments.save_report(settings.folder, "table7", head + "\n\n".join(blocks))


def table8(scale, settings):
    """Paths between sentences: the VAE's beside the autoencoder's (tables 1, 8, 10)."""
    preset = changed("bowman2016-fiction-autoencoder", scale)
    runs = {
        "VAE": vae(scale, settings),
        "autoencoder": trained(Trial("fiction/autoencoder", preset), settings),
    }
    texts = test_sentences(runs["VAE"], 2 * PAIRS)
    spaces = {name: run.best() for name, run in runs.items()}
    lines = []
    for start, end in zip(texts[::2], texts[1::2], strict=True):
        lines.append(f"\n{start} → {end}\n")
        for kind, spherical in {"line": False, "arc": True}.items():
            for name, space in spaces.items():
                path = space.interpolate(start, end, STEPS, spherical)
                lines += [f"    {name}, {kind}:", *(f"      {p}" for p in path), ""]
    head = (
        f"The first {PAIRS} pairs of test sentences of fiction, {STEPS} points each, "
        "decoded greedily.\n"
    )
    report = head + "\n".join(lines).rstrip()
    experiments.save_report(settings.folder, "table8", report)


def test_sentences(run, count):
    """Returns the first test sentences of at most ten words."""
    texts = [line for path in run.corpus.test for _, line in corpora.read_lines(path)]
    return [text for text in texts if 3 < len(text.split()) <= 10][:count]
