"""What to try next: KerasTuner's Bayesian optimisation, asked anew each time."""

import math
import warnings

from examples.tuning.space import Axis

RANDOM_PER_AXIS = 1  # trials at random; KerasTuner's 3 would leave few of 20 to guide
PENALTY = 1000.0  # nats: more than any two bounds differ by


def objective(bound: float, kl: float, min_kl: float) -> float:
    """Returns what the search minimises: the bound, of models that use z enough.

    Any other model is worse than all of those. Among such, the one whose KL is nearer
    to `min_kl` is better, since mostly they do not use z, and then a good bound leads
    nowhere; at the same KL, the one with the better bound. A trial that diverged is the
    worst.
    """
    if math.isnan(bound) or math.isnan(kl):
        return math.inf
    if kl >= min_kl:
        return bound
    return bound + PENALTY * (1.0 + min_kl - kl)


def suggest(
    axes: dict[str, Axis], past: list[tuple[dict, float | None]], seed: int
) -> dict[str, float]:
    """Returns the values of the next trial.

    All that it depends on are its arguments, so that a search that was killed goes on
    from the list of its trials. KerasTuner's own files would not do: the trial that
    ended last is still a running one in them, and would be repeated.

    Args:
        axes: what is searched.
        past: values and objective of each trial; None for the objective of one that
            still runs.
        seed: int. Seeds all that is random.

    Raises:
        ValueError: if KerasTuner is not installed.
    """
    tuner = oracle(axes, seed)
    ended = sorted(value for _, value in past if value is not None)
    if len(ended) >= tuner.num_initial_points:
        for number, (values, value) in enumerate(past):
            # Ranks, because penalties would dwarf all differences between bounds. A
            # trial that still runs is taken to be a middling one.
            score = len(ended) / 2 if value is None else ended.index(value)
            tuner.trials[f"{number}"] = _completed(axes, f"{number}", values, score)
    values = _values(tuner)
    return {name: axis.rounded(values[name]) for name, axis in axes.items()}


def oracle(axes: dict[str, Axis], seed: int = 0):
    """Returns KerasTuner's oracle that knows no trial yet.

    Raises:
        ValueError: if KerasTuner is not installed, or scikit-learn, which it needs.
    """
    try:
        import keras_tuner

        return keras_tuner.oracles.BayesianOptimizationOracle(
            keras_tuner.Objective("objective", "min"),
            num_initial_points=RANDOM_PER_AXIS * len(axes),
            hyperparameters=_hyperparameters(axes),
            seed=seed + 1,  # 0 would be none
        )
    except ImportError:
        raise ValueError(
            "The search needs KerasTuner: pip install keras_textvae[tune]"
        ) from None


def _values(tuner):
    """Returns what KerasTuner suggests."""
    from threadpoolctl import threadpool_limits  # scikit-learn brings it

    with (
        warnings.catch_warnings(action="ignore"),  # of fits that could be closer
        threadpool_limits(1),  # for matrices this small more cost five times as much
    ):
        return tuner.populate_space("next")["values"]


def _completed(axes, name, values, score):
    """Returns a trial of KerasTuner's that ended with a score."""
    from keras_tuner.engine.trial import Trial

    hyperparameters = _hyperparameters(axes)
    hyperparameters.values = dict(values)
    trial = Trial(hyperparameters, name, status="COMPLETED")
    trial.score = score
    return trial


def _hyperparameters(axes):
    """Returns the axes in KerasTuner's terms.

    They are all floats: its integers on a logarithmic scale can exceed the largest by
    one.
    """
    import keras_tuner

    hyperparameters = keras_tuner.HyperParameters()
    for name, axis in axes.items():
        sampling = "log" if axis.logarithmic else "linear"
        hyperparameters.Float(name, axis.low, axis.high, sampling=sampling)
    return hyperparameters
