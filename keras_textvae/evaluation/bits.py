"""Bits per byte: likelihoods that compare across vocabularies.

N: texts.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace

BYTE = 8  # bits


class BitsPerByte(NamedTuple):
    """The bound on texts in bits for each byte of them, in UTF-8.

    A vocabulary that does not know a word leaves its letters to somebody else, and so
    costs less than the text does. Here they are charged `BYTE` bits each, and another
    `BYTE` for the word's end.

    Attributes:
        bits: (sum of the bounds / ln 2 + what unknown words are charged) / bytes.
        charged: the part of `bits` that unknown words are charged.
        size: bytes of all texts.
    """

    bits: float
    charged: float
    size: int


def bits_per_byte(
    space: "TextSpace", texts: Iterable[str], seed: int = 0
) -> BitsPerByte:
    """Returns the bound on texts in bits per byte, which does not depend on the pieces.

    What a vocabulary never writes, such as capitals that were lower-cased or the number
    of blanks between words, is not charged.

    Args:
        space: `TextSpace` of sentences.
        texts: of which none is too long.
        seed: int. Of the noise by which z is drawn.

    Raises:
        ValueError: for no text, one that is too long, or a space of crops.
    """
    texts = list(texts)
    if space.codec.form != "sentence":
        raise ValueError("A crop is not all of a text. Received: a space of crops")
    if not texts:
        raise ValueError("A text is needed. Received: none")
    size = sum(len(text.encode()) for text in texts)
    bits = float(np.sum(space.score(texts, seed).bound, dtype="float64")) / math.log(2)
    unknown = space.codec.tokenizer.unknown_bytes(texts)
    words = int(np.count_nonzero(unknown.flat_values))
    charged = BYTE * (int(np.sum(unknown.flat_values)) + words)
    return BitsPerByte((bits + charged) / size, charged / size, size)
