"""Tables 1, 6, 7, 8 and 10 of Bowman et al. 2016: what is where in the latent space."""

import numpy as np

from examples import experiments
from examples.bowman2016.scales import changed
from examples.bowman2016.word_dropout import fiction_trial
from examples.experiments import Trial, markdown
from keras_textvae import corpora, posteriors
from keras_textvae.paths import line

RANGE = 0.1  # of the elements of table 6's matrix, the paper's c
SHOWN = 10
PAIRS = 4
STEPS = 8


def vae(scale, settings):
    """Returns the trained VAE on fiction, keep rate 0.75."""
    (run,) = trained([fiction_trial(scale, 0.75)], settings)
    return run


def trained(trials, settings):
    """Trains what is not trained yet, side by side; returns the runs."""
    experiments.train_all(trials, settings)
    return [experiments.load_run(trial, settings) for trial in trials]


def table6(scale, settings):
    """Samples from where the prior is low, decoded greedily."""
    space = vae(scale, settings).best()
    size, rng = space.model.latent_dim, np.random.default_rng(0)
    z = rng.normal(size=(SHOWN, size)).astype("float32")
    matrix, c = stretching(size, rng)
    points = {
        f"stretched, c = {c:.2f}": z @ matrix.T,
        f"c = {RANGE}": z @ (RANGE / c * matrix).T,
        "z itself": z,
    }
    columns, means = [], []
    for drawn in points.values():
        densities = np.asarray(posteriors.log_prob(drawn, 0.0, 0.0))
        columns += [[f"{density:.1f}" for density in densities], space.decode(drawn)]
        means.append(f"{np.mean(densities):.1f}")
    singular = np.linalg.svd(matrix, compute_uv=False)
    text = (
        "z from the prior, multiplied by a random matrix with elements uniform in +-c. "
        f"With {size} dimensions c = {c:.2f} preserves volume, as the paper's {RANGE} "
        "does about, in its number of dimensions, and stretches by "
        f"{singular[-1]:.2f} to {singular[0]:.2f} (the paper: up to 4); {RANGE} "
        "shrinks z here. Beside both the sentence of z itself. log p(z) in nats, means "
        f"{', '.join(means)}.\n\n"
    )
    header = [heading for name in points for heading in ("log p(z)", name)]
    table = markdown(header, zip(*columns, strict=True))
    experiments.save_report(settings.folder, "table6", text + table)


def stretching(size, rng):  # -> [D, D], []
    """Returns a random matrix that preserves volume, and c: it is uniform in +-c."""
    matrix = rng.uniform(-1.0, 1.0, (size, size))
    _, log_det = np.linalg.slogdet(matrix)
    c = np.exp(-log_det / size)
    return (c * matrix).astype("float32"), float(c)


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
    """Paths between sentences: the VAE's beside the autoencoder's (tables 1, 8, 10).

    There are also paths between random points of the VAE's space.
    """
    autoencoder = changed("bowman2016-fiction-autoencoder", scale)
    trials = [fiction_trial(scale, 0.75), Trial("fiction/autoencoder", autoencoder)]
    runs = dict(zip(("VAE", "autoencoder"), trained(trials, settings), strict=True))
    texts = test_sentences(runs["VAE"], 2 * PAIRS)
    spaces = {name: run.best() for name, run in runs.items()}
    report = (
        f"The first {PAIRS} pairs of test sentences of fiction, {STEPS} points between "
        "their codes, ends included, decoded greedily.\n\n"
    )
    for start, end in zip(texts[::2], texts[1::2], strict=True):
        paths_between = {
            f"{name}, {kind}": space.interpolate(start, end, STEPS, kind == "arc")
            for kind in ("line", "arc")
            for name, space in spaces.items()
        }
        report += f"**{start}** → **{end}**\n\n{side_by_side(paths_between)}\n\n"
    paths_between = {
        f"path {number}": path
        for number, path in enumerate(random_paths(spaces["VAE"]), start=1)
    }
    report += f"Between random points of the VAE:\n\n{side_by_side(paths_between)}"
    experiments.save_report(settings.folder, "table8", report)


def random_paths(space) -> list[list[str]]:
    """Returns the sentences on lines between draws from the prior."""
    rng = np.random.default_rng(0)
    shape = (PAIRS, 1, space.model.latent_dim)
    first, last = rng.normal(size=(2, *shape)).astype("float32")
    share = np.linspace(0.0, 1.0, STEPS, dtype="float32")[:, None]
    return [space.decode(path) for path in line(first, last, share)]


def side_by_side(columns: dict[str, list[str]]) -> str:
    """Returns paths as a table, a column each."""
    return markdown([*columns], zip(*columns.values(), strict=True))


def test_sentences(run, count):
    """Returns the first test sentences of at most ten words."""
    texts = [
        line for path in run.corpus.files.test for _, line in corpora.read_lines(path)
    ]
    return [text for text in texts if 3 < len(text.split()) <= 10][:count]
