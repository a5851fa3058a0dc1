"""Bits per byte of a model that knows nothing, whose bound is exact."""

import math

import numpy as np
import pytest

from keras_textvae import zoo
from keras_textvae.evaluation import bits_per_byte
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import CharacterTokenizer, Codec, WordTokenizer


def ignorant(tokenizer, form="sentence"):
    """A space in which each next word has the probability 1 / V, and no KL."""
    model = zoo.lstm_vae(tokenizer.vocabulary_size, 4, 4, 2)
    for weight in model.trainable_weights:
        weight.assign(np.zeros(weight.shape))
    return TextSpace(model, Codec(tokenizer, 20, form))


def test_a_word_costs_as_much_as_all_others_and_an_unknown_one_its_bytes_too():
    space = ignorant(WordTokenizer(["the", "cat", "sees"]))
    figures = bits_per_byte(space, ["the cat", "the gnü  sees the cat", ""])
    size = len("the cat") + len("the gnü  sees the cat".encode())
    words = (2 + 1) + (5 + 1) + 1  # with the ends of the texts
    charged = 8 * (len("gnü".encode()) + 1) / size
    assert figures.size == size
    assert figures.charged == charged
    assert figures.bits == pytest.approx(words * math.log2(7) / size + charged)


def test_a_byte_costs_as_much_as_all_others():
    figures = bits_per_byte(ignorant(CharacterTokenizer()), ["gnü", "\U0001f600"])
    assert figures.bits == pytest.approx((4 + 1 + 4 + 1) * math.log2(260) / 8)
    assert figures.charged == 0


def test_a_character_that_is_not_in_the_list_is_charged():
    figures = bits_per_byte(ignorant(CharacterTokenizer(["g", "n"])), ["gnü"])
    assert figures.charged == 8 * (2 + 1) / 4


def test_what_has_no_bits_per_byte_is_refused():
    space = ignorant(WordTokenizer(["the"]))
    with pytest.raises(ValueError, match="A text is needed"):
        bits_per_byte(space, [])
    with pytest.raises(ValueError, match=r"more than 20 .*row 1"):
        bits_per_byte(space, ["the", "the " * 21])
    with pytest.raises(ValueError, match="A crop is not all of a text"):
        bits_per_byte(ignorant(CharacterTokenizer(["a", " ", "\n"]), "crop"), ["a"])
