"""Words split at punctuation, and the text that comes back from them."""

import hypothesis
import hypothesis.strategies as st
import pytest
import tensorflow as tf

from keras_textvae import tokenizers
from keras_textvae.tokenizers import WordTokenizer
from keras_textvae.tokenizers.punctuation import JOINER
from keras_textvae.tokens import FIRST_WORD, SPECIAL_TOKENS, UNK

# A text -> its words, joined by blanks.
WORDS = {
    "3.5 miles (or $4,000).": "3 ￭.￭ 5 miles (￭ or $￭ 4 ￭,￭ 000 ￭) ￭.",
    '"I was very happy," she said...': '"￭ I was very happy ￭, ￭" she said ￭. ￭. ￭.',
    "¿Qué?": "¿￭ Qué ￭?",
    "rock'n'roll — no!": "rock'n'roll — no ￭!",
    "e.g. U.S.": "e ￭.￭ g ￭. U ￭.￭ S ￭.",
    "Er sah „Anführung“ an.": "Er sah „￭ Anführung ￭“ an ￭.",
    "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4} ok": (
        "\N{THUMBS UP SIGN} ￭\N{EMOJI MODIFIER FITZPATRICK TYPE-4} ok"
    ),
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}!": (
        "\N{WOMAN} ￭\N{ZERO WIDTH JOINER} ￭\N{PERSONAL COMPUTER} ￭!"
    ),
    "❤️x": "❤️￭ x",
    "a , ,, b.": "a , , ￭, b ￭.",
    "re-_ (_), a_b #no @me": "re ￭-￭ _ (￭ _ ￭) ￭, a_b #no @me",
    " \t.\v\n": ".",
    "": "",
}
SPECIAL = {"the <unk>, (<eos>) <x>": "the <unk> ￭, (￭ <eos> ￭) <￭ x ￭>"}


def tokenizer_of(words, **options):
    return WordTokenizer([*words], split="punctuation", **options)


def text_of(tensor):
    return [text.decode() for text in tensor.numpy()]


@pytest.mark.parametrize("text", WORDS | SPECIAL)
def test_marks_are_words_that_say_where_no_blank_stood(text):
    tokenizer = tokenizer_of(["a"])
    (pieces,) = tokenizer._pieces([text]).to_list()
    assert b" ".join(pieces).decode() == (WORDS | SPECIAL)[text]


# Python's `split` takes four more characters for blanks, and not NUL.
WRITTEN = st.characters(
    exclude_categories=["Cs"], exclude_characters="\0\x1c\x1d\x1e\x1f"
)
MIXED = st.one_of(WRITTEN, st.sampled_from([*"ab'’_#@.,;<>-\"( \t\u0301\u200d💻"]))
TEXTS = st.lists(st.text(MIXED.filter(lambda c: c != JOINER)), min_size=1, max_size=50)


@pytest.mark.parametrize("right_to_left", [False, True])
@hypothesis.settings(max_examples=8, deadline=None)
@hypothesis.given(TEXTS)
def test_a_text_of_known_words_comes_back_but_for_runs_of_blanks(right_to_left, texts):
    texts = [text.lstrip("\ufeff") for text in [*texts, *WORDS]]
    pieces = tokenizer_of(["a"])._pieces(texts).flat_values.numpy()
    words = {word.decode() for word in pieces} - {*SPECIAL_TOKENS}
    tokenizer = tokenizer_of(sorted(words), right_to_left=right_to_left)
    expected = [" ".join(text.split()) for text in texts]
    assert text_of(tokenizer.decode(tokenizer.encode(texts))) == expected


def test_the_vocabulary_of_a_file_spells_it(tmp_path):
    path = tmp_path / "texts.txt"
    texts = [" ".join(text.split()) for text in WORDS]
    path.write_text("".join(f"{text}\n" for text in [*texts, *SPECIAL]))
    tokenizer = tokenizers.learn("words", path, split="punctuation")
    assert not {*tokenizer.tokens[FIRST_WORD:]} & {*SPECIAL_TOKENS}
    assert text_of(tokenizer.decode(tokenizer.encode(texts))) == texts


@pytest.mark.parametrize("text", WORDS | SPECIAL)
def test_what_is_unknown_comes_back_as_it_was_written(text):
    tokenizer = tokenizer_of(["happy", "￭,", "￭.", "(￭"])
    ids, _, written = tokenizer.tokenize_hidden([text])
    decoded = tokenizer.decode(ids.to_tensor(), written.to_tensor())
    assert text_of(decoded) == [" ".join(text.split())]


def test_a_joiner_of_the_text_itself_is_another_square():
    tokenizer = tokenizer_of(["a", "￭■￭", "b", "■", "￭■"])
    ids = tokenizer.encode(["a￭b ￭￭", "a■b ■■"])
    assert UNK not in ids.numpy()
    assert text_of(tokenizer.decode(ids)) == ["a■b ■■"] * 2


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("(￭ a ￭) ￭.￭ b", "(a).b"),
        ("￭.￭ ￭,￭ ￭!", ".,!"),  # however often nothing stands between
        ("(￭ ￭.", "(."),
        ("a ￭.￭", "a."),
        ("￭.￭", "."),
        (". a , b", ". a , b"),
    ],
)
def test_any_sequence_of_words_is_written_without_joiners(words, text):
    words = words.split()
    tokenizer = tokenizer_of(dict.fromkeys(words))
    ids = [[tokenizer.tokens.index(word) for word in words]]
    assert text_of(tokenizer.decode(ids)) == [text]


def test_a_decoded_text_has_the_words_that_it_was_decoded_from():
    known = "a ￭.￭ (￭ ￭) ￭, ,".split()
    tokenizer = tokenizer_of(known)
    ids = tokenizer.split(["a.b (c), a", "☃ a, (☃) ☃☃", "b , b"])
    words = [[tokenizer.tokens[i] for i in row] for row in ids.to_list()]
    texts = text_of(tokenizer.decode(ids.to_tensor()))
    assert texts == [
        "a.<unk> (<unk>), a",
        "<unk> a, <unk> <unk>) <unk> <unk>",
        "<unk> , <unk>",
    ]
    assert tokenizer.decoded_pieces(texts) == words
    assert tokenizer.decoded_pieces([]) == []


def test_marks_are_lower_case_words_too():
    tokenizer = tokenizer_of(["no", "￭!", "ⓐ"], lower=True)
    ids = tokenizer.encode(["NO! Ⓐ"])
    assert text_of(tokenizer.decode(ids)) == ["no! ⓐ"]


@pytest.mark.parametrize(
    "word", ["￭", "￭b", "￭,b", "a￭b", "￭,￭￭", "x.", "a b", "", "￭<unk>", "<unk>￭", "￭_"]
)
def test_what_is_not_one_word_is_refused(word):
    with pytest.raises(ValueError, match="nor a mark where marks are words. Received"):
        tokenizer_of([word])


def test_a_configuration_says_how_words_are_split_only_where_older_ones_could_not():
    tokenizer = tokenizer_of(["a", "￭!"])
    again = WordTokenizer.from_config(tokenizer.get_config())
    assert again.get_config() == tokenizer.get_config()
    tf.debugging.assert_equal(again.encode(["a!"]), tokenizer.encode(["a!"]))
    assert [*WordTokenizer(["a"]).get_config()] == [
        "words",
        "lower",
        "right_to_left",
        "tweets",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "marks"}, "blanks, punctuation. Received: split='marks'"),
        ({"split": "punctuation", "tweets": True}, "tweets=True"),
        ({"split": "punctuation", "level": "bytes"}, "level='bytes'"),
        ({"split": "punctuation", "level": "characters"}, "level='characters'"),
    ],
)
def test_a_split_that_does_not_fit_is_refused_before_a_file_is_read(options, message):
    with pytest.raises(ValueError, match=message):
        tokenizers.learn(**{"level": "words", "files": "none.txt"} | options)
