"""Batches against the sentences themselves: nothing lost, nothing twice."""

import collections
import itertools

import numpy as np
import pytest

from keras_textvae.batches import SentenceBatches
from keras_textvae.tokens import PAD

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(3, 14, 5000)
SENTENCES = [tuple(RNG.integers(4, 90, length).tolist()) for length in LENGTHS]
VALUES = np.concatenate(SENTENCES).astype("uint16")
ENDS = np.cumsum(LENGTHS)
BLOCK = 2048  # the corpus has three, the last one partly filled


def batches(batch_size=32, **options):
    return SentenceBatches(VALUES, ENDS, batch_size, **{"block": BLOCK} | options)


def sentences(epoch):
    return [tuple(row[row != PAD].tolist()) for ids in epoch for row in ids]


def assert_equal_batches(left, right):
    for one, other in itertools.zip_longest(left, right):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": True},
        {"shuffle": True, "bucket_width": 5},
        {"shuffle": True, "block": 10**6},
        {"shuffle": True, "batch_size": 1000, "block": 10},
        {"shuffle": True, "by_length": False, "bucket_width": 5},
    ],
)
def test_a_pass_has_no_sentence_twice_and_leaves_out_less_than_a_batch(options):
    some = batches(**options)
    rows = options.get("batch_size", 32)
    left_out = 5000 % rows if options.get("shuffle") else 0
    rests = []
    for number in (0, 3):
        epoch = [*some.epoch(number)]
        assert len(epoch) == len(some)
        rest = collections.Counter(SENTENCES)
        rest.subtract(sentences(epoch))
        assert min(rest.values()) == 0 and rest.total() == left_out
        rests.append(+rest)
        assert {ids.dtype for ids in epoch} == {np.dtype("int32")}
        assert {len(ids) for ids in epoch[:-1]} <= {rows}
        assert len(epoch[-1]) == rows or not options.get("shuffle")
    assert rests[0] != rests[1] or not left_out


def test_a_corpus_smaller_than_a_batch_is_one():
    some = SentenceBatches(VALUES, ENDS[:20], 32, shuffle=True)
    assert len(some) == 1
    assert sorted(sentences(some)) == sorted(SENTENCES[:20])


@pytest.mark.parametrize("width", [1, 5])
def test_sentences_are_padded_to_the_longest_of_nearly_equal_ones(width):
    some = batches(shuffle=True, bucket_width=width)
    epoch = [*some]
    ids = padding = 0
    wide = 0
    for batch in epoch:
        lengths = np.sum(batch != PAD, axis=1)
        rounded = -(-lengths // width) * width
        assert batch.shape[1] == rounded.max()
        wide += rounded.max() > rounded.min() + width
        ids += batch.size
        padding += np.sum(batch == PAD)
    assert wide == 0
    assert some.padding_share == pytest.approx(padding / ids, abs=1e-12)
    # In any order, or the model would see the short ones first.
    widths = [batch.shape[1] for batch in epoch[:32]]
    assert widths != sorted(widths)


def test_batches_of_any_lengths_are_as_mixed_as_the_corpus():
    some = batches(shuffle=True, by_length=False)
    means = [np.sum(ids != PAD, axis=1).mean() for ids in some]
    lengths = np.array([len(ids) for ids in SENTENCES])
    # As means of 32 drawn at random; in batches by length they differ as lengths do.
    assert np.std(means) == pytest.approx(np.std(lengths) / 32**0.5, rel=0.3)
    assert all(ids.shape[1] == np.sum(ids != PAD, axis=1).max() for ids in some)
    of_valid = batches(by_length=False)
    np.testing.assert_array_equal([*of_valid][0][0][: len(SENTENCES[0])], SENTENCES[0])


def test_no_batch_is_wider_than_the_model_takes():
    widths = {ids.shape[1] for ids in batches(bucket_width=8, max_width=13)}
    assert widths == {8, 13}


def test_any_batch_is_a_function_of_the_seed_and_its_number():
    some = batches(shuffle=True)
    epochs = [[*some.epoch(number)] for number in range(2)]
    again = batches(shuffle=True)
    for step in (200, 3, 157, 311, 0):
        number, place = divmod(step, len(some))
        np.testing.assert_array_equal(again.batch(step), epochs[number][place])
    other = [*batches(shuffle=True, seed=1)]
    for one, two in itertools.combinations([*epochs, other], 2):
        # Other batches, not the same ones in another order.
        assert not {ids.tobytes() for ids in one} & {ids.tobytes() for ids in two}


def test_sentences_of_a_batch_come_from_everywhere():
    """A piece of neighbours is not where a batch comes from."""
    values, ends = np.arange(10_000) % 60_000 + 4, np.arange(10_000) + 1
    some = SentenceBatches(values, ends, 100, shuffle=True, block=5000)
    pieces = {place // 1024 for place in some.batch(0)[:, 0] - 4}
    assert len(pieces) >= 3


def test_without_shuffling_equal_lengths_keep_their_order():
    expected = sorted(SENTENCES, key=len)
    assert sentences(batches(block=10**6).epoch(5)) == expected


def test_steps_cut_the_run_into_epochs():
    whole, cut = batches(shuffle=True), batches(shuffle=True, steps=100)
    assert len(cut) == 100
    run = [whole.batch(step) for step in range(100, 200)]  # into the second pass
    assert_equal_batches(cut.epoch(1), run)


def test_a_spread_has_sentences_of_all_lengths():
    some = batches()
    spread = some.spread(10)
    assert 10 <= len(spread) <= 11
    widths = [ids.shape[1] for ids in spread]
    assert min(widths) <= 4 and max(widths) >= 12
    assert_equal_batches(spread.epoch(4), spread.epoch(0))
    assert_equal_batches(some.spread(None), some)


def test_shards_are_rows_of_the_same_batches():
    whole = batches(shuffle=True)
    parts = [batches(8, shuffle=True, shard=(i, 4)) for i in range(4)]
    for step in (0, 7, 200):
        for index, part in enumerate(parts):
            rows = slice(8 * index, 8 * index + 8)
            np.testing.assert_array_equal(part.batch(step), whole.batch(step)[rows])


@pytest.mark.parametrize("shuffle", [False, True])
def test_shards_are_equally_large_even_if_sentences_are_left_out(shuffle):
    parts = [[*batches(10, shuffle=shuffle, shard=(i, 7))] for i in range(7)]
    assert len({len(part) for part in parts}) == 1
    expected = 5000 // 70 * 10 if shuffle else 5000 // 7
    assert {sum(map(len, part)) for part in parts} == {expected}
    shapes = [[ids.shape for ids in part] for part in parts]
    assert shapes == [shapes[0]] * 7


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"bucket_width": 0},
        {"steps": 0},
        {"block": -1},
        {"shard": (2, 2)},
        {"shard": (0, 5001)},
    ],
)
def test_impossible_arguments_are_refused(options):
    with pytest.raises(ValueError, match="Received"):
        batches(**options)
