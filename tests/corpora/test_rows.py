"""Rows of what Python has: texts, pairs, dicts, and TensorFlow's datasets."""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.corpora.rows import read_items


def rows(items, *columns):
    return [row[1:] for row in read_items(items, "train", *columns)]


def test_texts_pairs_and_dicts_are_rows():
    assert rows(["a", b"b \xc3\xa9", None]) == [("a", None), ("b é", None), ("", None)]
    assert rows([("a", 1), ["b", np.True_], ("", None)]) == [
        ("a", "1"),
        ("b", "True"),
        ("", None),
    ]
    dicts = [{"text": "a", "id": n, "stars": np.int64(n)} for n in range(2)]
    assert rows(iter(dicts)) == [("a", None)] * 2
    assert rows(dicts, "text", "stars") == [("a", "0"), ("a", "1")]


def test_a_dataset_of_tensorflow_is_rows():
    texts, labels = ["a", "é"], [3, 4]
    dataset = tf.data.Dataset.from_tensor_slices
    assert rows(dataset(texts)) == [("a", None), ("é", None)]
    assert rows(dataset((texts, labels))) == [("a", "3"), ("é", "4")]
    columns = {"text": texts, "y": labels}
    assert rows(dataset(columns), None, "y") == [("a", "3"), ("é", "4")]


@pytest.mark.parametrize(
    ("items", "columns", "message"),
    [
        ("abc", (), "train: texts, pairs or dicts are needed.* Received: str"),
        ({"a": ["b"]}, (), "Received: dict"),
        (["a", 5], (), "train, item 2: 5 is no text"),
        ([("a", "b", "c")], (), "item 1: .* is no text"),
        (["a"], ("text",), "item 1: no columns, but 'a'"),
        ([("a", None)], (), "item 1: the label is missing: None"),
        ([{"a": "b"}, {"c": "d"}], (), "item 2: no column 'a' among these: c"),
        ([{"a": "b", "c": "d"}], (), "item 1: which column has the texts"),
        (["\ud800"], (), "item 1: not UTF-8"),
        ([b"\xe9"], (), "item 1: not UTF-8"),
    ],
)
def test_other_items_are_refused_by_their_number(items, columns, message):
    with pytest.raises(ValueError, match=message):
        rows(items, *columns)
