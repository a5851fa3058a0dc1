"""The KL weight follows a schedule, on both backends."""

import keras
import numpy as np
import pytest

from keras_textvae import schedules, zoo
from keras_textvae.callbacks import KLAnnealing
from tests.callbacks.trained import IDS, V, fake_model
from tests.on_jax import run_on_jax


def test_annealing_sets_the_weight_of_the_optimizer_s_step():
    model = fake_model()
    annealing = KLAnnealing(schedules.linear(10, 20))
    annealing.set_model(model)
    for step, weight in [(0, 0.0), (10, 0.0), (15, 0.5), (20, 1.0), (99, 1.0)]:
        for batch in (0, min(step, 3)):  # of an epoch that began as much earlier
            model.optimizer.iterations.assign(step - batch)
            annealing.on_epoch_begin(epoch=0)
            annealing.on_train_batch_begin(batch)
            assert float(model.kl_weight) == weight


class Weights(keras.callbacks.Callback):
    """Writes down the KL weight of each step."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_begin(self, batch, logs=None):
        self.found.append(float(self.model.kl_weight))


class Line(keras.Model):
    """As little as can be trained, with a KL weight that weighs nothing."""

    def __init__(self):
        super().__init__()
        self.line = keras.layers.Dense(1)
        self.kl_weight = self.add_weight(shape=(), trainable=False)

    def call(self, x):
        return self.line(x)


def weights_of(model, epochs, initial_epoch=0):
    """The KL weights of epochs of four steps, linear over 12."""
    weights = Weights()
    x = np.ones((4, 1), "float32") if isinstance(model, Line) else IDS[:4]
    model.fit(
        x,
        x if isinstance(model, Line) else None,
        batch_size=1,
        initial_epoch=initial_epoch,
        epochs=epochs,
        verbose=0,
        callbacks=[KLAnnealing(schedules.linear(0, 12)), weights],
    )
    return weights.found


@pytest.mark.parametrize("accumulated", [None, 3, 4])
@pytest.mark.parametrize("scaled", [False, True])
def test_annealing_counts_batches_however_many_make_an_update(accumulated, scaled):
    def build():
        adam = keras.optimizers.Adam(gradient_accumulation_steps=accumulated)
        if scaled:
            adam = keras.optimizers.LossScaleOptimizer(adam, initial_scale=2.0)
        model = Line()
        model(np.ones((1, 1)))
        model.compile(adam, "mse", run_eagerly=True)
        model.optimizer.build(model.trainable_variables)
        return model

    expected = pytest.approx(np.arange(12) / 12)
    assert weights_of(build(), 3) == expected
    killed, resumed = build(), build()
    first = weights_of(killed, 2)
    pairs = zip(resumed.optimizer.variables, killed.optimizer.variables, strict=True)
    for variable, saved in pairs:
        variable.assign(saved)
    assert first + weights_of(resumed, 3, initial_epoch=2) == expected


def test_annealing_moves_once_per_execution():
    model = zoo.bag_of_words_vae(V, 3, 4, 2)
    adam = keras.optimizers.Adam(gradient_accumulation_steps=2)
    model.compile(adam, steps_per_execution=2)
    assert weights_of(model, 2) == pytest.approx(np.array([0, 2, 4, 6]) / 12)


ON_JAX = """
import keras
import numpy as np
from keras_textvae import schedules, zoo
from keras_textvae.callbacks import KLAnnealing
from keras_textvae.objectives import Objective

class KLWeight(Objective):
    def __call__(self, terms, kl_weight=1.0):
        return 0.0 * terms.reconstruction + kl_weight

class Sync(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch in (3, 4, 7):
            self.model.jax_state_sync()

ids = np.tile(np.array([[1, 5, 6, 2]], "int32"), (8, 1))
model = zoo.bag_of_words_vae(11, embedding_dim=3, units=4, latent_dim=2)
model.objective = KLWeight()
model.compile(keras.optimizers.Adam(gradient_accumulation_steps=3))
annealing, losses = KLAnnealing(schedules.linear(0, 24)), []
for callbacks in ([annealing], [Sync(), annealing], [annealing, Sync()]):
    history = model.fit(ids, batch_size=1, verbose=0, callbacks=callbacks).history
    losses += [*history["loss"], *history["kl_weight"]]
print(*losses)
"""


def test_annealing_reaches_the_steps_of_a_fit_on_jax():
    pytest.importorskip("jax")
    ended = run_on_jax(ON_JAX)
    assert ended.returncode == 0, ended.stderr
    weights = np.arange(24).reshape(3, 8) / 24
    expected = np.stack([weights.mean(axis=1), weights[:, -1]], axis=1)
    found = np.array([float(x) for x in ended.stdout.split()])
    np.testing.assert_allclose(found, expected.ravel(), rtol=1e-6)


def test_annealing_reports_its_weight():
    annealing = KLAnnealing(schedules.constant(0.25))
    model = fake_model()
    model.kl_weight.assign(0.25)
    annealing.set_model(model)
    logs = {"loss": 1.0}
    annealing.on_epoch_end(0, logs)
    assert logs == {"loss": 1.0, "kl_weight": 0.25}
