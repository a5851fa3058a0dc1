"""Schedules: functions from a training step to the KL weight.

`geometric` and `restarted` are for the learning rate: from an epoch to its factor.
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

    Examples:
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

    Examples:
        >>> sigmoid(2500, 0.0025)(2500)
        0.5
    """
    if steepness <= 0.0:
        raise ValueError(
            f"`steepness` must be positive. Received: steepness={steepness}"
        )
    # tanh does not overflow, however large the step.
    return lambda step: 0.5 * (1.0 + math.tanh(0.5 * steepness * (step - midpoint)))


def cyclical(
    period: float, cycles: float = 4, rising: float = 0.5
) -> Callable[[int], float]:
    """step -> from 0 in a straight line to 1 and on at 1, again and again; then 1.

    Fu et al. 2019, section 4, where training has 4 cycles, half of each rising.

    Args:
        period: float. The steps of a cycle.
        cycles: float. How many there are.
        rising: float. The share of a cycle in which the weight rises.

    Raises:
        ValueError: if `period` or `cycles` is not positive, or `rising` not in (0, 1].

    Examples:
        >>> [cyclical(4, cycles=2)(step) for step in range(10)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0]
    """
    for name, value in {"period": period, "cycles": cycles}.items():
        if not value > 0.0:
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}")
    if not 0.0 < rising <= 1.0:
        raise ValueError(f"`rising` must lie in (0, 1]. Received: rising={rising}")

    def weight(step):
        if step >= cycles * period:
            return 1.0
        return min(step % period / (rising * period), 1.0)

    return weight


def geometric(last: int, factor: float) -> Callable[[int], float]:
    """epoch -> 1 until epoch `last`, counted from 0, then factor^(epoch - last).

    Raises:
        ValueError: if `factor` does not lie in (0, 1].

    Examples:
        >>> [geometric(2, 0.5)(epoch) for epoch in range(5)]
        [1.0, 1.0, 1.0, 0.5, 0.25]
    """
    if not 0.0 < factor <= 1.0:
        raise ValueError(f"`factor` must lie in (0, 1]. Received: factor={factor}")
    return lambda epoch: float(factor) ** max(epoch - last, 0)


def restarted(period: int, last: int, factor: float) -> Callable[[int], float]:
    """epoch -> `geometric(last, factor)`, begun anew every `period` epochs.

    Fu et al. 2019 restart the learning rate with each cycle of the KL weight, see
    `cyclical`.

    Raises:
        ValueError: if `period` is not positive, and as `geometric` does.

    Examples:
        >>> [restarted(3, 1, 0.5)(epoch) for epoch in range(5)]
        [1.0, 1.0, 0.5, 1.0, 1.0]
    """
    if period < 1:
        raise ValueError(f"`period` must be positive. Received: period={period}")
    decay = geometric(last, factor)
    return lambda epoch: decay(epoch % period)
