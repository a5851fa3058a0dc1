"""What the programs that train print while they do."""

import time

import keras


class Remaining(keras.callbacks.Callback):
    """Prints after each epoch its bound, and when the last would end."""

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_train_begin(self, logs=None):
        self.started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1 - self.run.epochs_done
        seconds = time.monotonic() - self.started
        left = seconds / done * (self.run.preset.epochs - epoch - 1)
        parts = f"{logs['val_reconstruction']:.2f} + KL {logs.get('val_kl', 0.0):.2f}"
        print(
            f"epoch {epoch + 1} of {self.run.preset.epochs}: valid bound "
            f"{logs['val_loss']:.2f} = {parts} nats, {seconds / done:.0f} s an epoch, "
            f"at most "
            f"{left / 60:.0f} min left",
            flush=True,
        )
