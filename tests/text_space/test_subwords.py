"""A space of subwords: any text, and hidden words of several pieces."""

import numpy as np
import pytest

from keras_textvae import Codec, TextSpace, zoo
from keras_textvae.tokenizers import SubwordTokenizer
from tests.step_by_step import step_by_step

# What is hidden in them, and then that of whole words and of the ends of words.
TEXTS = ["the cat _ a dog", "_ cat sees _, dog.", "the (_), zyzzyva\u00a0_", "a  _ _"]
WHOLE = [
    "the cat {} a dog",
    "{} cat sees {}, dog.",
    "the (s), zyzzyva\u00a0s",
    "a  {} {}",
]


@pytest.mark.parametrize("right_to_left", [False, True])
def test_hidden_words_become_the_likeliest_of_several_pieces(subwords, right_to_left):
    """In a language model without memory, of a blank and an "s" above all."""
    model = subwords.codec.tokenizer.model
    tokenizer = SubwordTokenizer(model, right_to_left=right_to_left)
    model = zoo.rnnlm(tokenizer.vocabulary_size, 2, 2)
    for weight in model.trainable_weights:
        weight.assign(np.zeros(weight.shape))
    likely = np.zeros(tokenizer.vocabulary_size)
    likely[[tokenizer.tokens.index(piece) for piece in ("\u2581", "s")]] = 12.0
    word = tokenizer.tokens.index("\u2581dog")
    likely[word] = 4.0
    model.trainable_weights[-1].assign(likely)  # the bias of the logits
    space = TextSpace(model, Codec(tokenizer, 40))
    assert space.impute(TEXTS, max_pieces=1) == [
        text.format("dog", "dog") for text in WHOLE
    ]
    assert space.impute(TEXTS) == [text.replace("_", "s") for text in TEXTS]
    likely[word] = 12.0
    model.trainable_weights[-1].assign(likely)
    assert space.impute(TEXTS) == [text.format("dog", "dog") for text in WHOLE]


def test_texts_of_all_kinds_are_taken(subwords):
    with step_by_step():
        texts = ["\u4e2d\u6587  \u2581", "\U0001f600\0", "<eos> <pad>"]
        assert subwords.encode(texts).mean.shape == (3, 3)
        assert subwords.impute("the _", width=1, steps=1, max_pieces=1) != "the _"


REFUSED = {
    "none hidden": ("a_b __", {}, "a text has no hidden word"),
    "all hidden": ("_ _", {}, "a text has hidden words only"),
    "no piece": ("a _", {"max_pieces": 0}, "`max_pieces` must be at least 1"),
    "too many": ("a _", {"max_pieces": 9}, "`max_pieces` must be at most 8"),
    "too long": ("\u4e2d" * 20 + " _", {}, "a text has more than 20 subwords"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_completed_is_refused_in_one_line(subwords, name):
    text, options, message = REFUSED[name]
    with pytest.raises(ValueError, match=f"impute: {message}") as error:
        subwords.impute([text], **options)
    assert "\n" not in str(error.value)


def test_other_spaces_have_no_pieces(words, crops):
    for space in (words, crops):
        with pytest.raises(ValueError, match="`max_pieces` is for spaces of subwords"):
            space.impute("the _", max_pieces=2)
