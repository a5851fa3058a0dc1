"""Tiny text spaces, of random weights large enough that texts differ."""

import numpy as np
import pytest

from keras_textvae import GaussianMixture, zoo
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import (
    CharacterTokenizer,
    Codec,
    SubwordTokenizer,
    WordTokenizer,
)

POSITIONS = 6
LENGTH = POSITIONS - 1  # of a sentence, its end not counted
Z = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
DENSITY = GaussianMixture(
    np.float32([0.5, 0.5]),
    np.float32([[4.0, 0.0, 0.0], [0.0, -4.0, 0.0]]),
    np.float32([0.1 * np.eye(3), np.tril(np.full((3, 3), 2.0))]),
)


def stirred(model):
    """The model with weights that make each z another text."""
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.8, size=weight.shape))
    return model


def given(space):
    """Four texts that a space takes."""
    if space.codec.form == "crop":
        return ["abcabc", "edc ba", "b\nd  e", "a"]
    return ["the cat sees a dog", "old dog", "xyzzy", ""]


@pytest.fixture(scope="session")
def words():
    """A space of sentences of words, with an LSTM."""
    tokenizer = WordTokenizer("the a cat dog sees likes big old".split())
    size = tokenizer.vocabulary_size
    model = zoo.lstm_vae(size, 5, 8, 3, keep_rate=0.5, z_every_step=True)
    return TextSpace(stirred(model), Codec(tokenizer, LENGTH))


@pytest.fixture(scope="session")
def fitted(words):
    """The space of words, which samples from a density unless told otherwise."""
    return TextSpace(words.model, words.codec, DENSITY, fitted=True)


@pytest.fixture(scope="session")
def crops():
    """A space of crops of characters, with a hybrid."""
    tokenizer = CharacterTokenizer([*"abcde", " ", "\n"])
    model = zoo.hybrid_vae(
        tokenizer.vocabulary_size, POSITIONS, 3, units=8, channels=(4, 6), features=5
    )
    return TextSpace(stirred(model), Codec(tokenizer, POSITIONS, "crop"))


@pytest.fixture(scope="session")
def tweets():
    """A space of tweets as bytes, with a hybrid."""
    tokenizer = CharacterTokenizer(tweets=True)
    model = zoo.hybrid_vae(
        tokenizer.vocabulary_size, POSITIONS, 3, units=8, channels=(4,), features=5
    )
    return TextSpace(stirred(model), Codec(tokenizer, LENGTH))


def space_of_subwords():
    pytest.importorskip("sentencepiece")
    texts = ["the cat sees a dog", "a big dog likes the old cat", "dogs like cats"]
    tokenizer = SubwordTokenizer.learn_from(texts * 3)
    model = zoo.lstm_vae(tokenizer.vocabulary_size, 5, 8, 3, z_every_step=True)
    return TextSpace(stirred(model), Codec(tokenizer, 20))


@pytest.fixture(scope="session")
def subwords():
    """A space of subwords, with an LSTM."""
    return space_of_subwords()


@pytest.fixture(params=["words", "crops"])
def space(request):
    return request.getfixturevalue(request.param)
