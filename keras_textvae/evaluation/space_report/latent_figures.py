"""The figures that need no text: likelihood, use of z, holes.

N: sentences. T: time, `<bos>` included. D: latent size. Nats are per sentence.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from keras_textvae.evaluation.bound import evaluate_bound
from keras_textvae.evaluation.importance import importance_weighted_nll
from keras_textvae.evaluation.latent import (
    active_units,
    kl_per_dimension,
    mutual_information,
    posterior_samples,
)
from keras_textvae.evaluation.space_report.figures import (
    Holes,
    ImportanceWeighted,
    Likelihood,
    Scatter,
    Use,
)
from keras_textvae.evaluation.space_report.holes import kl_of_moments, share_outside
from keras_textvae.tokens import EOS, PAD, UNK

if TYPE_CHECKING:
    from keras_textvae.models import TextVAE

ROWS = 64  # of a batch
WEIGHTED = 500  # sentences of the importance-weighted bound
COMPARED = 4000  # posteriors that are compared with the prior's draws
VERY_ACTIVE = 0.2
PLOTTED = 2000  # sentences in a plot


class LatentFigures:
    """What a model makes of sentences in its latent space.

    Args:
        model: `models.TextVAE`.
        ids: int32 [N, T], in an order that says nothing of the sentences.
        seed: int. Of all noise.
        missing: dict, to which the reason of each figure that there is not is added.
    """

    def __init__(
        self,
        model: "TextVAE",
        ids: np.ndarray,
        seed: int,
        missing: dict[str, str],
    ):
        self.model = model
        self.ids = ids
        self.seed = seed
        self.missing = missing
        self.bound = evaluate_bound(model, near_equal(ids), seed)

    def likelihood(self, samples: int, verbose: int = 0) -> Likelihood:
        """Returns the bound, and with S samples the importance-weighted one."""
        predicted = (self.ids[:, 1:] != PAD) & (self.ids[:, 1:] != EOS)
        unknown = np.sum(self.ids[:, 1:] == UNK) / max(np.sum(predicted), 1)
        weighted = None
        if samples:
            weighted = self._or_none(
                "importance-weighted NLL", lambda: self._weighted(samples, verbose)
            )
        bound = self.bound
        return Likelihood(*bound, bound.perplexity, float(unknown), weighted)

    def _weighted(self, samples, verbose):
        batches = near_equal(self.ids[:WEIGHTED])
        found = importance_weighted_nll(
            self.model, batches, samples, seed=self.seed, verbose=verbose
        )
        bound = evaluate_bound(self.model, batches, self.seed).bound
        rows = len(self.ids[:WEIGHTED])
        return ImportanceWeighted(rows, samples, found.bound, bound)

    def use(self) -> Use:
        """Returns how much of z is used."""
        model, batches = self.model, near_equal(self.ids)
        units = active_units(model, batches)
        return Use(
            model.latent_dim,
            units.count,
            int(np.sum(units.variances > VERY_ACTIVE)),
            units.variances,
            self._or_none(
                "KL by dimension", lambda: kl_per_dimension(model, batches, self.seed)
            ),
            self._or_none(
                "mutual information",
                lambda: mutual_information(model, batches, self.seed),
            ),
            math.log(len(self.ids)),
        )

    def holes(self, use: Use, mean: np.ndarray, log_var: np.ndarray | None) -> Holes:
        """Returns how far the aggregated posterior is from the prior.

        Args:
            use: what `use` returned.
            mean, log_var: float32 [N, D], the posteriors; `log_var` is None unless they
                are Gaussian.
        """
        if log_var is None:
            z = posterior_samples(self.model, near_equal(self.ids), self.seed)
            self.missing["holes"] = "the posteriors are not Gaussian"
            return Holes(kl_of_moments(z, np.zeros_like(z)), None, None)
        mean, log_var = mean.astype("float64"), log_var.astype("float64")
        outside = None
        if len(mean) > 1:
            some = slice(COMPARED)
            outside = share_outside(mean[some], log_var[some], self.seed)
        at_most = None
        if use.mutual_information is not None:
            at_most = self.bound.kl - use.mutual_information
        return Holes(kl_of_moments(mean, np.exp(log_var)), at_most, outside)

    def _or_none(self, name: str, compute: Callable):
        """Returns a figure; or None, and keeps the reason why there is none."""
        try:
            return compute()
        except ValueError as error:
            self.missing[name] = str(error)
            return None


def scatter(
    mean: np.ndarray, kl: np.ndarray, lengths: list[int], labels: list[str] | None
) -> Scatter:
    """Returns what plots show.

    Args:
        mean: float32 [N, D].
        kl: float32 [N].
        lengths: list of N int.
        labels: list of N str, or None.
    """
    mean = np.asarray(mean, "float64")
    center = np.mean(mean, axis=0)
    _, spread, axes = np.linalg.svd(mean - center, full_matrices=False)
    axes = np.pad(axes[:2], ((0, 2 - len(axes[:2])), (0, 0)))  # [2, D]
    variances = spread**2
    return Scatter(
        np.asarray(lengths[:PLOTTED]),
        kl[:PLOTTED],
        (mean[:PLOTTED] - center) @ axes.T,
        -center @ axes.T,
        float(np.sum(variances[:2]) / max(np.sum(variances), 1e-300)),
        labels and labels[:PLOTTED],
    )


def near_equal(ids: np.ndarray) -> list[np.ndarray]:
    """Returns ids [N, T] in batches of near-equal lengths, without needless padding."""
    lengths = np.sum(ids != PAD, axis=1)
    order = np.argsort(lengths, kind="stable")
    parts = [order[start : start + ROWS] for start in range(0, len(order), ROWS)]
    return [ids[rows, : np.max(lengths[rows])] for rows in parts]
