"""Even batches against the batches that they are made of."""

import numpy as np
import pytest

from keras_textvae.batches import EvenBatches, SentenceBatches
from keras_textvae.tokens import BOS, EOS, PAD

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(3, 9, 50)
VALUES = RNG.integers(4, 90, LENGTHS.sum()).astype("uint16")
BATCHES = SentenceBatches(VALUES, np.cumsum(LENGTHS), 12)  # the last has two


@pytest.mark.parametrize("devices", [3, 4, 6])
def test_the_last_batch_is_filled_up_with_empty_texts(devices):
    even = EvenBatches(BATCHES, devices)
    assert len(even) == len(BATCHES) == 5
    for whole, (ids, labels, weights) in zip(BATCHES, even, strict=True):
        count = len(whole)
        assert len(ids) == -(-count // devices) * devices
        np.testing.assert_array_equal(ids[:count], whole)
        assert set(labels) == {-1} and weights.dtype == "float32"
        assert (weights[:count] > 0).all() and not weights[count:].any()
        for text in ids[count:]:
            np.testing.assert_array_equal(text[:2], (BOS, EOS))
            assert (text[2:] == PAD).all()


def test_means_over_all_rows_are_means_over_the_sentences():
    even = EvenBatches(BATCHES, 8)
    total = sum(np.sum(weights * ids.sum(axis=1)) for ids, _, weights in even)
    rows = sum(len(ids) for ids, _, _ in even)
    expected = np.mean(np.concatenate([ids.sum(axis=1) for ids in BATCHES]))
    assert rows == 72 and total / rows == pytest.approx(expected, rel=1e-6)


def test_the_shards_of_a_batch_are_the_batch():
    whole = EvenBatches(BATCHES, 4)
    shards = [EvenBatches(BATCHES, 4, (index, 2)) for index in range(2)]
    for step in range(5):
        parts = zip(*(shard.batch(step) for shard in shards), strict=True)
        for part, expected in zip(parts, whole.batch(step), strict=True):
            np.testing.assert_array_equal(np.concatenate(part), expected)


def test_some_device_is_needed():
    with pytest.raises(ValueError, match="devices=0"):
        EvenBatches(BATCHES, 0)
