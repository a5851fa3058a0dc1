"""The call of `fit` in a run: its batches and devices, and what an epoch leaves."""

import importlib.util
from collections.abc import Sequence
from typing import TYPE_CHECKING

import keras

from keras_textvae.training import beginning

if TYPE_CHECKING:
    from keras_textvae.training.run import Run


def fit(run: "Run", callbacks: Sequence[keras.callbacks.Callback], verbose: int | str):
    """Trains a run's model to the last epoch or to early stopping."""
    recipe = run.recipe
    run.train_batches.next_epoch = run.epochs_done
    valid = beginning.validation(
        run.valid_batches, recipe.data.valid_steps, run.devices
    )

    def learning_rate(epoch, _):
        training = recipe.training
        return training.learning_rate * training.rate_schedule.build()(epoch)

    with run.devices.scope():
        run.model.fit(
            run.train_batches,
            validation_data=valid,
            initial_epoch=run.epochs_done,
            epochs=recipe.training.epochs,
            verbose=verbose,
            callbacks=[
                *([recipe.terms.weighing()] if run.model.latent_dim else []),
                keras.callbacks.LearningRateScheduler(learning_rate),
                run.history,
                *(_writers(run) if run.leads else []),
                *callbacks,
            ],
        )
    run.epochs_done = len(run.history.rows)


def _writers(run):
    table = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: run.write_metrics()
    )
    return [run.checkpoint, table, *_tensorboard(run.path("logs"))]


def _tensorboard(folder):
    """Its callback, where TensorBoard is installed: Keras's own fails without."""
    if importlib.util.find_spec("tensorboard") is None:
        return []
    if importlib.util.find_spec("tensorflow") is None:
        return []
    return [keras.callbacks.TensorBoard(folder, write_graph=False)]
