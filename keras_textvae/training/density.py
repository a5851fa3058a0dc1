"""The density that a run fits to its best model's posteriors, once it is trained."""

import itertools
import math
from typing import TYPE_CHECKING

from keras_textvae import space_files
from keras_textvae.evaluation import posterior_samples
from keras_textvae.mixtures import GaussianMixture, check_fit

if TYPE_CHECKING:
    from keras_textvae.training import Run

MOST = 20_000  # sentences, or crops, that it is fitted to


def check(run: "Run"):
    """Checks that the density of a run's recipe is there or could be fitted now.

    Raises:
        ValueError: for a model that writes no texts of z, too few training sentences, a
            missing scikit-learn, or no components of a density to sample from.
    """
    wanted = run.recipe.density
    if not wanted.components:
        if wanted.fitted:
            raise ValueError("A density to sample from needs `components`. Received: 0")
        return
    if not wanted.density_scale > 0:
        raise ValueError(
            "`density_scale` is positive. "
            f"Received: density_scale={wanted.density_scale}"
        )
    if not (run.model.latent_dim and run.model.decoder.ordered):
        kind = run.recipe.model.architecture
        raise ValueError(
            "A density needs a model that writes texts of z. Received: "
            f"architecture={kind!r}"
        )
    density, _ = space_files.load_density(run.path("best"))
    if density and density.components == wanted.components:
        return
    points = len(_batches(run)) * run.recipe.data.batch_size
    if run.recipe.text.form == "sentence":
        points = run.corpus.train.sentences
    check_fit(min(points, MOST), run.model.latent_dim, wanted.components)


def fit(run: "Run"):
    """Brings the density beside a finished run's best model to what its recipe says."""
    wanted, folder = run.recipe.density, run.path("best")
    density, fitted = space_files.load_density(folder)
    if not wanted.components:
        space_files.remove_density(folder)
        return
    if density is None or density.components != wanted.components:
        steps = math.ceil(MOST / run.recipe.data.batch_size)
        sentences = itertools.islice(_batches(run), steps)
        z = posterior_samples(
            run.best_model(), sentences, run.seed, wanted.density_noise
        )[:MOST]
        density = GaussianMixture.fit(z, wanted.components, run.seed)
        density = density.scaled(wanted.density_scale)
    elif fitted == wanted.fitted:
        return
    space_files.save_density(folder, density, wanted.fitted)


def _batches(run):
    """Returns a pass over the training sentences or crops, in a random order."""
    return run.corpus.train.batches(
        run.recipe.data.batch_size,
        shuffle=True,
        seed=run.seed,
        bucket_width=run.recipe.data.bucket_width,
    )
