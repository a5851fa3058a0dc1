"""Training that goes on after a kill."""

import json
import zipfile

import keras
import numpy as np
import pytest

from keras_textvae import schedules, zoo
from keras_textvae.callbacks import (
    KLAnnealing,
    RunHistory,
    TargetKL,
    TrainingCheckpoint,
    near_target_first,
)
from tests.callbacks.trained import IDS, V


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def linear():
    return KLAnnealing(schedules.linear(2, 6))


class Training:
    """A model of the zoo with all that a run has, its data apart."""

    def __init__(self, build, path, seed, weighing=linear, **options):
        keras.utils.set_random_seed(seed)
        self.model = build()
        optimizer = keras.optimizers.Adam(0.05, global_clipnorm=1.0)
        # Nothing here depends on a graph, which takes seconds to trace.
        self.model.compile(optimizer, run_eagerly=True)
        self.weighing = weighing
        self.history = RunHistory(lambda: None, **options)
        self.checkpoint = TrainingCheckpoint(path, self.history)

    def run(self, first, last):
        self.model.fit(
            IDS[4:],
            validation_data=(IDS[:4],),
            batch_size=5,
            shuffle=False,
            initial_epoch=first,
            epochs=last,
            verbose=0,
            callbacks=[self.weighing(), self.history, self.checkpoint],
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


def assert_goes_on_exactly(build, folder, **options):
    """Three epochs straight equal one, a kill, a fresh process, and two."""
    path = str(folder / "straight.npz")
    straight = Training(build, path, seed=1, **options).run(0, 3)
    path = str(folder / "killed.npz")
    Training(build, path, seed=1, **options).run(0, 1)
    resumed = Training(build, path, seed=2, **options)
    assert resumed.checkpoint.restore(resumed.model) == 1
    resumed.run(1, 3)
    assert resumed.history.rows == straight.history.rows
    assert resumed.history.best == straight.history.best
    found, expected = resumed.state(), straight.state()
    assert len(found) == len(expected)
    for one, other in zip(found.values(), expected.values(), strict=True):
        values = map(keras.ops.convert_to_numpy, (one, other))
        np.testing.assert_array_equal(*values, err_msg=one.path)
    return [row["kl_weight"] for row in straight.history.rows]


def test_a_restored_training_goes_on_exactly(tmp_path):
    weights = assert_goes_on_exactly(lstm, tmp_path)
    assert weights == pytest.approx([0.0, 0.25, 0.75])


def test_a_restored_training_with_a_target_goes_on_exactly(tmp_path):
    weights = assert_goes_on_exactly(
        lambda: zoo.bag_of_words_vae(V, 4, 6, 2, dropout=0.3),
        tmp_path,
        weighing=lambda: TargetKL(1e-3, proportional=0.5, integral=0.7),
        rank=near_target_first(1e-3),
    )
    assert 0.0 < weights[0] < weights[1] < weights[2] < 1.0


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
