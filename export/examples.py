"""Example inputs of any signature, made from its declaration."""

import numpy as np
import tensorflow as tf

from keras_textvae.tokens import FIRST_WORD


def inputs(signature, rows: int, texts: list[str], options: bool = False) -> dict:
    """Returns the values of a signature's inputs by name, such as JSON can hold.

    Args:
        signature: its declaration, see `text_space.signatures`.
        rows: int.
        texts: list of str. Rows take one after another; each input begins with another,
            so that two texts of a row differ.
        options: bool. Whether optional inputs are there, with values other than their
            defaults.
    """
    return {
        declared.name: _value(declared, rows, texts[place:] + texts[:place])
        for place, declared in enumerate(signature.inputs)
        if options or declared.default is None
    }


def short_texts(space, count: int) -> list[str]:
    """Returns texts that the model can take, whatever its tokens are."""
    # A character has at most 4 bytes.
    longest = max(1, (space.codec.positions - 3) // 4)
    words = np.arange(FIRST_WORD, space.codec.vocabulary_size)
    drawn = np.random.default_rng(1).choice(words, (count, longest))
    texts = [text.decode() for text in space.codec.decode(drawn).numpy()]
    return [text[:longest].strip() or "a" for text in texts]


def _value(declared, rows, texts):
    if not declared.has_rows:
        return declared.example
    if declared.dtype == tf.string:
        return [declared.example.format(texts[i % len(texts)]) for i in range(rows)]
    if declared.dtype.is_integer:
        return list(range(rows))
    shape = rows, *declared.shape[1:]
    return np.random.default_rng(0).normal(size=shape).tolist()
