"""What texts have in common, by hand."""

import pytest

from keras_textvae.evaluation.space_report import overlap


def pieces(*texts):
    return [text.split() for text in texts]


def test_distinct_ngrams_by_hand():
    texts = pieces("a b a", "a b")
    assert overlap.distinct(texts, 1) == 2 / 5
    assert overlap.distinct(texts, 2) == 2 / 3
    assert overlap.distinct(texts, 4) == 1.0


def test_pieces_in_place_by_hand():
    texts, others = pieces("a b c", "d e"), pieces("a x c y", "e d")
    assert overlap.in_place(texts, others) == 2 / 5
    assert overlap.in_place(pieces("a b c d"), pieces("a b")) == 2 / 4
    assert overlap.in_place([[]], [["a"]]) == 0.0


def test_bleu_of_texts_and_their_references():
    pytest.importorskip("sacrebleu")
    one, other = pieces("a b c d e", "f g h i j")
    assert overlap.bleu([one, other], [one, other]) == pytest.approx(100.0)
    assert overlap.bleu([one, other], [other, one]) < 10.0
    assert overlap.bleu_among([one], [other, one]) == pytest.approx(100.0)
    assert overlap.self_bleu([one, one, one]) == pytest.approx(100.0)
    assert overlap.self_bleu([one, other]) < 10.0
    assert overlap.self_bleu([one]) is None
    # Precisions 4/5, 3/4, 2/3 and 1/2, of equal lengths.
    found = overlap.bleu(pieces("a b c d x"), pieces("a b c d e"))
    assert found == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 / 2) ** 0.25)


def test_blanks_are_characters():
    pytest.importorskip("sacrebleu")
    assert overlap.bleu([list("a b c d")], [list("a b c d")]) == pytest.approx(100.0)
    assert overlap.bleu([list("a b c d")], [list("abcd")]) < 50.0


def test_without_sacrebleu_there_is_no_bleu(monkeypatch):
    monkeypatch.setattr(overlap, "has_bleu", lambda: False)
    assert overlap.bleu(pieces("a"), pieces("a")) is None
    assert overlap.self_bleu(pieces("a", "b")) is None
