"""Texts that a service may receive go there and back, in every way TensorFlow runs."""

import gzip
import os

import hypothesis
import hypothesis.strategies as st
import keras
import pytest
import tensorflow as tf

from keras_textvae import tokenizers
from keras_textvae.tokenizers import (
    CharacterTokenizer,
    WordTokenizer,
    replace_names_and_links,
)
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, SPECIAL_TOKENS, UNK
from tests.tokenizers.saved_model import export

WORDS = ["the", "cat", "sat", "\U0001f600", "Été"]
WORD_TOKENIZER = WordTokenizer(WORDS)
BYTE_TOKENIZER = CharacterTokenizer()
LETTER_TOKENIZER = CharacterTokenizer(list("the ca\nséß\U0001f600\0"))
TOKENIZERS = {
    "words": WORD_TOKENIZER,
    "lower": WordTokenizer(["the", "cat", "é"], lower=True),
    "bytes": BYTE_TOKENIZER,
    "letters": LETTER_TOKENIZER,
    "tweets": CharacterTokenizer(tweets=True),
    "lower bytes": CharacterTokenizer(lower=True),
    "punctuation": WordTokenizer([*WORDS, "<￭"], split="punctuation"),
    "words from the right": WordTokenizer(WORDS, right_to_left=True),
    "bytes from the right": CharacterTokenizer(right_to_left=True),
}
HARD_TEXTS = [
    "the cat  sat",
    "",
    " \t ",
    "the\0cat",
    b"\xff\xfe cat \xed\xa0\x80",
    "\U0001f600 the\u00a0cat\u3000sat",
    "<pad> <bos> <eos> <unk>",
    "\ufeffthe cat",
]
each_tokenizer = pytest.mark.parametrize(
    "tokenizer", TOKENIZERS.values(), ids=[*TOKENIZERS]
)
# Few examples of many texts each: an eager call costs more than a long batch.
quick = hypothesis.settings(max_examples=8, deadline=None)


def decoded(tokenizer, ids):
    return [text.decode("utf-8") for text in tokenizer.decode(ids).numpy()]


def test_special_ids_surround_and_pad_the_words():
    ids = WORD_TOKENIZER.encode(["the sat", "cat", "dog"]).numpy().tolist()
    assert ids == [[BOS, 4, 6, EOS], [BOS, 5, EOS, PAD], [BOS, UNK, EOS, PAD]]


def test_from_right_to_left_the_last_word_comes_first():
    tokenizer = TOKENIZERS["words from the right"]
    ids = tokenizer.encode(["the cat sat", "sat", ""])
    assert ids.numpy().tolist() == [
        [BOS, 6, 5, 4, EOS],
        [BOS, 6, EOS, PAD, PAD],
        [BOS, EOS, PAD, PAD, PAD],
    ]
    assert decoded(tokenizer, ids) == ["the cat sat", "sat", ""]
    assert tokenizer.split(["the cat"]).to_list() == [[4, 5]]


@pytest.mark.parametrize("kind", ["words", "bytes"])
@pytest.mark.parametrize("text", ["the cat sat", "", "\U0001f600 the", "<unk>"])
def test_from_right_to_left_text_stays_in_reading_order(kind, text):
    one, other = TOKENIZERS[kind], TOKENIZERS[f"{kind} from the right"]
    expected = decoded(one, one.encode([text]))
    assert decoded(other, other.encode([text])) == expected


MARKED, UNMARKED = (
    ["\ufeffthe _", "the \ufeff_", "\ufeff"],
    ["the _", "the \ufeff_", ""],
)


@each_tokenizer
def test_a_byte_order_mark_is_dropped_at_the_beginning_alone(tokenizer):
    for method in (tokenizer.split, tokenizer.tokenize):
        assert method(MARKED).to_list() == method(UNMARKED).to_list()
    inside, without = tokenizer.split(["the \ufeffcat", "the cat"]).to_list()
    assert inside != without
    pairs = zip(*map(tokenizer.tokenize_hidden, (MARKED, UNMARKED)), strict=True)
    assert all(one.to_list() == other.to_list() for one, other in pairs)


@pytest.mark.parametrize("learn", [WordTokenizer.learn, CharacterTokenizer.learn])
def test_no_byte_order_mark_of_a_line_is_learned(tmp_path, learn):
    marked, unmarked = tmp_path / "marked.txt", tmp_path / "unmarked.txt"
    marked.write_text("\ufeffa b\n\ufeffa\n", encoding="utf-8")
    unmarked.write_text("a b\na\n")
    assert learn(marked).tokens == learn(unmarked).tokens


@pytest.mark.parametrize("learn", [WordTokenizer.learn, CharacterTokenizer.learn])
def test_too_large_a_count_is_named(tmp_path, learn):
    (tmp_path / "a.txt").write_text("a b\n")
    with pytest.raises(ValueError, match="is that frequent. Received: min_count=100"):
        learn(tmp_path / "a.txt", min_count=100)


def test_a_word_may_begin_with_a_mark_inside_a_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a \ufeffb\n", encoding="utf-8")
    tokenizer = WordTokenizer.learn(path)
    assert tokenizer.tokens[FIRST_WORD:] == ["a", "\ufeffb"]
    assert decoded(tokenizer, tokenizer.encode(["a \ufeffb"])) == ["a \ufeffb"]


@each_tokenizer
def test_hidden_pieces_are_unknown_and_pointed_out(tokenizer):
    ids, hidden, _ = tokenizer.tokenize_hidden(["the _ cat"])
    ids, hidden = ids.to_list()[0], hidden.to_list()[0]
    assert sum(hidden) == 1
    assert ids[hidden.index(True)] == UNK
    (before,), (after,) = tokenizer.split(["the "]), tokenizer.split([" cat"])
    before, after = before.numpy().tolist(), after.numpy().tolist()
    if tokenizer.right_to_left:
        before, after = after[::-1], before[::-1]
    assert ids == [BOS, *before, UNK, *after, EOS]
    assert hidden.index(True) == 1 + len(before)


@each_tokenizer
def test_what_is_unknown_can_be_decoded_as_it_was_written(tokenizer):
    text = "the \u00e4\u4e2d _ cat"
    ids, _, written = tokenizer.tokenize_hidden([text])
    decoded = tokenizer.decode(ids.to_tensor(PAD), written.to_tensor())
    knows_all = tokenizer.vocabulary_size == BYTE_TOKENIZER.vocabulary_size
    expected = text.replace("_", "<unk>") if knows_all else text
    assert decoded.numpy()[0].decode() == expected


def test_split_gives_the_words_alone():
    assert WORD_TOKENIZER.split(["the dog", ""]).to_list() == [[4, UNK], []]


def test_encode_to_a_length_pads_and_cuts():
    ids = WORD_TOKENIZER.encode(["the", "the cat sat"], length=4).numpy().tolist()
    assert ids == [[BOS, 4, EOS, PAD], [BOS, 4, 5, 6]]


def test_special_tokens_in_a_text_are_unknown_words():
    ids = WORD_TOKENIZER.split(["<pad> <bos> <eos> <unk>"])
    assert ids.to_list() == [[UNK] * 4]


def test_tokens_are_indexed_by_id():
    assert WORD_TOKENIZER.tokens == [*SPECIAL_TOKENS, *WORDS]
    assert WORD_TOKENIZER.vocabulary_size == FIRST_WORD + len(WORDS)
    assert BYTE_TOKENIZER.vocabulary_size == 260
    assert BYTE_TOKENIZER.tokens[FIRST_WORD + 0x41] == "<0x41>"


def test_bytes_have_the_ids_after_the_special_tokens():
    assert BYTE_TOKENIZER.split(["aé"]).to_list() == [
        [FIRST_WORD + byte for byte in "aé".encode()]
    ]


def test_lower_casing_is_that_of_unicode_and_survives_nul():
    tokenizer = TOKENIZERS["lower"]
    assert decoded(tokenizer, tokenizer.encode(["The CAT É\0cAt"])) == ["the cat é cat"]
    tokenizer = TOKENIZERS["lower bytes"]
    assert decoded(tokenizer, tokenizer.encode(["The CAT É\0cAt"])) == ["the cat é cat"]


def test_characters_are_learned_in_lower_case(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("ÉA a\n")
    learned = CharacterTokenizer.learn(path, lower=True)
    assert learned.tokens[FIRST_WORD:] == ["a", "\n", " ", "é"] and learned.lower
    again = CharacterTokenizer.from_config(learned.get_config())
    assert again.lower and again.get_config() == learned.get_config()
    # As it was before, by which a run of older weights knows its vocabulary.
    older = ["characters", "tweets", "right_to_left"]
    assert [*CharacterTokenizer().get_config()] == older


BLANKS = [0, *range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]
BLANKS += [0x2028, 0x2029, 0x202F, 0x205F, 0x3000]


def test_every_blank_ends_a_word_whole():
    texts = [f"{chr(b)}the{chr(b)}{chr(b)}cat{chr(b)}" for b in BLANKS]
    assert WORD_TOKENIZER.split(texts).to_list() == [[4, 5]] * len(BLANKS)


@quick
@hypothesis.given(st.lists(st.text(), max_size=50))
def test_bytes_decode_to_the_same_text(texts):
    assert decoded(BYTE_TOKENIZER, BYTE_TOKENIZER.encode(texts)) == texts


@quick
@hypothesis.given(st.lists(st.text(alphabet=LETTER_TOKENIZER.tokens[4:]), max_size=50))
def test_known_characters_decode_to_the_same_text(texts):
    assert decoded(LETTER_TOKENIZER, LETTER_TOKENIZER.encode(texts)) == texts


PIECES = st.lists(st.sampled_from([*WORDS, "<unk>", " ", "\t", "\u2003"]))


@quick
@hypothesis.given(st.lists(PIECES, max_size=50))
def test_words_decode_to_the_text_with_single_spaces(sentences):
    texts = [" ".join(pieces) for pieces in sentences]
    expected = [" ".join(text.split()) for text in texts]
    assert decoded(WORD_TOKENIZER, WORD_TOKENIZER.encode(texts)) == expected


@quick
@hypothesis.given(st.lists(st.binary(), max_size=50))
def test_any_bytes_decode_to_valid_utf8(texts):
    for tokenizer in TOKENIZERS.values():
        decoded(tokenizer, tokenizer.encode(texts))


@quick
@hypothesis.given(st.lists(st.binary(), max_size=50))
def test_bytes_that_are_not_utf8_decode_with_replacement_characters(texts):
    expected = [[byte + FIRST_WORD for byte in text] for text in texts]
    assert BYTE_TOKENIZER.split(texts).to_list() == expected
    # How many replacement characters a bad sequence gets differs between libraries.
    found = decoded(BYTE_TOKENIZER, BYTE_TOKENIZER.encode(texts))
    known = [text.decode("utf-8", "ignore").replace("\ufffd", "") for text in texts]
    assert [text.replace("\ufffd", "") for text in found] == known


def test_decoding_stops_at_the_end_and_skips_padding():
    ids = [[BOS, 4, PAD, 5, EOS, 6], [EOS, 4, 4, 4, 4, 4], [BOS, UNK, 99, -1, 4, 4]]
    texts = ["the cat", "", "<unk> <unk> <unk> the the"]
    assert decoded(WORD_TOKENIZER, ids) == texts


@each_tokenizer
def test_decoding_accepts_no_rows_and_no_time(tokenizer):
    assert tokenizer.decode(tokenizer.encode([])).shape == (0,)
    assert decoded(tokenizer, tf.zeros([2, 0], tf.int64)) == ["", ""]


@each_tokenizer
def test_dataset_gives_what_eager_gives(tokenizer):
    expected = tokenizer.encode(HARD_TEXTS)
    dataset = tf.data.Dataset.from_tensor_slices(HARD_TEXTS).batch(5).batch(1)
    dataset = dataset.unbatch().map(lambda text: (tokenizer.encode(text, length=40),))
    ids = tf.concat([ids for (ids,) in dataset], axis=0)
    tf.debugging.assert_equal(ids[:, : expected.shape[1]], expected)


@each_tokenizer
def test_saved_model_gives_what_eager_gives(tokenizer, tmp_path):
    loaded = export(tokenizer, tmp_path / "model")
    expected = tokenizer.encode(HARD_TEXTS)
    tf.debugging.assert_equal(loaded.encode(HARD_TEXTS), expected)
    tf.debugging.assert_equal(loaded.decode(expected), tokenizer.decode(expected))
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        loaded.signatures["encode"](text=tf.constant("scalar"))


@each_tokenizer
@pytest.mark.parametrize("text", ["scalar", [["rank 2"]], tf.zeros([2, 0], tf.string)])
def test_other_ranks_are_refused_and_do_not_kill_the_process(tokenizer, text):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        tokenizer.encode(text)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"b a <unk> b\r\n\n <eos> c\n")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress("b É a\u00a0c B".encode()))
    return [str(tmp_path / "a.txt"), str(tmp_path / "b.txt.gz")]


def test_words_are_learned_most_frequent_first_then_by_character(files):
    assert WordTokenizer.learn(files).tokens[FIRST_WORD:] == ["b", "a", "c", "B", "É"]


def test_words_are_limited_by_size_and_count(files):
    learned = WordTokenizer.learn(files, size=6, min_count=1)
    assert learned.tokens[FIRST_WORD:] == ["b", "a"]
    learned = WordTokenizer.learn(files, min_count=3, lower=True)
    assert learned.tokens[FIRST_WORD:] == ["b"]


def test_characters_are_learned_with_the_newline(tmp_path):
    (tmp_path / "a.txt").write_bytes("ab\n\nbé \n".encode())
    tokenizer = CharacterTokenizer.learn(str(tmp_path / "a.txt"))
    assert tokenizer.tokens[FIRST_WORD:] == ["\n", "b", " ", "a", "é"]
    limited = CharacterTokenizer.learn(str(tmp_path / "a.txt"), min_count=2)
    assert limited.tokens[FIRST_WORD:] == ["\n", "b"]


@pytest.mark.parametrize("learn", [WordTokenizer.learn, CharacterTokenizer.learn])
def test_learning_from_a_bad_file_names_it(learn, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.txt does not exist"):
        learn([str(tmp_path / "none.txt")])
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"fine\n\xff\n")
    with pytest.raises(ValueError, match="bad.txt, line 2: not UTF-8"):
        learn([str(bad)])


TWEETS = {
    "@bob thanks": "@userid thanks",
    "hi @a @b, http://t.co/x https://y": "hi @userid @userid url url",
    "a@b.com .@bob http:/x": "a@b.com .@bob http:/x",
    "@userid url": "@userid url",
    "@": "@userid",
    "": "",
}


@pytest.mark.parametrize("text", TWEETS)
def test_names_and_links_of_tweets_are_replaced_between_spaces(text):
    found = replace_names_and_links([text, TWEETS[text]]).numpy().astype(str)
    assert [*found] == [TWEETS[text]] * 2


@pytest.mark.parametrize("characters", [None, [*"@useridl xo"]])
def test_a_tokenizer_of_tweets_replaces_them_first(characters):
    tokenizer = CharacterTokenizer(characters, tweets=True)
    ids = tokenizer.encode(["xo @max https://x.example"])
    assert decoded(tokenizer, ids) == ["xo @userid url"]


def test_characters_of_names_and_links_are_not_learned(tmp_path):
    path = tmp_path / "tweets.txt"
    path.write_text("@Zoë 5\nhttp://7.example\n")
    learned = CharacterTokenizer.learn([str(path)], tweets=True)
    assert set(learned.tokens[FIRST_WORD:]) == set("@userid 5\nurl")
    assert learned.tweets


def test_an_emoji_cut_at_a_byte_becomes_a_replacement_character():
    tokenizer = CharacterTokenizer()
    ids = tokenizer.encode(["ok \U0001f600"], length=1 + 3 + 2)
    assert decoded(tokenizer, ids) == ["ok \ufffd"]


@each_tokenizer
def test_save_and_load_restore_the_tokenizer(tokenizer, tmp_path):
    path = str(tmp_path / "tokenizer.json")
    tokenizer.save(path)
    loaded = tokenizers.load(path)
    assert type(loaded) is type(tokenizer)
    assert loaded.get_config() == tokenizer.get_config()
    assert os.listdir(tmp_path) == ["tokenizer.json"]
    expected = tokenizer.encode(HARD_TEXTS)
    tf.debugging.assert_equal(loaded.encode(HARD_TEXTS), expected)


def test_a_failed_save_keeps_the_file_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    WORD_TOKENIZER.save(str(path))
    before = path.read_bytes()

    def full(content, file, **options):
        file.write("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("json.dump", full)
    with pytest.raises(OSError, match="No space left"):
        BYTE_TOKENIZER.save(str(path))
    assert os.listdir(tmp_path) == ["tokenizer.json"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b"{}",
        b'{"class_name": "Other", "config": {}}',
        b'{"class_name": "WordTokenizer", "config": {"w": 1}}',
        b'{"class_name": "WordTokenizer", "config": {"words": ["a", "a"]}}',
    ],
)
def test_loading_another_file_says_so(content, tmp_path):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="other.json is not a saved tokenizer"):
        tokenizers.load(str(path))


def test_keras_restores_a_tokenizer():
    config = keras.saving.serialize_keras_object(WORD_TOKENIZER)
    assert config["registered_name"] == "keras_textvae>WordTokenizer"
    restored = keras.saving.deserialize_keras_object(config)
    assert restored.tokens == WORD_TOKENIZER.tokens


@pytest.mark.parametrize(
    "words", [[], ["a", "a"], ["a b"], [""], ["a", "<eos>"], ["\0"]]
)
def test_impossible_words_are_refused(words):
    with pytest.raises(ValueError, match="Received"):
        WordTokenizer(words)


@pytest.mark.parametrize("characters", [[], ["a", "a"], ["ab"], [""]])
def test_impossible_characters_are_refused(characters):
    with pytest.raises(ValueError, match="Received"):
        CharacterTokenizer(characters)


def test_a_size_without_room_for_words_is_refused(files):
    with pytest.raises(ValueError, match="Received: size=4"):
        WordTokenizer.learn(files, size=4)


# A tweet -> its words, joined by blanks.
WORDS_OF_TWEETS = {
    "@bob I can't... believe it!!": "@userid I can't . . . believe it ! !",
    'RT "@max: see https://t.co/x?y=1 #now"': 'RT " @userid : see url #now "',
    "love❤️😂 _ don’t a_b": "love ❤️ 😂 _ don’t a_b",
    "Zoë’s 5€, <eos>": "Zoë’s 5 € , < eos >",
    "@userid url": "@userid url",
    "": "",
}


@pytest.mark.parametrize("text", WORDS_OF_TWEETS)
def test_marks_and_symbols_of_tweets_are_words(text):
    words = WORDS_OF_TWEETS[text]
    pieces = WordTokenizer(["a"], tweets=True)._pieces([text, words])
    assert [b" ".join(row).decode() for row in pieces.to_list()] == [words] * 2


def test_a_word_tokenizer_of_tweets_learns_and_saves_their_words(tmp_path):
    path = tmp_path / "tweets.txt"
    path.write_text("@Zoë hi!\nhi: @max\n")
    tokenizer = WordTokenizer.learn([str(path)], tweets=True)
    assert tokenizer.tokens[FIRST_WORD:] == ["@userid", "hi", "!", ":"]
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    again = tokenizers.load(str(tmp_path / "tokenizer.json"))
    assert again.get_config() == tokenizer.get_config()
    with pytest.raises(ValueError, match="no blank"):
        WordTokenizer(["hi!"], tweets=True)
