"""Paragraphs of lines, and sentences of paragraphs."""

import pytest

from keras_textvae.corpora import sentences


def paragraphs(*chunks):
    return [
        *sentences.paragraphs((1, list(map(str.encode, lines))) for lines in chunks)
    ]


def test_a_line_is_a_paragraph_where_none_is_broken():
    assert paragraphs(["a", "b"], ["c"]) == ["a", "b", "c"]
    assert paragraphs(["", "a", "b", " "]) == ["a", "b"]
    long = "word " * 30
    assert paragraphs([long, "b", "", "c"]) == [long, "b", "c"]


def test_the_lines_of_a_book_are_joined_up_to_a_blank_one(monkeypatch):
    book = ["", "It was", "é dark.", " ", "", "He", "slept."]
    assert paragraphs(book) == ["It was\né dark.", "He\nslept."]
    assert paragraphs(book, ["Then", "he", "", "woke."]) == [
        "It was\né dark.",
        "He\nslept.\nThen\nhe",
        "woke.",
    ]
    monkeypatch.setattr(sentences, "LONGEST", 2)
    assert paragraphs(["a", "", *"bcdef"]) == ["a", "b\nc", "d\ne", "f"]


def test_the_rules_of_the_language_decide():
    english, german = map(sentences.splitter, ("en", "DE"))
    text = "Dr. Smith left at 5 p.m. on Mr. Brown's ship. Who\nknew? I did!"
    assert [*map(str.strip, english(text))] == [
        "Dr. Smith left at 5 p.m. on Mr. Brown's ship.",
        "Who\nknew?",
        "I did!",
    ]
    text = "Am 3. Januar kam z. B. Dr. Kohl. Er ging d.h. um 12 Uhr. Warum?"
    assert [*map(str.strip, german(text))] == [
        "Am 3. Januar kam z. B. Dr. Kohl.",
        "Er ging d.h. um 12 Uhr.",
        "Warum?",
    ]


@pytest.mark.parametrize("language", ["", "english", "e1", "e"])
def test_what_is_no_code_of_a_language_is_refused(language):
    with pytest.raises(ValueError, match=f"two or three letters.*'{language}'"):
        sentences.splitter(language)
