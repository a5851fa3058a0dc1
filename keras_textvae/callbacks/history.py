"""A run's figures, and what is decided by them."""

import csv
import math
import os
from collections.abc import Callable

import keras

from keras_textvae.atomic_files import replacing
from keras_textvae.callbacks.readings import number

Row = dict[str, float]


def annealed_first(row: Row) -> tuple[bool, float]:
    """The rank of an epoch where the KL's weight follows a schedule.

    By `val_objective`, or by `val_loss` if the model has no such metric. As soon as the
    weight has passed one half, the epochs before no longer count: they were trained for
    something else.
    """
    return row["kl_weight"] <= 0.5, row.get("val_objective", row["val_loss"])


class RunHistory(keras.callbacks.Callback):
    """Keeps one row of figures per epoch, and acts on the best.

    Epochs are compared by their rank: whether they were trained for something else than
    what is wanted, and a figure, less of which is better. When an epoch is the best so
    far, `on_best` is called; after `patience` epochs in a row that count and are no
    better training stops.

    All of its state is `rows`, which `TrainingCheckpoint` saves and restores: a resumed
    run decides as an uninterrupted one.

    Args:
        on_best: called without arguments at each new best epoch.
        patience: int or None. None never stops early.
        rank: row -> whether it does not count once another does, and its figure.
    """

    def __init__(
        self,
        on_best: Callable[[], object],
        patience: int | None = None,
        rank: Callable[[Row], tuple[bool, float]] = annealed_first,
    ):
        super().__init__()
        self.on_best = on_best
        self.patience = patience
        self.rank = rank
        self.rows: list[Row] = []

    @property
    def best(self) -> int:
        """The index of the best row, of the first if several are; -1 without rows."""
        ranks = [self._rank(row) for row in self.rows]
        return ranks.index(min(ranks)) if ranks else -1

    @property
    def epochs_since_best(self) -> int:
        """Epochs since the best one, of those that count if it does."""
        kinds = [self._rank(row)[0] for row in self.rows]
        return kinds[self.best + 1 :].count(kinds[self.best]) if kinds else 0

    @property
    def out_of_patience(self) -> bool:
        """Whether to stop: the last epoch counts, and too many are no better."""
        counts = bool(self.rows) and not self._rank(self.rows[-1])[0]
        return bool(
            self.patience and counts and self.epochs_since_best >= self.patience
        )

    def _rank(self, row):
        beside, figure = self.rank(row)
        return beside, math.inf if math.isnan(figure) else figure

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
        if self.best == len(self.rows) - 1:
            self.on_best()
        if self.out_of_patience:
            self.model.stop_training = True
