"""Callbacks: the KL weight's schedule, and runs that survive being killed."""

import csv
import json
import os
import zipfile
import zlib
from collections.abc import Callable

import keras
import numpy as np

from keras_textvae.atomic_files import replacing

ANNEALED = 0.9  # the KL weight from which on the KL counts nearly as in the bound


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
        self._first = _batches_seen(self.model.optimizer)
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
            logs["kl_weight"] = _number(self.model.kl_weight)


class CollapseWarning(keras.callbacks.Callback):
    """Prints a line, once a training, where the latent space stays nearly empty.

    That is where the validation's KL, or without one the training's, is below `least`
    after an epoch at whose end the KL weight has passed `ANNEALED`. A posterior without
    a prior, whose KL is exactly zero, and a language model are let be.

    Args:
        least: float, nats per sentence.
    """

    def __init__(self, least: float = 0.5):
        super().__init__()
        self.least = least

    def on_train_begin(self, logs: dict | None = None):
        self._warned = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        logs = logs or {}
        kl = logs.get("val_kl", logs.get("kl", 0.0))
        annealed = logs.get("kl_weight", 1.0) > ANNEALED
        if self._warned or not annealed or not 0.0 < kl < self.least:
            return
        self._warned = True
        print(
            f"warning: the latent space is nearly empty: KL {kl:.2f} nats. Try a lower "
            "--beta or --model=keep_rate, --free_bits=8, or "
            "--model=posterior=batch_normalized.",
            flush=True,
        )


class RunHistory(keras.callbacks.Callback):
    """Keeps one row of figures per epoch, and acts on the validation's objective.

    Epochs are compared by `val_objective`, or by `val_loss` if the model has no such
    metric. When it is the best so far, `on_best` is called; after `patience` epochs in
    a row without a better one training stops. As soon as the KL weight has passed one
    half, the epochs before no longer count: they were trained for something else.

    All of its state is `rows`, which `TrainingCheckpoint` saves and restores: a resumed
    run decides as an uninterrupted one.

    Args:
        on_best: called without arguments at each new best epoch.
        patience: int or None. None never stops early.
    """

    def __init__(self, on_best: Callable[[], object], patience: int | None = None):
        super().__init__()
        self.on_best = on_best
        self.patience = patience
        self.rows = []

    @property
    def epochs_since_best(self) -> int:
        """Epochs since the best validation, 0 if it is the last one."""
        rows = [row for row in self.rows if _is_annealed(row)] or self.rows
        values = [row.get("val_objective", row["val_loss"]) for row in rows]
        values = np.nan_to_num(values, nan=np.inf)
        return len(values) - 1 - int(np.argmin(values)) if len(values) else 0

    @property
    def out_of_patience(self) -> bool:
        """Whether to stop: annealed, and `patience` epochs without a new best."""
        annealed = bool(self.rows) and _is_annealed(self.rows[-1])
        return bool(
            self.patience and annealed and self.epochs_since_best >= self.patience
        )

    def write(self, path: str | os.PathLike):
        """Rewrites a table of the rows, CSV: no row is lost or doubled."""
        if not self.rows:
            return
        with (
            replacing(path) as partial,
            open(partial, "w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self.rows[0], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        if not logs or "val_loss" not in logs:
            raise ValueError("`RunHistory` needs `fit(..., validation_data=...)`.")
        row = {"epoch": epoch + 1} | {name: float(x) for name, x in logs.items()}
        # A language model has no KL to anneal.
        row.setdefault("kl_weight", _number(getattr(self.model, "kl_weight", 1.0)))
        row["learning_rate"] = _number(self.model.optimizer.learning_rate)
        self.rows.append(row)
        if self.epochs_since_best == 0:
            self.on_best()
        if self.out_of_patience:
            self.model.stop_training = True


class TrainingCheckpoint(keras.callbacks.Callback):
    """Saves all that training depends on at the end of each epoch, in one file.

    The model's weights, moving averages and random states; the optimizer's slots,
    iterations and learning rate; the history. The file is replaced whole, so a kill at
    any moment leaves the last epoch's.

    Args:
        path: of the file, `.npz`.
        history: `RunHistory`. It must stand before this callback in `fit`'s list.
    """

    def __init__(self, path: str | os.PathLike, history: RunHistory):
        super().__init__()
        self.path = os.fspath(path)
        self.history = history

    def restore(self, model: keras.Model) -> int:
        """Restores a built and compiled model; returns the number of epochs done.

        Raises:
            ValueError: if the file is damaged, or of another model.
        """
        if not os.path.exists(self.path):
            return 0
        variables, saved = _variables(model), _read(self.path)
        history = saved.pop("history")
        if [*saved] != [f"{i}" for i in range(len(variables))] or any(
            array.shape != tuple(variable.shape)
            for array, variable in zip(saved.values(), variables, strict=True)
        ):
            raise ValueError(f"{self.path} is not a checkpoint of this model.")
        for array, variable in zip(saved.values(), variables, strict=True):
            variable.assign(array)
        self.history.rows = json.loads(str(history))
        return len(self.history.rows)

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        arrays = {f"{i}": v for i, v in enumerate(map(_numpy, _variables(self.model)))}
        with replacing(self.path) as partial:
            np.savez(partial, history=json.dumps(self.history.rows), **arrays)


def _is_annealed(row):
    return row["kl_weight"] > 0.5


def _batches_seen(optimizer):
    """Returns how many batches an optimizer has seen.

    `iterations` counts its updates, which are fewer where gradients accumulate.
    """
    of_batches = getattr(optimizer, "inner_optimizer", optimizer)  # it scales the loss
    count = next(v for v in of_batches.variables if v.name == "iteration")
    return int(_number(count))


def _read(path):
    """Returns all arrays of an `.npz` file, by name."""
    try:
        with np.load(path) as saved:
            return {name: saved[name] for name in ("history", *saved.files)}
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError) as error:
        raise ValueError(
            f"{path} is broken ({error}): training cannot go on from it. Keep the best "
            "model elsewhere and delete the folder to begin anew."
        ) from None


def _variables(model):
    return model.state + list(model.optimizer.variables)


def _numpy(variable):
    return keras.ops.convert_to_numpy(variable)


def _number(scalar) -> float:
    """Returns the value of a variable, of a strategy's too, or a number."""
    return float(keras.ops.convert_to_numpy(scalar))
