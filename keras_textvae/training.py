"""The training of a preset in a folder, which goes on after a kill.

folder/checkpoint.npz    the last epoch's state, for resuming
folder/metrics.csv       a row per epoch

Without TensorFlow: batches may be of text or of ids.
"""

import os

import keras

from keras_textvae.callbacks import KLAnnealing, RunHistory, TrainingCheckpoint
from keras_textvae.zoo import Preset


class Training:
    """A model of a preset, and how far its training is.

    A subclass has `train_batches` and `valid_batches`, with `steps_per_epoch`,
    `from_step` and `spread` (`pipeline` or `id_batches`); it calls `_build`, then
    `_restore`, and `_save_best` keeps the model of the best epoch.

    Args:
        folder: str.
        preset: `zoo.Preset`.
    """

    def __init__(self, folder: str, preset: Preset):
        self.folder = folder
        self.preset = preset

    def path(self, name: str) -> str:
        """Returns the path of a file of the run."""
        return os.path.join(self.folder, name)

    @property
    def steps_per_epoch(self) -> int:
        """Training steps in an epoch."""
        return self.preset.steps_per_epoch or self.train_batches.steps_per_epoch

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or training has stopped early."""
        done = self.epochs_done >= self.preset.epochs
        return done or self.history.out_of_patience

    def train(self, callbacks=(), verbose=1):
        """Trains to the last epoch or to early stopping, from where the run stands."""
        if self.finished:
            return
        start = self.epochs_done * self.steps_per_epoch
        self.model.fit(
            self.train_batches.from_step(start),
            steps_per_epoch=self.steps_per_epoch,
            validation_data=self.valid_batches.spread(self.preset.valid_steps),
            validation_steps=self.preset.valid_steps,
            initial_epoch=self.epochs_done,
            epochs=self.preset.epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=[
                *self._annealing(),
                keras.callbacks.LearningRateScheduler(self._learning_rate),
                self.history,
                self.checkpoint,
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, logs: self._write_metrics()
                ),
                *callbacks,
            ],
        )
        self.epochs_done = len(self.history.rows)

    def _build(self, vocabulary_size, seed, dtype_policy):
        """Makes the model, compiled, and its random numbers a function of the seed."""
        keras.config.set_dtype_policy(dtype_policy)
        keras.utils.set_random_seed(seed)
        self.model = self.preset.build_model(vocabulary_size)
        self.model.compile(optimizer=self.preset.build_optimizer())

    def _restore(self):
        """Goes to where the folder's checkpoint stands, if there is one."""
        self.history = RunHistory(self._save_best, self.preset.patience)
        self.checkpoint = TrainingCheckpoint(self.path("checkpoint.npz"), self.history)
        self.epochs_done = self.checkpoint.restore(self.model)
        self._write_metrics()

    def _write_metrics(self):
        self.history.write(self.path("metrics.csv"))

    def _annealing(self):
        if not self.model.latent_dim:
            return []
        return [KLAnnealing(self.preset.schedule.build())]

    def _learning_rate(self, epoch, _):
        return self.preset.learning_rate * self.preset.rate_schedule.build()(epoch)
