"""Schedules: exact values, ends, and errors."""

import doctest
import math

import pytest

from keras_textvae import schedules


def test_constant():
    assert [schedules.constant()(step) for step in (0, 10**9)] == [1.0, 1.0]
    assert schedules.constant(0.3)(7) == 0.3


@pytest.mark.parametrize(
    ("step", "weight"),
    [(0, 0.001), (1000, 0.001), (4500, 0.5005), (8000, 1.0), (10**9, 1.0)],
)
def test_linear_is_the_hybrids_annealing(step, weight):
    assert schedules.linear(1000, 8000, 0.001)(step) == pytest.approx(weight, rel=1e-12)


def test_linear_never_falls_and_stays_between_floor_and_one():
    schedule = schedules.linear(3, 17, 0.2)
    weights = [schedule(step) for step in range(25)]
    assert weights == sorted(weights)
    assert weights[:4] == [0.2] * 4
    assert weights[17:] == [1.0] * 8
    assert weights[10] == pytest.approx(0.6)


def test_linear_from_the_first_step():
    assert [schedules.linear(0, 4)(step) for step in range(5)] == [
        0,
        0.25,
        0.5,
        0.75,
        1,
    ]


@pytest.mark.parametrize("step", [0, 1000, 2500, 2501, 5000])
def test_sigmoid_is_the_logistic_function(step):
    expected = 1 / (1 + math.exp(-0.0025 * (step - 2500)))
    assert schedules.sigmoid(2500, 0.0025)(step) == pytest.approx(expected, rel=1e-9)


def test_sigmoid_is_symmetric_and_does_not_overflow():
    schedule = schedules.sigmoid(100, 2.0)
    assert schedule(100) == 0.5
    assert schedule(99) + schedule(101) == pytest.approx(1.0)
    assert schedule(-(10**9)) == 0.0
    assert schedule(10**9) == 1.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: schedules.linear(10, 10), "Received: start=10, end=10"),
        (lambda: schedules.linear(10, 5), "`end` must be greater than `start`"),
        (lambda: schedules.sigmoid(10, 0.0), "Received: steepness=0.0"),
        (lambda: schedules.sigmoid(10, -1.0), "`steepness` must be positive"),
    ],
)
def test_arguments_are_checked(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_cyclical_rises_in_each_cycle_and_ends_at_one():
    schedule = schedules.cyclical(8, cycles=3, rising=0.25)
    cycle = [0.0, 0.5, *[1.0] * 6]
    assert [schedule(step) for step in range(30)] == [*cycle * 3, *[1.0] * 6]
    whole = [schedules.cyclical(4, 1, rising=1.0)(step) for step in range(6)]
    assert whole == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]


def test_a_learning_rate_is_restarted_with_each_cycle():
    factor = schedules.restarted(4, 1, 0.5)
    assert [factor(epoch) for epoch in range(9)] == [*[1.0, 1.0, 0.5, 0.25] * 2, 1.0]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: schedules.cyclical(0),
            "`period` must be positive. Received: period=0",
        ),
        (lambda: schedules.cyclical(9, 0), "`cycles` must be positive"),
        (lambda: schedules.cyclical(9, 4, 0.0), r"in \(0, 1\]. Received: rising=0.0"),
        (lambda: schedules.cyclical(9, 4, 1.5), r"in \(0, 1\]. Received: rising=1.5"),
        (lambda: schedules.restarted(0, 1, 0.5), "`period` must be positive"),
    ],
)
def test_cycles_are_checked(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_the_examples_in_the_docstrings_hold():
    results = doctest.testmod(schedules)
    assert results.attempted >= 2
    assert results.failed == 0


def test_weights_out_of_range_are_refused():
    with pytest.raises(ValueError, match="not be negative. Received: value=-1"):
        schedules.constant(-1)
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]. Received: floor=2"):
        schedules.linear(0, 10, floor=2)


def test_geometric_is_the_hybrids_learning_rate():
    # x 0.95 every 1,000 iterations from iteration 20,000 to 100,000: 81 times.
    factor = schedules.geometric(19, 0.95)
    assert [factor(epoch) for epoch in (0, 19, 20, 21)] == [1.0, 1.0, 0.95, 0.95**2]
    assert factor(100) == pytest.approx(0.95**81)


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.5])
def test_geometric_never_grows(factor):
    with pytest.raises(ValueError, match="must lie in"):
        schedules.geometric(1, factor)
