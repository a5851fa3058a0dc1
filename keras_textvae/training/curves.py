"""The curves of a run as a picture in its folder, drawn anew after each epoch."""

import importlib.util
from typing import TYPE_CHECKING

import keras

from keras_textvae import evaluation
from keras_textvae.atomic_files import replacing

if TYPE_CHECKING:
    from keras_textvae.training import Run

FILE = "curves.png"


class Curves(keras.callbacks.Callback):
    """Draws `FILE` in the folder of the run that is trained, where Matplotlib is.

    Attributes:
        run: `Run` that is trained; whoever trains several says which is next.
    """

    def __init__(self, run: "Run"):
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        if importlib.util.find_spec("matplotlib") is None:
            return
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9, 4), layout="constrained")
        if evaluation.draw_curves(figure, self.run.history.rows):
            with replacing(self.run.path(FILE)) as partial:
                figure.savefig(partial)
