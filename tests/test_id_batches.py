"""Batches of ids in memory: what an epoch holds, and in which order."""

import numpy as np
import pytest

from keras_textvae.id_batches import IdBatches
from keras_textvae.tokens import PAD

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(3, 30, 50)
SENTENCES = [RNG.integers(4, 90, length) for length in LENGTHS]


def batches(**options):
    given = {"batch_size": 8, "bucket_width": 4} | options
    return IdBatches(np.concatenate(SENTENCES), LENGTHS, **given)


def rows(epoch):
    return [row[row != PAD].tolist() for ids in epoch for row in ids]


@pytest.mark.parametrize("shuffle", [False, True])
def test_an_epoch_has_every_sentence_once(shuffle):
    found = batches(shuffle=shuffle)
    epoch = found.epoch(3)
    assert len(epoch) == found.steps_per_epoch == 7
    assert sorted(rows(epoch)) == sorted(row.tolist() for row in SENTENCES)


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_are_no_wider_than_their_lengths_rounded_up(shuffle):
    for ids in batches(shuffle=shuffle).epoch():
        assert ids.dtype == np.int32
        longest = np.max(np.sum(ids != PAD, axis=1))
        assert ids.shape[1] % 4 == 0 and longest <= ids.shape[1] < longest + 4


def test_sentences_of_a_batch_are_of_nearly_equal_lengths():
    padded = sum(ids.size for ids in batches(bucket_width=1).epoch())
    assert padded < 1.2 * sum(LENGTHS)


def test_epochs_differ_and_can_be_made_again():
    found = batches(shuffle=True)
    assert rows(found.epoch(0)) != rows(found.epoch(1))
    assert rows(found.epoch(1)) == rows(batches(shuffle=True).epoch(1))
    assert rows(found.epoch(1)) != rows(batches(shuffle=True, seed=1).epoch(1))


def test_a_run_goes_on_in_the_middle_of_an_epoch():
    found = batches(shuffle=True)
    stream = found.from_step(0)
    straight = [next(stream)[0] for _ in range(20)]
    resumed = found.from_step(9)
    for ids in straight[9:]:
        np.testing.assert_array_equal(next(resumed)[0], ids)
    later = [row for epoch in (found.epoch(0), found.epoch(1)) for row in rows(epoch)]
    assert rows(straight[:14]) == later


def test_a_part_is_spread_over_all_lengths():
    found = batches(bucket_width=1)
    assert rows(found.spread(None)) == rows(found.epoch())
    some = [*found.spread(3)]
    assert len(some) == 4
    every = [*found.epoch()]
    for ids, index in zip(some, (0, 2, 4, 6), strict=True):
        np.testing.assert_array_equal(ids, every[index])


@pytest.mark.parametrize(
    ("values", "lengths", "options", "message"),
    [
        ([], [], {}, "0 sentences"),
        ([1, 5, 2], [4], {}, "1 sentences of 4 ids, 3 ids"),
        ([1, 5, 2], [3], {"batch_size": 0}, "batch_size=0"),
        ([1, 5, 2], [3], {"bucket_width": 0}, "bucket_width=0"),
    ],
)
def test_wrong_arguments_are_refused(values, lengths, options, message):
    with pytest.raises(ValueError, match=message):
        IdBatches(values, lengths, **{"batch_size": 2} | options)
