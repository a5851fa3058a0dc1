"""Rows in batches, and answers joined."""

import itertools

import numpy as np
import pytest

from serving.client import batches


def test_batches_come_in_order_and_read_no_further_ahead():
    rows = itertools.count()
    found = batches.of_rows(rows, 2)
    assert next(found) == [0, 1]
    assert next(rows) == 2
    assert list(batches.of_rows("abc", 2)) == [["a", "b"], ["c"]]
    assert list(batches.of_rows("", 2)) == []


@pytest.mark.parametrize(
    "rows, sizes", [(0, [0]), (1, [1]), (2, [2]), (3, [2, 1]), (4, [2, 2])]
)
def test_columns_are_cut_alike_and_join_again(rows, sizes):
    columns = {"a": np.arange(rows), "b": np.ones((rows, 3))}
    cut = list(batches.split(columns, 2))
    assert [len(batch["a"]) for batch in cut] == sizes
    assert [batch["b"].shape for batch in cut] == [(size, 3) for size in sizes]
    joined = batches.join(cut)
    assert list(joined) == ["a", "b"]
    np.testing.assert_array_equal(joined["a"], columns["a"])
    np.testing.assert_array_equal(joined["b"], columns["b"])


def test_columns_of_different_length_are_refused():
    columns = {"start": np.zeros(3), "end": np.zeros(2)}
    with pytest.raises(ValueError) as refusal:
        list(batches.split(columns, 2))
    expected = "row counts must agree. Received: {'start': 3, 'end': 2}"
    assert str(refusal.value) == expected
