"""The schedule of the KL's weight."""

from collections.abc import Callable

import keras

from keras_textvae.callbacks.readings import batches_seen, number


class KLAnnealing(keras.callbacks.Callback):
    """Sets `model.kl_weight` to `schedule(step)` before each batch.

    A step is a batch, whether or not the optimizer accumulates gradients over several.
    The first of an epoch is as many as the optimizer has seen, so that a resumed run
    continues its schedule. With `steps_per_execution` above 1 the weight moves once per
    execution.

    Args:
        schedule: step -> weight. See `schedules`.
    """

    def __init__(self, schedule: Callable[[int], float]):
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: dict | None = None):
        self._first = batches_seen(self.model.optimizer)
        self._weight = None

    def on_train_batch_begin(self, batch: int, logs: dict | None = None):
        weight = self.schedule(self._first + batch)
        if weight != self._weight:
            # On JAX, where a fit keeps the values to itself, `self.model` has them back
            # first: some host time at each step, no wait for the device.
            self.model.kl_weight.assign(weight)
            self._weight = weight

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        if logs is not None:
            logs["kl_weight"] = number(self.model.kl_weight)
