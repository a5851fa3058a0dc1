"""What a training prints."""

import math
import types

import pytest

from keras_textvae import zoo
from keras_textvae.evaluation import Bound
from keras_textvae.prepared import Text
from keras_textvae.prepared.corpus import Split
from keras_textvae.training import console


@pytest.mark.parametrize(("unknown", "warned"), [(0, 0), (10, 0), (11, 1), (200, 1)])
def test_many_unknown_words_are_warned_of(capsys, unknown, warned):
    figures = {"ids": 240, "tokens": 200, "unknown": unknown, "too_long": 3}
    figures |= {"sentences": 20, "shortest": 1, "longest": 12, "label_names": {}}
    split = Split("folder", "valid", "sentence", 12, 16, **figures)
    corpus = types.SimpleNamespace(
        splits=[split], vocabulary_size=50, length=12, text={"vocabulary": 50}
    )
    console.describe_corpus(corpus)
    line, *warnings, sizes = capsys.readouterr().out.splitlines()
    assert line == (
        "valid: 20 sentences of 1 to 12 words or characters, 200 tokens, "
        f"{unknown / 200:.1%} unknown, 3 too long"
    )
    assert sizes.startswith("vocabulary 50, length 12, which 99%")
    assert len(warnings) == warned
    for warning in warnings:
        assert warning.startswith(f"warning: {unknown / 200:.1%} of valid's words or")
        assert "a larger --vocabulary" in warning
    corpus.text["vocabulary"] = None  # a larger one would not know more
    console.describe_corpus(corpus)
    assert "--vocabulary" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (Text("bytes", length=9), "2.000 bits per byte"),
        (Text("characters", length=9), "2.000 bits per character"),
        (Text("characters", length=9, form="crop"), "2.000 bits per character"),
    ],
)
def test_bits_are_those_of_what_the_model_reads(capsys, text, line):
    nats = 5 * 2 * math.log(2)  # of 5 ids
    run = types.SimpleNamespace(
        recipe=types.SimpleNamespace(text=text, density=zoo.Density()),
        corpus=types.SimpleNamespace(has_test=True),
        best_model=lambda: None,
        test=lambda model: Bound(nats, nats, 0.0, 5.0),
    )
    console.report(run, samples=0)
    assert capsys.readouterr().out.splitlines()[1:] == [line]


def test_characters_a_word_and_a_length_that_was_given_are_told(capsys):
    figures = {"ids": 24, "tokens": 20, "unknown": 0, "too_long": 0, "sentences": 2}
    figures |= {"shortest": 1, "longest": 12, "pieces": 20, "characters": 90}
    split = Split("folder", "train", "sentence", 12, 16, **figures, label_names={})
    text = {"level": "words", "length": 12}
    corpus = types.SimpleNamespace(
        splits=[split], vocabulary_size=50, length=12, text=text
    )
    console.describe_corpus(corpus)
    line, sizes = capsys.readouterr().out.splitlines()
    assert line.startswith("train: 2 sentences of 1 to 12 words of 4.5 characters, ")
    assert sizes == "vocabulary 50, length 12"
