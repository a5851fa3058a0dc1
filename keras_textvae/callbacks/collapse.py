"""A warning of a latent space that collapses."""

import keras

ANNEALED = 0.9  # the KL weight from which on the KL counts nearly as in the bound


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
