"""The callbacks: what is decided at the end of an epoch, and training that goes on."""

import contextlib
import io
import json
import types
import zipfile

import keras
import numpy as np
import pytest

from keras_textvae import schedules, zoo
from keras_textvae.callbacks import (
    CollapseWarning,
    KLAnnealing,
    RunHistory,
    TrainingCheckpoint,
)
from keras_textvae.tokens import BOS, EOS, FIRST_WORD
from tests.on_jax import run_on_jax

V = 12
IDS = np.random.default_rng(0).integers(FIRST_WORD, V, (14, 4)).astype("int32")
IDS[:, 0], IDS[:, -1] = BOS, EOS


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def fake_model():
    """What the callbacks use of a model, and nothing to compute."""
    return types.SimpleNamespace(
        kl_weight=keras.Variable(1.0),
        optimizer=keras.optimizers.Adam(0.8),
        stop_training=False,
    )


class Epochs:
    """A `RunHistory` fed with the bounds or other figures of validations."""

    def __init__(self, **options):
        self.best = []
        self.history = RunHistory(
            lambda: self.best.append(len(self.history.rows)), **options
        )
        self.model = fake_model()
        self.history.set_model(self.model)

    def run(self, *bounds, kl_weight=1.0, objectives=None):
        for index, bound in enumerate(bounds):
            logs = {"loss": 1.0, "val_loss": bound, "kl_weight": kl_weight}
            if objectives:
                logs["val_objective"] = objectives[index]
            self.history.on_epoch_end(len(self.history.rows), logs)
        return self


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


def test_every_better_bound_is_the_best():
    assert Epochs().run(5.0, 4.0, 4.5, 3.0, 3.0).best == [1, 2, 4]


def test_training_stops_when_patience_is_used_up():
    epochs = Epochs(patience=2).run(5.0, 4.0, 4.5)
    assert not epochs.model.stop_training
    assert epochs.run(4.5).model.stop_training
    assert epochs.history.out_of_patience


def test_without_patience_training_never_stops():
    epochs = Epochs().run(*range(20))
    assert not epochs.model.stop_training
    assert not epochs.history.out_of_patience


def test_what_is_compared_is_the_objective_where_there_is_one():
    epochs = Epochs(patience=1)
    epochs.run(110.0, 130.0, 149.0, objectives=[101.0, 94.0, 95.0])
    assert epochs.best == [1, 2]
    assert epochs.model.stop_training


def test_the_row_of_an_epoch_says_its_learning_rate():
    rows = Epochs().run(1.0).history.rows
    assert rows[0]["learning_rate"] == pytest.approx(0.8)


def test_while_the_kl_weight_is_low_nothing_stops():
    epochs = Epochs(patience=1).run(1.0, 2.0, 3.0, kl_weight=0.5)
    assert not epochs.model.stop_training
    assert not epochs.history.out_of_patience
    assert epochs.best == [1]


def test_epochs_of_a_low_kl_weight_stop_counting_once_it_is_passed():
    epochs = Epochs(patience=2).run(1.0, kl_weight=0.1).run(9.0, 8.0, 8.5)
    assert epochs.best == [1, 2, 3]
    assert epochs.history.epochs_since_best == 1
    assert epochs.run(8.5).model.stop_training


def test_a_bound_that_is_not_a_number_is_never_the_best():
    epochs = Epochs(patience=3).run(3.0, np.nan, np.inf, 2.0, np.nan)
    assert epochs.best == [1, 4]
    assert epochs.history.epochs_since_best == 1


def test_a_history_without_validation_is_refused():
    epochs = Epochs()
    with pytest.raises(ValueError, match="validation_data"):
        epochs.history.on_epoch_end(0, {"loss": 1.0})


class Training:
    """A model of the zoo with all that a run has, its data apart."""

    def __init__(self, build, path, seed):
        keras.utils.set_random_seed(seed)
        self.model = build()
        optimizer = keras.optimizers.Adam(0.05, global_clipnorm=1.0)
        # Nothing here depends on a graph, which takes seconds to trace.
        self.model.compile(optimizer, run_eagerly=True)
        self.history = RunHistory(lambda: None)
        self.checkpoint = TrainingCheckpoint(path, self.history)

    def run(self, first, last):
        annealing = KLAnnealing(schedules.linear(2, 6))
        self.model.fit(
            IDS[4:],
            validation_data=(IDS[:4],),
            batch_size=5,
            shuffle=False,
            initial_epoch=first,
            epochs=last,
            verbose=0,
            callbacks=[annealing, self.history, self.checkpoint],
        )
        return self

    def state(self):
        metrics = {id(v) for metric in self.model.metrics for v in metric.variables}
        variables = [*self.model.variables, *self.model.optimizer.variables]
        return {v.path: v for v in variables if id(v) not in metrics}


def lstm():
    return zoo.lstm_vae(V, 4, 6, 2, keep_rate=0.5, z_every_step=True, dropout=0.3)


def hybrid():
    return zoo.hybrid_vae(V, 3, 2, units=6, channels=(4, 6), features=5, keep_rate=0.5)


def assert_goes_on_exactly(build, folder):
    """Three epochs straight equal one, a kill, a fresh process, and two."""
    straight = Training(build, str(folder / "straight.npz"), seed=1).run(0, 3)
    path = str(folder / "killed.npz")
    Training(build, path, seed=1).run(0, 1)
    resumed = Training(build, path, seed=2)
    assert resumed.checkpoint.restore(resumed.model) == 1
    resumed.run(1, 3)
    assert resumed.history.rows == straight.history.rows
    found, expected = resumed.state(), straight.state()
    assert len(found) == len(expected)
    for one, other in zip(found.values(), expected.values(), strict=True):
        values = map(keras.ops.convert_to_numpy, (one, other))
        np.testing.assert_array_equal(*values, err_msg=one.path)
    return [row["kl_weight"] for row in straight.history.rows]


def test_a_restored_training_goes_on_exactly(tmp_path):
    weights = assert_goes_on_exactly(lstm, tmp_path)
    assert weights == pytest.approx([0.0, 0.25, 0.75])


@pytest.mark.usefixtures("mixed_float16")
def test_a_restored_training_with_a_loss_scale_goes_on_exactly(tmp_path):
    # A step that is skipped for its loss scale does not move the KL weight.
    weights = assert_goes_on_exactly(hybrid, tmp_path)
    assert weights == sorted(weights)


@pytest.fixture
def saved(tmp_path):
    """A training that has saved itself, without having trained."""
    training = Training(lstm, str(tmp_path / "checkpoint.npz"), seed=1)
    training.history.rows = [{"epoch": 1, "val_loss": 3.0, "kl_weight": 1.0}]
    training.checkpoint.set_model(training.model)
    training.checkpoint.on_epoch_end(0)
    return training


def test_nothing_saved_is_nothing_done(tmp_path):
    training = Training(lstm, str(tmp_path / "checkpoint.npz"), seed=1)
    assert training.checkpoint.restore(training.model) == 0


@pytest.mark.parametrize("build", [hybrid, lambda: zoo.lstm_vae(V, 4, 7, 2)])
def test_a_checkpoint_of_another_model_is_refused(saved, build):
    other = Training(build, saved.checkpoint.path, seed=1)
    other.model.optimizer.build(other.model.trainable_variables)
    before = {k: keras.ops.convert_to_numpy(v) for k, v in other.state().items()}
    with pytest.raises(ValueError, match="not a checkpoint of this model"):
        other.checkpoint.restore(other.model)
    for path, variable in other.state().items():
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(variable), before[path]
        )


@pytest.mark.parametrize("content", [b"", b"PK half", b"something else"])
def test_a_broken_checkpoint_is_refused(saved, tmp_path, content):
    (tmp_path / "checkpoint.npz").write_bytes(content)
    with pytest.raises(ValueError, match="checkpoint.npz is broken"):
        saved.checkpoint.restore(saved.model)


def test_a_checkpoint_with_a_flipped_bit_is_refused(saved, tmp_path):
    path = tmp_path / "checkpoint.npz"
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("2.npy")
    content[member.header_offset + member.file_size] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="checkpoint.npz is broken"):
        saved.checkpoint.restore(saved.model)


def test_half_a_file_that_a_kill_left_is_harmless(saved, tmp_path):
    partial = tmp_path / "part.checkpoint.npz"
    partial.write_bytes(b"PK half")
    fresh = Training(lstm, saved.checkpoint.path, seed=2)
    assert fresh.checkpoint.restore(fresh.model) == 1
    saved.checkpoint.on_epoch_end(0)
    assert not partial.exists()
    with np.load(saved.checkpoint.path) as file:
        assert json.loads(str(file["history"])) == saved.history.rows
