"""A model's functions of batches, as arrays."""

import logging

import keras
import numpy as np
import pytest

from keras_textvae.evaluation.batches import Compiled, of_ids
from keras_textvae.zoo import lstm_vae


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_graphs_of_many_figures_are_traced_without_a_warning(caplog):
    """TensorFlow warns at the sixth of a kind; the user's own warnings stay."""
    model = lstm_vae(9, 2, 2, 2)
    with caplog.at_level("WARNING", "tensorflow"):
        for factor in range(8):
            double = Compiled(lambda model, x, factor=factor: x * factor, model)
            np.testing.assert_array_equal(double.on(np.ones([1, 2])), [[factor] * 2])
        assert not caplog.records
        logging.getLogger("tensorflow").warning(
            "5 calls triggered tf.function retracing"
        )
        assert len(caplog.records) == 1


def test_an_array_is_cut_into_batches():
    ids = np.full([70, 3], 4)
    assert [len(batch) for batch in of_ids(ids, lstm_vae(9, 2, 2, 2))] == [32, 32, 6]
