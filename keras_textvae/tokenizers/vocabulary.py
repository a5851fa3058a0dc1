"""Vocabularies learned from files."""

import collections
import os

import tensorflow as tf

from keras_textvae.tokens import FIRST_WORD

_LINES_AT_ONCE = 1024


def learn(files, split, size, min_count: int, left_out=()) -> list:
    """Returns what is most frequent in plain or .gz files, streaming.

    Args:
        files: paths of UTF-8 text, one sentence a line.
        split: lines [B] -> items [N], words or characters.
        size: int or None. The largest vocabulary, special tokens included.
        min_count: int. How often an item must occur.
        left_out: items that are not to be learned.

    Returns:
        Items, most frequent first; equally frequent ones in their own order.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if `size` has no room, or a file is not UTF-8.
    """
    if size is not None and size <= FIRST_WORD:
        raise ValueError(
            f"`size` counts the {FIRST_WORD} special tokens. Received: size={size}"
        )
    counts = _count(files, split)
    items = [
        item
        for item, count in counts.items()
        if count >= min_count and item not in left_out
    ]
    items.sort(key=lambda item: (-counts[item], item))
    return items if size is None else items[: size - FIRST_WORD]


def _count(files, split) -> collections.Counter:
    counts = collections.Counter()
    for path in [files] if isinstance(files, str) else files:
        if not os.path.exists(path):
            raise FileNotFoundError(f"{path} does not exist.")
        compression = "GZIP" if str(path).endswith(".gz") else ""
        lines = tf.data.TextLineDataset(path, compression).batch(_LINES_AT_ONCE)
        try:
            for text in lines:
                counts.update(split(_require_utf8(text)).numpy().tolist())
        except tf.errors.OpError as error:
            reason = error.message.splitlines()[0]
            raise ValueError(f"{path} is not UTF-8 text: {reason}") from error
    return counts


def _require_utf8(text):
    return tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="strict")
