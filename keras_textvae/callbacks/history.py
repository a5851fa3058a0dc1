"""A run's figures, and what is decided by them."""

import csv
import os
from collections.abc import Callable

import keras
import numpy as np

from keras_textvae.atomic_files import replacing
from keras_textvae.callbacks.readings import number


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
        row.setdefault("kl_weight", number(getattr(self.model, "kl_weight", 1.0)))
        row["learning_rate"] = number(self.model.optimizer.learning_rate)
        self.rows.append(row)
        if self.epochs_since_best == 0:
            self.on_best()
        if self.out_of_patience:
            self.model.stop_training = True


def _is_annealed(row):
    return row["kl_weight"] > 0.5
