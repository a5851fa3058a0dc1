"""What the programs that train print while they do."""

import time

import keras


class Remaining(keras.callbacks.Callback):
    """Prints the bound after each epoch, and when the last one should end."""

    def on_train_begin(self, logs=None):
        self.started = time.monotonic()
        self.first = None

    def on_epoch_begin(self, epoch, logs=None):
        self.first = epoch if self.first is None else self.first

    def on_epoch_end(self, epoch, logs=None):
        epochs = self.params["epochs"]
        seconds = (time.monotonic() - self.started) / (epoch + 1 - self.first)
        left = seconds * (epochs - epoch - 1) / 60
        parts = f"{logs['val_reconstruction']:.2f} + KL {logs.get('val_kl', 0.0):.2f}"
        print(
            f"epoch {epoch + 1} of {epochs}: valid bound {logs['val_loss']:.2f} = "
            f"{parts} nats, {seconds:.0f} s an epoch, at most {left:.0f} min left",
            flush=True,
        )
