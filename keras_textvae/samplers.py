"""Samplers: logits [B, V], noise [B] -> ids [B].

B: batch size. V: vocabulary size. Noise is uniform in (0, 1], one number a row, so that
a row's id depends on its own logits and its own noise alone.
"""

import math
from collections.abc import Callable
from typing import Any

from keras import ops


def greedy(logits, noise):  # [B, V], [B] -> [B]
    """Returns the most probable id, the first of equals; `noise` plays no part."""
    # Three times as fast as `ops.argmax`, which treats negative zeros in five passes.
    return ops.cast(ops.top_k(logits, 1)[1][:, 0], "int32")


def categorical(
    temperature: float | Any = 1.0, top_k: int | Any = 0, top_p: float | Any = 1.0
) -> Callable:
    """Returns a sampler from softmax(logits / temperature), its tail cut off.

    The id is the first whose cumulative probability reaches the noise (inverse
    transform sampling). The arguments may be numbers. In a graph whose caller chooses
    them they may be tensors, scalar or [B], and then the caller checks their ranges.

    Args:
        temperature: float. Below 1 sharpens, above 1 flattens; 0 is `greedy`.
        top_k: int. Keep the k most probable ids of each row; 0 keeps all.
        top_p: float. Keep the smallest set of most probable ids of each row whose
            probability reaches p (nucleus sampling); 1 keeps all.

    Raises:
        ValueError: for a number out of its range.
    """
    _check(temperature, top_k, top_p)
    if not _is_on(temperature, off=0):
        return greedy

    def draw(logits, noise):
        # Within bounds that keep -inf / temperature what it is.
        divisor = ops.clip(ops.cast(temperature, "float32"), 1e-6, 1e6)
        logits = ops.cast(logits, "float32") / _column(divisor)
        if _is_on(top_k, off=0) or _is_on(top_p, off=1.0):
            truncating = ops.logical_or(
                ops.convert_to_tensor(top_k) > 0, ops.convert_to_tensor(top_p) < 1.0
            )
            logits = ops.cond(
                ops.any(truncating),
                lambda: truncate(logits, top_k, top_p),
                lambda: logits,
            )
        return inverse_cdf(logits, noise)

    def sampler(logits, noise):
        drawing = ops.convert_to_tensor(temperature) > 0
        ids = ops.cond(
            ops.any(drawing),
            lambda: draw(logits, noise),
            lambda: greedy(logits, noise),
        )
        if not drawing.shape:
            return ids
        return ops.where(drawing, ids, greedy(logits, noise))

    return sampler


def inverse_cdf(logits, noise):  # [B, V], [B] -> [B]
    """Returns the first id whose cumulative probability reaches `noise` in (0, 1].

    Raises:
        ValueError: without noise.
    """
    if noise is None:
        raise ValueError("A sampler that draws needs `noise`. Received: noise=None")
    # Cumulative sums are slow: one over blocks of about sqrt(V) ids, one in a block.
    size = math.isqrt(logits.shape[-1])
    count = math.ceil(logits.shape[-1] / size)
    padding = ((0, 0), (0, count * size - logits.shape[-1]))
    probabilities = ops.pad(ops.softmax(logits), padding)
    blocks = ops.reshape(probabilities, (-1, count, size))
    totals = ops.sum(blocks, axis=-1)
    threshold = noise[:, None] * ops.sum(totals, axis=-1, keepdims=True)
    block, before = _reaching(totals, threshold)
    ids = block * size + ops.arange(size, dtype="int32")  # [B, size]
    inside = ops.take_along_axis(probabilities, ids, axis=-1)
    place, _ = _reaching(inside, threshold - before)
    return (block * size + place)[:, 0]


def _reaching(weights, threshold):  # [B, N], [B, 1] -> [B, 1], [B, 1]
    """Finds the first place whose cumulative weight reaches `threshold`.

    Returns that place and the weight before it. A place without weight is never found.
    """
    cumulative = ops.cumsum(weights, axis=-1)
    # Parallel sums are not monotone to the last bit: an impossible id must not win.
    possible = ops.where(weights > 0, cumulative, -1.0)
    # Because of rounding, the threshold may lie beyond them all.
    greatest = ops.max(possible, axis=-1, keepdims=True, initial=0.0)
    reached = ops.cast(possible >= ops.clip(threshold, 0.0, greatest), "int32")
    place = ops.cast(ops.argmax(reached, axis=-1, keepdims=True), "int32")
    return place, ops.take_along_axis(cumulative - weights, place, axis=-1)


def truncate(logits, top_k: int | Any, top_p: float | Any):  # [B, V] -> [B, V]
    """Sets logits outside the top k and outside the nucleus p to minus infinity.

    Ids as probable as the last one kept are kept too. `top_k` and `top_p` are numbers,
    or [B].
    """
    descending = -ops.sort(-logits, axis=-1)
    size = logits.shape[-1]
    k, p = _column(ops.cast(top_k, "int32")), _column(ops.cast(top_p, "float32"))
    k = ops.where(ops.logical_and(k > 0, k < size), k, size)
    cumulative = ops.cumsum(ops.softmax(descending), axis=-1)
    before = ops.pad(cumulative[:, :-1], ((0, 0), (1, 0)))
    kept = ops.logical_and(
        ops.arange(size) < k,
        ops.logical_or(before < p, p >= 1.0),
    )
    last = ops.sum(ops.cast(kept, "int32"), axis=-1, keepdims=True) - 1
    smallest = ops.take_along_axis(descending, ops.maximum(last, 0), axis=-1)
    return ops.where(logits >= smallest, logits, -float("inf"))


def _column(values):  # [] or [B] -> [1, 1] or [B, 1]
    return ops.reshape(values, (-1, 1))


def _is_on(value, off):
    return not isinstance(value, int | float) or value != off


def _check(temperature, top_k, top_p):
    limits = {
        "temperature": (temperature, 0.0, float("inf")),
        "top_k": (top_k, 0, float("inf")),
        "top_p": (top_p, 0.0, 1.0),
    }
    for name, (value, low, high) in limits.items():
        if isinstance(value, int | float) and not low <= value <= high:
            raise ValueError(
                f"`{name}` must lie in [{low}, {high}]. Received: {name}={value}"
            )
