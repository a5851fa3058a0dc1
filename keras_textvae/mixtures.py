"""Gaussian mixtures: a density of z that is fitted once a model is trained.

B: rows. D: latent size. K: components. N: points. Densities are in nats.
"""

import dataclasses
import importlib.util
import math
import warnings
from typing import Self

import numpy as np
from keras import ops

# Added to every variance, as scikit-learn does: a constant dimension has a density too.
FLOOR = 1e-6


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianMixture:
    """p(z) = sum_k weights_k N(z; means_k, factors_k factors_k^T).

    Fitted to draws from the posteriors of a trained model, it is what they really fill,
    which N(0, I) need not be: the ex-post density estimation of Ghosh et al. 2020,
    *From Variational to Deterministic Autoencoders*, section 4. It is for sampling; the
    bound on the likelihood stays that of the prior.

    Args:
        weights: float32 [K], whose sum is 1; an array, or a tensor like the others.
        means: float32 [K, D].
        factors: float32 [K, D, D], the covariances' Cholesky factors.

    Raises:
        ValueError: for shapes that don't fit each other.
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    def __post_init__(self):
        shapes = [tuple(part.shape) for part in vars(self).values()]
        components, size = shapes[1] if len(shapes[1]) == 2 else (0, 0)
        expected = [(components,), (components, size), (components, size, size)]
        if shapes != expected or not components:
            raise ValueError(
                "A mixture has weights [K], means [K, D] and factors [K, D, D]. "
                f"Received: shapes {', '.join(map(str, shapes))}"
            )

    @property
    def components(self) -> int:
        """K."""
        return self.means.shape[0]

    @property
    def latent_dim(self) -> int:
        """D."""
        return self.means.shape[1]

    @classmethod
    def fit(cls, z, components: int = 1, seed: int = 0) -> Self:
        """Fits a mixture to points [N, D] by maximum likelihood.

        One component is their mean and covariance. More are found by scikit-learn's
        EM, at most 100 steps from k-means, with full covariances.

        Args:
            z: float [N, D].
            components: int. K.
            seed: int. Of k-means.

        Raises:
            ValueError: for no matrix of finite numbers; as `check_fit`.
        """
        z = np.asarray(z, "float64")
        if z.ndim != 2 or not np.all(np.isfinite(z)):
            raise ValueError(f"Points are finite numbers [N, D]. Received: {_seen(z)}")
        check_fit(*z.shape, components)
        fitted = _of_one(z) if components == 1 else _of_many(z, components, seed)
        weights, means, covariances = fitted
        parts = weights, means, np.linalg.cholesky(covariances)
        return cls(*(part.astype("float32") for part in parts))

    def scaled(self, scale: float) -> Self:
        """Returns the mixture with its components' standard deviations times `scale`.

        Raises:
            ValueError: if it is not positive.
        """
        if not 0 < scale < math.inf:
            raise ValueError(f"`scale` is positive. Received: scale={scale}")
        return dataclasses.replace(self, factors=self.factors * np.float32(scale))

    def sample(self, noise, uniform):  # [B, D], [B] -> [B, D]
        """Turns standard normal noise into draws: means_k + factors_k noise.

        The component k of a row is where `uniform`, in [0, 1), falls among the summed
        weights. In memory there are B K D numbers.
        """
        components, size = self.components, self.latent_dim
        ends = ops.cumsum(self.weights)[:-1]
        chosen = ops.sum(ops.cast(uniform[:, None] >= ends, "int32"), axis=1)  # [B]
        # All components' draws, then one a row: to gather a factor a row takes more.
        columns = ops.reshape(ops.transpose(self.factors, (2, 0, 1)), (size, -1))
        moved = ops.reshape(ops.matmul(noise, columns), (-1, size))  # [B K, D]
        rows = ops.arange(ops.shape(noise)[0], dtype="int32") * components + chosen
        return ops.take(self.means, chosen, axis=0) + ops.take(moved, rows, axis=0)

    def log_prob(self, z) -> np.ndarray:  # [B, D] -> [B]
        """Returns log p(z), float64, by NumPy."""
        weights, means, factors = (
            part.astype("float64") for part in vars(self).values()
        )
        centred = np.swapaxes(np.asarray(z, "float64") - means[:, None], 1, 2)
        whitened = np.linalg.solve(factors, centred)  # [K, D, B]
        log_det = np.sum(np.log(np.diagonal(factors, axis1=1, axis2=2)), axis=1)  # [K]
        constant = self.latent_dim * math.log(2 * math.pi) / 2
        log_normal = -0.5 * np.sum(whitened**2, axis=1) - log_det[:, None] - constant
        with np.errstate(divide="ignore"):  # a component of weight 0
            return np.logaddexp.reduce(np.log(weights)[:, None] + log_normal, axis=0)


def check_fit(points: int, latent_dim: int, components: int):
    """Checks that a mixture can be fitted, before there is anything to fit it to.

    Args:
        points: int. N; more than D, and at least K.
        latent_dim: int. D.
        components: int. K.

    Raises:
        ValueError: if it can't, or scikit-learn, which more than one component needs,
            is not installed.
    """
    if not isinstance(components, int | np.integer) or components < 1:
        raise ValueError(
            f"`components` is an int, positive. Received: components={components!r}"
        )
    if points <= latent_dim or points < components:
        raise ValueError(
            "A density needs more points than dimensions, and as many as components. "
            f"Received: {points} points, {latent_dim} dimensions, "
            f"components={components}"
        )
    if components > 1 and importlib.util.find_spec("sklearn") is None:
        raise ValueError(
            "A density of more than one component needs scikit-learn: "
            "pip install keras_textvae[density]"
        )


def _of_one(z):  # [N, D] -> [1], [1, D], [1, D, D]
    mean = np.mean(z, axis=0)
    covariance = (z - mean).T @ (z - mean) / len(z) + FLOOR * np.eye(z.shape[1])
    return np.ones(1), mean[None], covariance[None]


def _of_many(z, components, seed):  # [N, D] -> [K], [K, D], [K, D, D]
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture as Mixture

    mixture = Mixture(components, reg_covar=FLOOR, random_state=seed)
    with warnings.catch_warnings():  # so many steps are enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(z)
    return mixture.weights_, mixture.means_, mixture.covariances_


def _seen(z):
    if z.ndim != 2:
        return f"shape {z.shape}"
    return f"{z.size - np.count_nonzero(np.isfinite(z))} of {z.size} that are not"
