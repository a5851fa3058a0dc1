"""The codec: what a model is called on, in either form, and back."""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.tokenizers import CharacterTokenizer, Codec, WordTokenizer
from keras_textvae.tokens import BOS, EOS, PAD, UNK

WORDS = WordTokenizer(["a", "b", "c"])
CHARACTERS = CharacterTokenizer([*"abc", " ", "\n"])
A, B, C, BLANK, NEWLINE = range(4, 9)


def test_a_sentence_has_an_end_and_its_length_does_not_count_it():
    codec = Codec(WORDS, 3)
    assert codec.positions == 4
    ids = codec.ids(tf.constant(["a b c", "c"])).numpy()
    np.testing.assert_array_equal(ids, [[BOS, A, B, C, EOS], [BOS, C, EOS, PAD, PAD]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="more than 3 words"):
        codec.ids(tf.constant(["a b c a"]))
    assert codec.fits(["a b c", "a b c a"]).numpy().tolist() == [True, False]


def test_a_crop_has_exactly_its_length_and_no_end():
    codec = Codec(CHARACTERS, 3, "crop")
    assert codec.positions == 3
    ids = codec.ids(tf.constant(["ab", "abca"])).numpy()
    np.testing.assert_array_equal(ids, [[BOS, A, B, BLANK], [BOS, A, B, C]])
    assert codec.unemitted == (UNK, EOS)
    assert codec.fits(["ab", "abca"]).numpy().tolist() == [True, True]


@pytest.mark.parametrize("form", ["sentence", "crop"])
def test_hidden_ids_are_the_ids_with_the_hidden_ones_marked(form):
    codec = Codec(CHARACTERS, 4, form)
    text = tf.constant(["a_c"])
    ids, hidden, written = (x.numpy() for x in codec.hidden_ids(text))
    assert ids.shape == hidden.shape == written.shape
    assert np.argwhere(hidden).tolist() == [[0, 2]]
    shown = codec.ids(tf.constant(["abc"])).numpy()
    np.testing.assert_array_equal(np.where(hidden, B, ids), shown)
    assert codec.decode(ids, written).numpy()[0].decode().strip() == "a_c"


def test_running_ids_are_sentences_or_lines_of_running_text():
    sentences = Codec(WORDS, 1).running_ids(tf.constant(["a b", ""])).to_list()
    assert sentences == [[BOS, A, B, EOS], [BOS, EOS]]
    lines = Codec(CHARACTERS, 1, "crop").running_ids(tf.constant(["ab", ""])).to_list()
    assert lines == [[A, B, NEWLINE], [NEWLINE]]


@pytest.mark.parametrize(
    "codec", [Codec(WORDS, 3), Codec(CharacterTokenizer(tweets=True), 9)]
)
def test_a_codec_is_made_again_from_its_configuration(codec):
    again = Codec.from_config(codec.get_config())
    assert again.get_config() == codec.get_config()
    texts = tf.constant(["a b c"])
    np.testing.assert_array_equal(again.ids(texts), codec.ids(texts))
    assert again.positions == codec.positions


def test_what_makes_no_codec_is_refused():
    with pytest.raises(ValueError, match="Received: length=0"):
        Codec(WORDS, 0)
    with pytest.raises(ValueError, match="Received: form='text'"):
        Codec(WORDS, 3, "text")
    for tokenizer in (WORDS, CharacterTokenizer(["a"])):
        with pytest.raises(ValueError, match="knows the newline"):
            Codec(tokenizer, 3, "crop")
    backwards = CharacterTokenizer(right_to_left=True)
    with pytest.raises(ValueError, match="from left to right only"):
        Codec(backwards, 3, "crop")
    with pytest.raises(ValueError, match="That is no tokenizer"):
        Codec.from_config({"tokenizer": {"class_name": "X"}, "length": 1, "form": "x"})
