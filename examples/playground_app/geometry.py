"""Plane geometry of a latent space, in NumPy.

N: points. D: latent size.
"""

from typing import NamedTuple

import numpy as np


class Plane(NamedTuple):
    """Points as seen in the plane in which they vary most.

    Attributes:
        points: float [N, 2].
        shares: float [2], of the variance of all dimensions that each axis has.
    """

    points: np.ndarray
    shares: np.ndarray


def plane(points: np.ndarray) -> Plane:  # [N, D]
    """Projects points on their first two principal components.

    The largest coefficient of a component is positive. A space of one dimension, or
    points that are all alike, have coordinates of zero.
    """
    points = np.asarray(points, np.float64)
    centred = points - points.mean(axis=0)
    variances, components = np.linalg.eigh(centred.T @ centred)  # ascending
    variances = variances[:-3:-1].clip(0.0)  # [2]
    components = components[:, :-3:-1]  # [D, 2]
    largest = np.abs(components).argmax(axis=0)
    components *= np.sign(components[largest, np.arange(len(largest))])
    projected, shares = np.zeros((len(points), 2)), np.zeros(2)
    projected[:, : len(variances)] = centred @ components
    total = np.square(centred).sum()
    shares[: len(variances)] = variances / total if total else 0.0
    return Plane(projected, shares)


def cosines(points: np.ndarray, point: np.ndarray) -> np.ndarray:  # [N, D], [D] -> [N]
    """Returns the cosine of each point's angle to one; 0 where either is the origin."""
    lengths = np.linalg.norm(points, axis=1) * np.linalg.norm(point)
    products = points @ point
    return np.divide(products, lengths, np.zeros_like(products), where=lengths > 0.0)


def widest(points: np.ndarray, count: int) -> np.ndarray:  # [N, D] -> [count]
    """Returns the dimensions of the largest variance, the largest first."""
    return np.argsort(-points.var(axis=0), kind="stable")[:count]
