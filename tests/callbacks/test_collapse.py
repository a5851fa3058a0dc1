"""The warning of a latent space that collapses."""

import contextlib
import io

from keras_textvae.callbacks import CollapseWarning


def warned(*epochs, least=0.5):
    """The epochs, from 0 on, after which there is a warning."""
    warning, numbers = CollapseWarning(least), []
    warning.on_train_begin()
    for epoch, logs in enumerate(epochs):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            warning.on_epoch_end(epoch, logs)
        if "warning: the latent space is nearly empty" in output.getvalue():
            numbers.append(epoch)
            assert f"KL {logs['val_kl']:.2f} nats" in output.getvalue()
    return numbers


def test_a_collapsed_space_is_warned_of_once_the_weight_is_annealed():
    annealed, early = {"kl_weight": 0.99}, {"kl_weight": 0.8}
    low, high = {"val_kl": 0.1, "kl": 3.0}, {"val_kl": 3.0, "kl": 0.1}
    assert warned(early | low, early | low, annealed | low, annealed | low) == [2]
    assert warned(annealed | high, annealed | high) == []
    assert warned(annealed | high, annealed | low) == [1]
    assert warned(annealed | high, least=4.0) == [0]
    # A language model, and a posterior without a prior.
    assert warned({"val_loss": 1.0}, annealed | {"val_kl": 0.0}) == []
