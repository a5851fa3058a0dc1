"""A space of random weights, and a report on it."""

import itertools

import numpy as np
import pytest

from keras_textvae import zoo
from keras_textvae.evaluation import report
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer

WORDS = "the a cat dog sees likes big old".split()
LENGTH = 5
UNKNOWN = "the zebra sees a dog"
TEXTS = [
    *(" ".join(words) for words in itertools.permutations(WORDS[1:6], 2)),
    *(" ".join(words) for words in itertools.permutations(WORDS[:4], 3)),
    UNKNOWN,
]
LEFT_OUT = ["", "a cat sees the big old dog"]
HISTORY = [
    {"epoch": 1.0, "val_loss": 9.0, "val_reconstruction": 8.0, "val_kl": 1.0},
    {"epoch": 2.0, "val_loss": 8.0, "val_reconstruction": 6.0, "val_kl": 2.0},
]


@pytest.fixture(scope="session")
def space():
    """A space whose texts differ."""
    tokenizer = WordTokenizer(WORDS)
    model = zoo.lstm_vae(tokenizer.vocabulary_size, 4, 8, 3)
    model(np.ones((1, 5), "int32"))
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.8, size=weight.shape))
    return TextSpace(model, Codec(tokenizer, LENGTH))


@pytest.fixture(scope="session")
def found(space):
    """The report on the space."""
    texts = [*TEXTS, *LEFT_OUT]
    return report(
        space,
        texts,
        [f"{len(text.split())} <words>" for text in texts],
        TEXTS,
        samples=12,
        paths=4,
        importance_samples=2,
        title="<b> & co",
        history=HISTORY,
    )
