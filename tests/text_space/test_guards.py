"""What a text space refuses, each with one clear line."""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.text_space import TextSpace
from keras_textvae.text_space.signatures import MAX_BYTES, MAX_ROWS
from keras_textvae.tokenizers import Codec, WordTokenizer

NAN, INF = float("nan"), float("inf")

REFUSED = {
    "no rows": (lambda s: s.reconstruct([]), "reconstruct: `text` has no rows"),
    "no samples": (
        lambda s: s.sample(0),
        "`count` must be positive. Received: count=0",
    ),
    "fewer than none": (lambda s: s.sample(-1), "`count` must be positive.* count=-1"),
    "half a seed": (lambda s: s.sample(2, seed=0.5), "`seed` and `count` must be ints"),
    "half a sample": (lambda s: s.sample(1.5), "`seed` and `count` must be ints"),
    "too large a seed": (
        lambda s: s.sample(2, seed=2**63 - 1),
        r"`seed` must be of type int64. Received: range",
    ),
    "z is NaN": (lambda s: s.decode([[0.0, NAN, 0.0]]), "decode: `z` is not finite"),
    "z is infinite": (lambda s: s.decode([[INF] * 3]), "decode: `z` is not finite"),
    "z overflows": (lambda s: s.decode([[1e300] * 3]), "decode: `z` is not finite"),
    "z too narrow": (
        lambda s: s.decode([[1.0, 2.0]]),
        r"decode: `z` must have shape \(None, 3\). Received: shape \(1, 2\)",
    ),
    "z a vector": (lambda s: s.decode(np.ones(3)), r"Received: shape \(3,\)"),
    "z ragged": (lambda s: s.decode([[1.0], [1.0, 2.0]]), "`z` must be of type float"),
    "z None": (lambda s: s.decode(None), "`z` must be of type float32"),
    "z text": (lambda s: s.decode("abc"), "`z` must be of type float32"),
    "cold": (
        lambda s: s.sample(temperature=-1.0),
        "sample: `temperature` must be at least 0",
    ),
    "hot": (lambda s: s.sample(temperature=101.0), "`temperature` must be at most 100"),
    "not a temperature": (
        lambda s: s.sample(temperature=NAN),
        "sample: `temperature` is not finite",
    ),
    "top -1": (lambda s: s.sample(top_k=-1), "`top_k` must be at least 0"),
    "top 1.5": (lambda s: s.sample(top_k=1.5), "`top_k` must be of type int32"),
    "top 2**40": (lambda s: s.sample(top_k=2**40), "`top_k` must be of type int32"),
    "top p 2": (lambda s: s.sample(top_p=2.0), "`top_p` must be at most 1"),
    "one step": (
        lambda s: s.interpolate("a", "b", 1),
        "interpolate: `steps` must be at least 2",
    ),
    "257 steps": (
        lambda s: s.interpolate("a", "b", 257),
        "interpolate: `steps` must be at most 256",
    ),
    "a list of starts": (
        lambda s: s.interpolate(["a"], ["b"]),
        r"interpolate: `start` must have shape \(None,\)",
    ),
    "a text alone": (lambda s: s.encode("a cat"), "A list of texts is needed"),
    "bytes alone": (lambda s: s.encode(b"a cat"), "A list of texts is needed"),
    "no texts": (lambda s: s.encode(None), "A list of texts is needed. Received: None"),
    "a text of rank 0": (lambda s: s.encode(tf.constant("a")), r"Received: shape \(\)"),
    "a number": (lambda s: s.encode([1]), r"`text` must be of type string"),
    "nothing among texts": (lambda s: s.encode(["a", None]), "must be of type string"),
    "half a character": (lambda s: s.encode(["\ud800"]), "must be of type string"),
    "too long": (
        lambda s: s.encode(["a cat", "a " * 6]),
        r"encode: a text has more than 5 words \(row 1, counted from 0\)",
    ),
    "too long alone": (
        lambda s: s.encode(["a " * 6]),
        "encode: a text has more than 5 words$",
    ),
    "too long after a request": (
        lambda s: s.encode(["a cat"] * MAX_ROWS + ["a", "a " * 6]),
        r"encode: a text has more than .* \(row 1025, counted from 0\)",
    ),
    "too long, as ids": (lambda s: s.ids(["a", "a", "a " * 6]), r"ids: .* \(row 2, "),
    "nothing to impute": (
        lambda s: s.impute(["_ cat"] * 200 + ["cat", "_"]),
        r"impute: a text has no hidden word \(_\) \(row 200, counted from 0\)",
    ),
    "a vector is NaN": (
        lambda s: s.decode([[0.0] * 3, [0.0, NAN, 0.0]]),
        r"decode: `z` is not finite \(row 1, counted from 0\)",
    ),
    "too many bytes": (
        lambda s: s.score(["a" * 70_000]),
        f"score: `text` has a text of more than {MAX_BYTES} bytes",
    ),
    "not a seed": (lambda s: s.score(["a"], seed=None), "`seed` must be of type int64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_in_one_line(words, name):
    call, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as error:
        call(words)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


def test_the_largest_allowed_inputs_are_taken(words):
    assert len(words.sample(MAX_ROWS, temperature=100.0)) == MAX_ROWS
    assert len(words.interpolate("a", "cat", 256)) == 256
    assert len(words.reconstruct(["a " * 5])) == 1
    assert len(words.encode(["a" * MAX_BYTES]).kl) == 1
    assert words.sample(1, seed=2**63 - 1) == words.sample(1, seed=2**63 - 1)


def test_another_backend_is_refused(words, monkeypatch):
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(ValueError, match="Received: KERAS_BACKEND=jax"):
        TextSpace(words.model, words.codec)


def test_a_vocabulary_that_is_not_the_model_s_is_refused(words):
    other = WordTokenizer(["a", "b"])
    with pytest.raises(ValueError, match="Received: 6 and 12 ids"):
        TextSpace(words.model, Codec(other, 5))


def test_a_length_beyond_the_decoder_s_is_refused(crops):
    for form, length in (("crop", 7), ("sentence", 6)):
        codec = Codec(crops.codec.tokenizer, length, form)
        with pytest.raises(ValueError, match=rf"6 ids at most.* length={length}"):
            TextSpace(crops.model, codec)


def test_a_model_without_a_length_takes_any(words):
    model = zoo.lstm_vae(12, 4, 4, 2)
    codec = Codec(words.codec.tokenizer, 1000)
    assert TextSpace(model, codec).codec is codec


def test_half_a_character_is_told(space):
    for attempt in (space.encode, space.impute, space.score):
        with pytest.raises(ValueError, match="`text` must be .* valid Unicode"):
            attempt(["a _", "a _ \ud83d"])
