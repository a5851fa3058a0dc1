"""Paths between two points of the latent space, or two sets of points.

D: latent size. N, M: points of a set. On lines and arcs, points broadcast against
shares in every dimension but the last.
"""

from keras import ops


def line(first, last, share):  # [..., D], [..., D], [..., 1] -> [..., D]
    """Returns first * (1 - share) + last * share (Bowman et al. 2016, section 6.3)."""
    return first * (1.0 - share) + last * share


def arc(first, last, share):  # [..., D], [..., D], [..., 1] -> [..., D]
    """Returns the point at `share` of the angle between two (Shoemake 1985, slerp).

    first * sin((1 - share) a) / sin(a) + last * sin(share a) / sin(a). Halfway, a line
    between two draws from N(0, I) in many dimensions is far nearer to the origin than
    any draw is; the arc is not. Where the angle does not determine an arc (points in
    the same or in opposite directions, or the origin), it is the line.
    """
    cosine = ops.sum(first * last, axis=-1, keepdims=True)
    length = ops.norm(first, axis=-1, keepdims=True)
    length = length * ops.norm(last, axis=-1, keepdims=True)
    cosine = ops.clip(cosine / ops.maximum(length, 1e-12), -1.0, 1.0)
    parallel = ops.logical_or(ops.abs(cosine) > 1.0 - 1e-6, length == 0.0)
    angle = ops.arccos(ops.where(parallel, 0.0, cosine))
    weighted = first * ops.sin((1.0 - share) * angle) + last * ops.sin(share * angle)
    return ops.where(parallel, line(first, last, share), weighted / ops.sin(angle))


def offset(first, last):  # [N, D], [M, D] -> [D]
    """Returns mean(last) - mean(first), the way from one set of points to another.

    z + k * offset is the arithmetic of Shen et al. 2020, section 5.3: the larger k, the
    more a text turns from the kind of `first` into that of `last`.
    """
    return ops.mean(last, axis=0) - ops.mean(first, axis=0)
