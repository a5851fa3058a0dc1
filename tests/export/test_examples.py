"""Examples: what every signature can take, whatever the model's tokens are."""

import pytest
import tensorflow as tf

from export import examples


def test_rows_take_the_texts_in_turn_and_inputs_begin_with_others(space):
    signatures = space.graph.signatures
    assert examples.inputs(signatures["interpolate"], 3, ["a", "b"]) == {
        "start": ["a", "b", "a"],
        "end": ["b", "a", "b"],
    }
    assert examples.inputs(signatures["impute"], 1, ["a"]) == {"text": ["_ a"]}


def test_options_are_there_on_demand(space):
    score = space.graph.signatures["score"]
    assert {*examples.inputs(score, 1, ["a"])} == {"text"}
    assert examples.inputs(score, 1, ["a"], options=True) == {"text": ["a"], "seed": 5}


def test_rows_of_numbers_differ(space):
    signatures = space.graph.signatures
    assert examples.inputs(signatures["sample"], 3, []) == {"seed": [0, 1, 2]}
    first, second = examples.inputs(signatures["decode"], 2, [])["z"]
    assert len(first) == space.model.latent_dim and first != second


@pytest.mark.parametrize("decoded", ["", "   ", "aaaaaaaaaaaaaaaa", "\U0001f600" * 16])
def test_texts_are_short_whatever_the_words(space, monkeypatch, decoded):
    monkeypatch.setattr(space.codec, "decode", lambda ids: tf.constant([decoded]))
    (text,) = examples.short_texts(space, 1)
    assert text
    assert 1 <= len(text.encode()) + 2 < space.codec.positions
    assert len(tf.strings.unicode_split(text, "UTF-8")) == len(text)
