"""What callbacks read of a model in training, on any backend."""

from typing import Any

import keras


def batches_seen(optimizer: Any) -> int:
    """Returns how many batches an optimizer has seen.

    `iterations` counts its updates, which are fewer where gradients accumulate.
    """
    of_batches = getattr(optimizer, "inner_optimizer", optimizer)  # it scales the loss
    count = next(v for v in of_batches.variables if v.name == "iteration")
    return int(number(count))


def number(scalar: keras.Variable | float) -> float:
    """Returns the value of a variable, of a strategy's too, or a number."""
    return float(keras.ops.convert_to_numpy(scalar))
