"""What TensorFlow says of a failed check, and what of it is for people."""

import pytest

from keras_textvae.text_space import failed_check


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "a: assertion failed: [a text is empty] [0] [[{{node b}}]]",
            ("a text is empty", 0),
        ),
        ("assertion failed: [a text is empty] [12]", ("a text is empty", 12)),
        (
            "assertion failed: [steps must be 2] [[{{node b}}]]",
            ("steps must be 2", None),
        ),
        ("Servable not found", None),
    ],
)
def test_a_failed_check_has_words_and_perhaps_a_row(message, expected):
    assert failed_check(message) == expected
