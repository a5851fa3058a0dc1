"""Vocabularies learned from files."""

import collections
from collections.abc import Callable, Collection

import tensorflow as tf

from keras_textvae.corpora import read_corpus
from keras_textvae.corpora.corpus import Paths
from keras_textvae.tokenizers.tokenizer import without_mark
from keras_textvae.tokens import FIRST_WORD


def learn(
    files: Paths,
    split: Callable,
    size: int | None,
    min_count: int,
    left_out: Collection = (),
    report: Callable[[int], None] = lambda size: None,
) -> list:
    """Returns what is most frequent in plain or .gz files, streaming.

    Args:
        files: paths of UTF-8 text, one sentence a line; or one path.
        split: lines [L] -> items [N], words or characters, in TensorFlow operations.
        size: int or None. The largest vocabulary, special tokens included.
        min_count: int. How often an item must occur.
        left_out: items that are not to be learned.
        report: called with how many bytes of a file were read, now and then.

    Returns:
        Items, most frequent first; equally frequent ones in their own order.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if `size` has no room, nothing is as frequent as `min_count`, or a
            file is not UTF-8 or has no text.
    """
    if size is not None and size <= FIRST_WORD:
        raise ValueError(
            f"`size` counts the {FIRST_WORD} special tokens. Received: size={size}"
        )
    counts = count_items(files, split, report)
    items = [
        item
        for item, count in counts.items()
        if count >= min_count and item not in left_out
    ]
    if not items and min_count > 1:
        raise ValueError(
            "No word or character, special tokens aside, is that frequent. "
            f"Received: min_count={min_count}"
        )
    items.sort(key=lambda item: (-counts[item], item))
    return items if size is None else items[: size - FIRST_WORD]


def count_items(
    files: Paths, split: Callable, report: Callable[[int], None]
) -> collections.Counter:
    """Returns how often each item is in files; for the arguments see `learn`."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def count(lines):  # [L] -> [M], [M], of the M different items
        items, _, times = tf.unique_with_counts(split(without_mark(lines)))
        return items, times

    count = count.get_concrete_function()  # which never warns of tracing again
    counts = collections.Counter()
    for _, _, lines in read_corpus(files, report):
        items, times = count(tf.constant(lines))
        counts.update(
            dict(zip(items.numpy().tolist(), times.numpy().tolist(), strict=True))
        )
    return counts
