"""How ids enter: which rows, in which order, and what training drops.

B: batch size. T: time. V: vocabulary size. E: embedding size.
"""

import keras
import numpy as np
import pytest
from keras import ops

from keras_textvae.layers import LSTM, EmbeddedIds, OneHotIds, WordDropout, id_inputs
from keras_textvae.tokens import BOS, FIRST_WORD, PAD, UNK

V, E = 11, 40
IDS = np.array([[BOS, 4, 9, 5, 2], [BOS, 10, 2, PAD, PAD]], "int32")
BUILDERS = {
    "embedded": lambda **kw: EmbeddedIds(V, E, **kw),
    "one-hot": lambda **kw: OneHotIds(V, **kw),
}


@pytest.fixture(params=BUILDERS)
def builder(request):
    return BUILDERS[request.param]


def ones(**kwargs):
    """Returns a part whose embeddings are all ones."""
    part = EmbeddedIds(V, E, initializer="ones", **kwargs)
    part.build(IDS.shape)
    return part


def test_an_embedded_id_is_its_row_of_the_table_time_first():
    part = EmbeddedIds(V, E)
    embedded = part(IDS)
    (table,) = part.get_weights()
    np.testing.assert_array_equal(embedded, table[IDS.T])
    np.testing.assert_array_equal(part(IDS[:, 1]), table[IDS[:, 1]])


def test_a_one_hot_id_stays_an_id_that_selects_a_row_of_the_kernel():
    part, lstm = OneHotIds(V), LSTM(3)
    lstm.build((None, None, part.size))
    np.testing.assert_array_equal(part(IDS), IDS.T)
    np.testing.assert_array_equal(part(IDS[:, 1]), IDS[:, 1])
    expected = lstm.project(ops.one_hot(IDS.T, V))
    np.testing.assert_allclose(lstm.project(part(IDS)), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("embedding_dim", "size", "dropped"), [(None, V + 1, V), (E, E, UNK)]
)
def test_the_dropped_id_of_one_hot_ids_stands_for_nothing_else(
    embedding_dim, size, dropped
):
    part = id_inputs(V, embedding_dim, 0.5, "float32")
    assert part.size == size
    assert part.word_dropout.dropped == dropped


def test_without_a_keep_rate_no_word_is_dropped(builder):
    part = builder()
    assert part.size == (E if isinstance(part, EmbeddedIds) else V)
    assert not isinstance(part.word_dropout, WordDropout)
    np.testing.assert_array_equal(part(IDS, training=True), part(IDS))


def test_words_are_dropped_in_training_and_all_of_them_at_rate_zero(builder):
    ids = np.full((2, 500), FIRST_WORD, "int32")
    part, inputless = builder(keep_rate=0.5), builder(keep_rate=0.0)
    changed = np.array(part(ids, training=True)) != np.array(part(ids))
    share = np.mean(np.any(changed.reshape(1000, -1), axis=-1))
    assert share == pytest.approx(0.5, abs=0.07)
    inputless.build(ids.shape)
    inputless.set_weights(part.get_weights())
    all_dropped = np.full_like(ids, part.word_dropout.dropped)
    np.testing.assert_array_equal(inputless(ids), part(all_dropped))


@pytest.mark.parametrize("shared", [False, True])
def test_units_are_dropped_at_each_step_or_at_all_steps_of_a_sentence(shared):
    dropped = np.array(ones(dropout=0.5, shared_dropout=shared)(IDS, training=True))
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert np.all(dropped == dropped[:1]) == shared
    assert np.any(dropped[0, 0] != dropped[0, 1])  # sentences have masks of their own


@pytest.mark.parametrize("shared", [False, True])
def test_units_are_dropped_in_training_alone(shared):
    part = ones(dropout=0.5, shared_dropout=shared)
    np.testing.assert_array_equal(part(IDS), 1.0)
    np.testing.assert_array_equal(part(IDS[:, 0]), 1.0)


def test_configuration_round_trip(builder):
    rates = {"keep_rate": 0.25, "dtype": "mixed_bfloat16", "name": "mine"}
    part = builder(**rates)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(part)
    )
    assert copy.get_config() == part.get_config()
    part.build(IDS.shape), copy.build(IDS.shape)
    copy.set_weights(part.get_weights())
    np.testing.assert_array_equal(
        ops.cast(copy(IDS), "float32"), ops.cast(part(IDS), "float32")
    )
