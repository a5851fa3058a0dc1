"""All that training depends on, in a file."""

import json
import os
import zipfile
import zlib
from typing import BinaryIO

import keras
import numpy as np

from keras_textvae.atomic_files import replacing
from keras_textvae.callbacks.history import RunHistory


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

    def restore(
        self, model: keras.Model, file: str | os.PathLike | BinaryIO | None = None
    ) -> int:
        """Restores a built and compiled model; returns the number of epochs done.

        Args:
            model: what was saved.
            file: to be read in place of `path`, a path or its content.

        Raises:
            ValueError: if it is damaged, or of another model.
        """
        if file is None and not os.path.exists(self.path):
            return 0
        variables, saved = _variables(model), self._read(file or self.path)
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

    def _read(self, file):
        """Returns all arrays of an `.npz` file, by name."""
        try:
            with np.load(file) as saved:
                return {name: saved[name] for name in ("history", *saved.files)}
        except (
            *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError),
        ) as error:
            raise ValueError(
                f"{self.path} is broken ({error}): training cannot go on from it. Keep "
                "the best model elsewhere and delete the folder to begin anew."
            ) from None


def _variables(model):
    return model.state + list(model.optimizer.variables)


def _numpy(variable):
    return keras.ops.convert_to_numpy(variable)
