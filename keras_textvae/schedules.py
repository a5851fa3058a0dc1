"""Schedules: functions from a training step to the KL weight.

`geometric` is for the learning rate: a function from an epoch to its factor.
"""

import math
from collections.abc import Callable


def constant(value: float = 1.0) -> Callable[[int], float]:
    """step -> value. With 1, no annealing.

    To weigh the KL less throughout, use `beta` of `objectives.Objective`.

    Raises:
        ValueError: if `value` is negative.
    """
    if value < 0.0:
        raise ValueError(f"`value` must not be negative. Received: value={value}")
    return lambda step: value


def linear(start: int, end: int, floor: float = 0.0) -> Callable[[int], float]:
    """step -> floor until `start`, then in a straight line to 1 at `end`.

    Semeniuta et al. 2017 anneal their hybrid from step 1,000 to 8,000 with a floor of
    0.001.

    Args:
        start: int. The last step at the floor.
        end: int. The first step at 1.
        floor: float. The first weight.

    Raises:
        ValueError: if `end` does not lie after `start`, or `floor` outside [0, 1].

    >>> [linear(10, 20)(step) for step in (0, 10, 15, 20, 30)]
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    if end <= start:
        raise ValueError(
            f"`end` must be greater than `start`. Received: start={start}, end={end}"
        )
    if not 0.0 <= floor <= 1.0:
        raise ValueError(f"`floor` must lie in [0, 1]. Received: floor={floor}")

    def weight(step):
        share = min(max((step - start) / (end - start), 0.0), 1.0)
        return floor + (1.0 - floor) * share

    return weight


def sigmoid(midpoint: float, steepness: float) -> Callable[[int], float]:
    """step -> 1 / (1 + exp(-steepness * (step - midpoint))).

    Bowman et al. 2016, section 3.1 and figure 2.

    Args:
        midpoint: float. The step at which the weight is one half.
        steepness: float. Four times the slope at the midpoint, per step.

    Raises:
        ValueError: if `steepness` is not positive.

    >>> sigmoid(2500, 0.0025)(2500)
    0.5
    """
    if steepness <= 0.0:
        raise ValueError(
            f"`steepness` must be positive. Received: steepness={steepness}"
        )
    # tanh does not overflow, however large the step.
    return lambda step: 0.5 * (1.0 + math.tanh(0.5 * steepness * (step - midpoint)))


def geometric(last: int, factor: float) -> Callable[[int], float]:
    """epoch -> 1 until epoch `last`, counted from 0, then factor^(epoch - last).

    Raises:
        ValueError: if `factor` does not lie in (0, 1].

    >>> [geometric(2, 0.5)(epoch) for epoch in range(5)]
    [1.0, 1.0, 1.0, 0.5, 0.25]
    """
    if not 0.0 < factor <= 1.0:
        raise ValueError(f"`factor` must lie in (0, 1]. Received: factor={factor}")
    return lambda epoch: float(factor) ** max(epoch - last, 0)
