"""What `fit` and `evaluate` make of batches, and arrays in batches."""

import keras
import numpy as np
import pytest

from keras_textvae.batches import ArrayBatches, SentenceBatches
from keras_textvae.tokens import PAD
from tests.on_jax import run_on_jax


class Recorder(keras.Model):
    """Counts the ids of each epoch; has a weight, so that it can be trained."""

    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(), initializer="ones")
        self.ids = keras.metrics.Sum("ids")
        self.built = True

    def call(self, ids):
        return self.scale * keras.ops.cast(ids, "float32")

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        self.ids.update_state(keras.ops.sum(x))
        return keras.ops.mean(y_pred)


def sentences(lengths):
    return SentenceBatches(
        np.arange(sum(lengths)) + 4, np.cumsum(lengths), 2, shuffle=True, seed=3
    )


@pytest.fixture
def recorder():
    model = Recorder()
    model.compile("sgd")
    return model


def test_fit_takes_batches_of_any_lengths_without_being_told_more(recorder):
    # Keras takes the shape of a `PyDataset` from its first two batches.
    batches = sentences([5, 5, 5, 5, 9, 9, 7, 7])
    assert {ids.shape for ids in batches} == {(2, 5), (2, 7), (2, 9)}
    total = float(sum(ids.sum() for ids in batches))
    history = recorder.fit(
        batches, validation_data=batches.spread(None), epochs=2, verbose=0
    ).history
    assert history["ids"] == [total, total]
    assert history["val_ids"] == [total, total]
    assert recorder.evaluate(batches, verbose=0, return_dict=True)["ids"] == total


def test_each_epoch_of_fit_has_its_own_batches(recorder):
    batches = SentenceBatches(
        np.arange(50) + 4, np.arange(50) + 1, 2, shuffle=True, steps=5
    )
    sums = [float(sum(ids.sum() for ids in batches.epoch(e))) for e in range(5)]
    assert len(set(sums)) == 5
    assert recorder.fit(batches, epochs=3, verbose=0).history["ids"] == sums[:3]
    batches.next_epoch = 2
    history = recorder.fit(batches, initial_epoch=2, epochs=5, verbose=0).history
    assert history["ids"] == sums[2:]


def test_an_epoch_of_fewer_steps_goes_on_where_the_last_one_ended(recorder):
    batches = SentenceBatches(np.arange(12) + 4, np.arange(12) + 1, 2, shuffle=True)
    sums = [float(np.sum(batches.batch(step))) for step in range(12)]
    history = recorder.fit(batches, steps_per_epoch=3, epochs=4, verbose=0).history
    expected = [sum(sums[start : start + 3]) for start in range(0, 12, 3)]
    assert history["ids"] == expected


ON_JAX = """
import keras
import numpy as np
from keras_textvae.batches import SentenceBatches

class Built(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(1)
    def call(self, ids):
        return self.dense(keras.ops.cast(ids, "float32"))
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
        return keras.ops.mean(y_pred)

class Recorded(SentenceBatches):
    seen = []
    def batch(self, step):
        self.seen.append(step)
        return super().batch(step)

batches = Recorded(np.arange(12) % 5 + 4, np.arange(12) + 1, 4, shuffle=True)
model = Built()
model.compile("adam")
model.fit(batches, epochs=3, verbose=0)
print(*batches.seen)
"""


def test_a_model_that_is_built_by_fit_on_jax_misses_no_batch():
    pytest.importorskip("jax")
    ended = run_on_jax(ON_JAX)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[-9:] == [str(step) for step in range(9)]


def test_arrays_stay_together_and_ids_are_trimmed():
    ids = np.full((7, 9), PAD)
    for row in range(7):
        ids[row, : row + 1] = row + 4
    numbers = np.arange(7, dtype="int32")
    batches = ArrayBatches([ids.astype("int32"), numbers], 3, shuffle=True, seed=1)
    assert len(batches) == 3
    order = []
    for rows, labels in map(batches.batch, range(7)):  # three passes
        assert rows.shape == (3, labels.max() + 1)
        np.testing.assert_array_equal(rows[:, 0], labels + 4)
        order += labels.tolist()
    passes = [order[start : start + 7] for start in (0, 7, 14)]
    assert all(sorted(one) == [*range(7)] for one in passes)
    assert passes[0] != passes[1] != passes[2]


def test_arrays_in_order_are_there_once():
    numbers = np.arange(7, dtype="int32")
    parts = [part for (part,) in ArrayBatches([numbers], 3).epoch(2)]
    assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4, 5], [6]]


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="3, 2 rows"):
        ArrayBatches([np.ones(3), np.ones(2)], 1)
    with pytest.raises(ValueError, match="Received: 0 rows"):
        ArrayBatches([np.ones(0)], 1)
