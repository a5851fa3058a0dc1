"""Crops against the text they are from."""

import itertools

import numpy as np
import pytest

from keras_textvae.batches import CropBatches
from keras_textvae.tokens import BOS, FIRST_WORD

TEXT = np.arange(1999) + FIRST_WORD  # each id tells its place


def test_crops_are_pieces_of_the_text_anywhere():
    crops = CropBatches(TEXT, batch_size=4, length=5, shuffle=True)
    assert len(crops) == 1999 // 20
    epoch = [*crops]
    assert {ids.shape for ids in epoch} == {(4, 6)}
    ids = np.concatenate(epoch)
    assert (ids[:, 0] == BOS).all()
    assert (np.diff(ids[:, 1:], axis=1) == 1).all()


def test_crops_begin_everywhere_equally_often():
    crops = CropBatches(TEXT, 4, length=1, shuffle=True)
    places = np.concatenate([*crops])[:, 1] - FIRST_WORD
    counts, _ = np.histogram(places, bins=20, range=(0, 2000))
    # Chi-square with 19 degrees of freedom: 43.8 is exceeded once in 1,000 seeds.
    expected = len(places) / 20
    assert np.sum((counts - expected) ** 2 / expected) < 43.8


def test_without_shuffling_crops_stand_one_after_another():
    crops = CropBatches(TEXT, 3, 7)
    ids = np.concatenate([*crops])[:, 1:].ravel()
    np.testing.assert_array_equal(ids, TEXT[: len(ids)])
    assert len(TEXT) - len(ids) < 3 * 7
    np.testing.assert_array_equal(crops.batch(0), crops.batch(len(crops)))


def test_a_batch_depends_on_seed_and_step_alone():
    crops = CropBatches(TEXT, 6, 5, shuffle=True)
    run = [crops.batch(step) for step in range(2 * len(crops))]
    assert len({ids.tobytes() for ids in run}) == len(run)
    again = CropBatches(TEXT, 6, 5, shuffle=True)
    np.testing.assert_array_equal(again.batch(77), run[77])
    for index in range(3):
        shard = CropBatches(TEXT, 2, 5, shuffle=True, shard=(index, 3))
        np.testing.assert_array_equal(shard.batch(9), run[9][2 * index : 2 * index + 2])
    other = CropBatches(TEXT, 6, 5, shuffle=True, seed=4)
    assert not {i.tobytes() for i in itertools.islice(other, 9)} & {
        i.tobytes() for i in run
    }


def test_a_text_shorter_than_a_batch_still_has_one():
    assert len(CropBatches(TEXT[:9], 50, 9, shuffle=True)) == 1
    assert CropBatches(TEXT[:9], 50, 9).batch(0).shape == (50, 10)
    with pytest.raises(ValueError, match="shorter than a crop"):
        CropBatches(TEXT[:9], 50, 10)
