"""Subwords: any text goes there and back exactly, and learning is a function."""

import collections
import gzip
import random
import subprocess
import sys

import hypothesis
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import grammar, tokenizers
from keras_textvae.tokenizers import Codec, SubwordTokenizer, piece_learning
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, SPECIAL_TOKENS, UNK
from tests.tokenizers.saved_model import export

sentencepiece = pytest.importorskip("sentencepiece")

ENGLISH = [example.text for example in grammar.generate(300, 0, "train")]
GERMAN = "Äpfel über Öfen größer Straße müde fähig Vögel schön weiß Tür für".split()
SCRIPTS = {
    "chinese": range(0x4E00, 0x4F00),
    "japanese": [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB)],
    "arabic": range(0x0620, 0x064B),
    "thai": range(0x0E01, 0x0E3B),
    "emoji": [*range(0x1F600, 0x1F650), 0x200D, 0xFE0F],
}
# Blanks of all kinds, what SentencePiece or we might take for something special, and
# what is written by nothing but bytes.
HARD_TEXTS = [
    "",
    " ",
    "  two  blanks  ",
    "\tdog\n\ncat\r\n",
    "no\u00a0break\u3000and\u2009thin",
    "NUL \0\0 and \0",
    "\u2581 \u2581\u2581a \u2581",
    "\u241b \u241b0 \u241b1\u241b2\u241b\u2581",
    "\u2585 is rare",
    "<pad> <s> </s> <bos> <eos> <unk> <0xE4> <0x00>",
    "<s>",
    "_ a _ b_c _.",
    "a \ufeff b",
    "\U0010ffff\ufdd0\uffff\ue000",
    "e\u0301 \u1100\u1161 \u0301",
    "Ä ä İ ß ﬁ ① Å",
]


def lines(script, count, seed):
    """Generated lines of a script."""
    rng = random.Random(seed)
    letters = [*map(chr, SCRIPTS[script])]
    return [
        " ".join("".join(rng.choices(letters, k=rng.randint(1, 8))) for _ in range(3))
        for _ in range(count)
    ]


def german(count, seed):
    rng = random.Random(seed)
    return [" ".join(rng.choices(GERMAN, k=5)) + "!" for _ in range(count)]


LEARNED = [*ENGLISH, *german(100, 0), *lines("japanese", 50, 0)]
OPTIONS = {
    "unigram": {},
    "bpe": {"algorithm": "bpe"},
    "from the right": {"right_to_left": True},
}


@pytest.fixture(scope="module")
def learned():
    """A tokenizer for each of `OPTIONS`."""
    return {
        name: SubwordTokenizer.learn_from(LEARNED, 600, **options)
        for name, options in OPTIONS.items()
    }


@pytest.fixture(params=OPTIONS)
def tokenizer(request, learned):
    return learned[request.param]


@pytest.fixture
def unigram(learned):
    return learned["unigram"]


def decoded(tokenizer, ids):
    return [text.decode() for text in tokenizer.decode(ids).numpy()]


def comes_back(tokenizer, texts):
    ids = tokenizer.tokenize(texts)
    assert decoded(tokenizer, ids.to_tensor(PAD)) == texts
    inner = ids[:, 1:-1].flat_values.numpy()
    assert all((FIRST_WORD <= inner) & (inner < tokenizer.vocabulary_size))


def test_hard_texts_come_back_exactly(tokenizer):
    comes_back(tokenizer, HARD_TEXTS)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_come_back_exactly(tokenizer, script):
    comes_back(tokenizer, lines(script, 50, 1))


def test_german_comes_back_exactly(tokenizer):
    comes_back(tokenizer, german(50, 1))


@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(
    st.lists(
        st.one_of(
            st.text(),
            st.text(alphabet=" \t\0\u2581\u241b\u2585_012a<s>/pad\u00a0"),
        ).filter(lambda text: not text.startswith("\ufeff")),
        max_size=50,
    )
)
def test_any_text_comes_back_exactly(learned, texts):
    for tokenizer in learned.values():
        comes_back(tokenizer, texts)


@hypothesis.settings(max_examples=8, deadline=None)
@hypothesis.given(st.lists(st.binary(), max_size=50))
def test_any_bytes_decode_to_valid_utf8(learned, texts):
    tokenizer = learned["unigram"]
    decoded(tokenizer, tokenizer.encode(texts))


@hypothesis.settings(max_examples=8, deadline=None)
@hypothesis.given(st.lists(st.lists(st.integers(-1, 601), min_size=5, max_size=5)))
def test_any_ids_decode_to_valid_utf8(learned, ids):
    decoded(learned["unigram"], tf.reshape(tf.constant(ids, tf.int32), [-1, 5]))


def test_the_special_ids_are_ours(unigram):
    assert unigram.tokens[:FIRST_WORD] == [*SPECIAL_TOKENS]
    assert unigram.vocabulary_size == len(unigram.tokens) == 600
    ids = unigram.encode(["the chef", ""]).numpy().tolist()
    assert ids[0][0] == BOS and ids[0][-1] == EOS
    assert ids[1][:2] == [BOS, EOS] and {*ids[1][2:]} <= {PAD}


def test_a_word_has_one_piece_wherever_it_stands(unigram):
    (the,) = unigram.split(["the"]).to_list()[0]
    assert unigram.tokens[the] == "\u2581the"
    assert unigram.split(["the the", " the"]).to_list() == [
        [the, the],
        [unigram.tokens.index("\u2581"), the],
    ]


def test_segmentations_are_those_of_the_package(tokenizer):
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)
    texts = [*ENGLISH[:50], *german(50, 2), *lines("thai", 20, 2)]
    assert tokenizer.split(texts).to_list() == processor.encode(texts)


def test_segmentations_are_drawn_again_by_their_seed(tokenizer):
    texts = ["Gr\u00fc\u00dfe \u2581\0", *HARD_TEXTS, *ENGLISH[:30]]
    ids, again, others = (tokenizer.draw(texts, seed).to_list() for seed in (1, 1, 2))
    assert ids == again != others
    for row in ids, others:
        row = tf.ragged.constant(row).to_tensor(PAD)
        assert decoded(tokenizer, row) == texts
    best = tokenizer.tokenize(texts).to_list()
    assert sum(map(len, best)) < sum(map(len, ids))
    assert all({*row[:1], *row[-1:]} == {BOS, EOS} for row in ids)


def test_draws_follow_the_model_s_probabilities():
    """Of a word with all its segmentations, by a unigram model."""
    tokenizer = SubwordTokenizer.learn_from(["aab ab aab b", "a aab"] * 30)
    processor = sentencepiece.SentencePieceProcessor(model_proto=tokenizer.model)
    drawn = collections.Counter(
        tuple(row[1:-1]) for row in tokenizer.draw(["aab"] * 4_000, 0).to_list()
    )
    weights = {row: np.exp(0.2 * sum(map(processor.get_score, row))) for row in drawn}
    assert len(drawn) > 2
    for row, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(drawn[row] / 4_000 - share) < 5 * np.sqrt(share / 4_000)


def test_from_right_to_left_the_last_piece_comes_first(learned):
    one, other = learned["unigram"], learned["from the right"]
    texts = ENGLISH[:20]
    for ids, reverse in zip(one.tokenize(texts), other.tokenize(texts), strict=True):
        assert ids[1:-1].numpy().tolist() == reverse[1:-1].numpy().tolist()[::-1]
    assert one.split(texts).to_list() == other.split(texts).to_list()


def test_a_byte_order_mark_is_dropped_at_the_beginning_alone(tokenizer):
    marked, unmarked = (
        ["\ufeffthe _", "the \ufeff_", "\ufeff"],
        ["the _", "the \ufeff_", ""],
    )
    for method in (tokenizer.split, tokenizer.tokenize):
        assert method(marked).to_list() == method(unmarked).to_list()
    pairs = zip(*map(tokenizer.tokenize_hidden, (marked, unmarked)), strict=True)
    assert all(one.to_list() == other.to_list() for one, other in pairs)


# A text -> how many of its words are hidden.
HIDDEN = {
    "the _ chef": 1,
    "_ chef": 1,
    "the _": 1,
    "_": 1,
    "_ _ _ _ _": 5,
    "the _, the (_) and the _.": 3,
    "a\u00a0_\tb": 1,
    "a_b __ _a a_ \u00e4_\u00f6 1_": 0,
    "": 0,
    "the \u2581_": 0,
}


@pytest.mark.parametrize("text", HIDDEN)
def test_hidden_words_are_unknown_and_pointed_out(tokenizer, text):
    ids, hidden, written = tokenizer.tokenize_hidden(["_ ", text, " _"])
    assert int(tf.reduce_sum(tf.cast(hidden[1], tf.int32))) == HIDDEN[text]
    assert [i == UNK for i in ids[1].numpy()] == hidden[1].numpy().tolist()
    shown = tokenizer.decode(ids.to_tensor(PAD), written.to_tensor()).numpy()
    assert [line.decode() for line in shown] == ["_ ", text, " _"]


def test_a_hidden_word_takes_its_blank_with_it(unigram):
    ids, hidden, written = unigram.tokenize_hidden(["the _ the (_)"])
    row = [unigram.tokens[i] for i in ids[0].numpy()]
    assert row[1:4] == ["\u2581the", "<unk>", "\u2581the"]
    names = [name.decode() for name in written[0].numpy()]
    assert [n for n, h in zip(names, hidden[0].numpy(), strict=True) if h] == [
        " _",
        "_",
    ]


def test_lower_casing_is_that_of_unicode_and_survives_nul():
    tokenizer = SubwordTokenizer.learn_from(LEARNED, lower=True)
    texts = ["The CHEF \0 ÄÖÜ \u2581", "ΣΑΣ"]
    expected = ["the chef \0 äöü \u2581", "σας"]
    assert decoded(tokenizer, tokenizer.encode(texts)) == expected
    assert not any(
        name.lower() != name for name in tokenizer.tokens[FIRST_WORD + 256 :]
    )


def test_nfkc_is_that_of_unicode():
    tokenizer = SubwordTokenizer.learn_from(LEARNED, nfkc=True)
    texts = ["ﬁne ① Ａ e\u0301", "\0 \u2581 \u241b"]
    assert decoded(tokenizer, tokenizer.encode(texts)) == ["fine 1 A é", texts[1]]


def test_a_tokenizer_of_tweets_replaces_names_and_links_first():
    tokenizer = SubwordTokenizer.learn_from(
        [*LEARNED, "@Zoë 5 http://7.example"], tweets=True
    )
    ids = tokenizer.encode(["xo @max https://x.example"])
    assert decoded(tokenizer, ids) == ["xo @userid url"]
    assert not {"ë", "7"} & {*tokenizer.tokens}


@pytest.mark.parametrize(
    "scalar", ["scalar", [["rank 2"]], tf.zeros([2, 0], tf.string)]
)
def test_other_ranks_are_refused_and_do_not_kill_the_process(unigram, scalar):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not compatible"):
        unigram.encode(scalar)


def test_a_model_outlives_a_seed_that_is_set(unigram):
    other = SubwordTokenizer(unigram.model)
    graph = tf.function(unigram.encode)
    del other  # which had the same model
    keras.utils.set_random_seed(0)
    comes_back(unigram, HARD_TEXTS)
    tf.debugging.assert_equal(graph(HARD_TEXTS), unigram.encode(HARD_TEXTS))


def test_no_rows_and_no_time_are_fine(tokenizer):
    assert tokenizer.decode(tokenizer.encode([])).shape == (0,)
    assert decoded(tokenizer, tf.zeros([2, 0], tf.int64)) == ["", ""]
    assert [x.shape[0] for x in tokenizer.tokenize_hidden([])] == [0, 0, 0]


def test_a_dataset_gives_what_eager_gives(tokenizer):
    expected = tokenizer.encode(HARD_TEXTS, length=60)
    dataset = tf.data.Dataset.from_tensor_slices(HARD_TEXTS).batch(5)
    dataset = dataset.map(lambda text: tokenizer.encode(text, length=60))
    tf.debugging.assert_equal(tf.concat([*dataset], axis=0), expected)


RELOAD = """
import sys
import tensorflow as tf, tensorflow_text
loaded = tf.saved_model.load(sys.argv[1])
texts = tf.io.parse_tensor(tf.io.read_file(sys.argv[2]), tf.string)
ids = loaded.encode(texts)
assert (loaded.decode(ids) == texts).numpy().all()
assert "keras_textvae" not in sys.modules
"""


def test_a_saved_model_needs_nothing_of_ours(unigram, tmp_path):
    tokenizer = unigram
    loaded = export(tokenizer, tmp_path / "model")
    expected = tokenizer.encode(HARD_TEXTS)
    tf.debugging.assert_equal(loaded.encode(HARD_TEXTS), expected)
    tf.io.write_file(str(tmp_path / "texts"), tf.io.serialize_tensor(HARD_TEXTS))
    command = [sys.executable, "-c", RELOAD, tmp_path / "model", tmp_path / "texts"]
    subprocess.run(command, check=True, cwd=tmp_path)


def test_save_and_load_restore_the_tokenizer(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    loaded = tokenizers.load(path)
    assert loaded.get_config() == tokenizer.get_config()
    tf.debugging.assert_equal(loaded.encode(HARD_TEXTS), tokenizer.encode(HARD_TEXTS))
    codec = Codec(tokenizer, 60)
    again = Codec.from_config(codec.get_config())
    tf.debugging.assert_equal(again.ids(HARD_TEXTS), codec.ids(HARD_TEXTS))


def test_a_codec_counts_subwords_and_makes_no_crops_of_them(unigram):
    length = len(unigram.split(["the chef!"])[0])
    codec = Codec(unigram, length)
    assert codec.fits(["the chef!", "the chef!!"]).numpy().tolist() == [True, False]
    message = f"more than {length} subwords"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        codec.ids(["the chef!!"])
    with pytest.raises(ValueError, match="Crops need a character tokenizer"):
        Codec(unigram, length, "crop")


def test_files_and_texts_are_learned_alike(tmp_path, unigram):
    half = len(LEARNED) // 2
    (tmp_path / "a.txt").write_text("\n".join(LEARNED[:half]) + "\n", encoding="utf-8")
    rest = "\ufeff" + "\n".join(LEARNED[half:])
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(rest.encode()))
    read = []
    learned = tokenizers.learn(
        "subwords",
        [tmp_path / "a.txt", tmp_path / "b.txt.gz"],
        size=600,
        report=read.append,
    )
    assert learned.get_config() == unigram.get_config()
    assert sum(read) == sum(path.stat().st_size for path in tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match="none.txt does not exist"):
        SubwordTokenizer.learn(tmp_path / "none.txt")


def learn(algorithm, seed=0):
    return piece_learning.learn(LEARNED, 600, algorithm, False, 300, seed)


@pytest.mark.parametrize("algorithm", piece_learning.ALGORITHMS)
def test_learning_is_a_function_of_texts_and_seed_and_silent(algorithm, capfd):
    model = learn(algorithm)
    assert learn(algorithm) == model != learn(algorithm, seed=1)
    assert capfd.readouterr() == ("", "")


LEARN = """
import sys
from tests.tokenizers import test_subwords
sys.stdout.buffer.write(b"".join(map(test_subwords.learn, ("unigram", "bpe"))))
"""


def test_learning_is_the_same_in_another_process_on_one_core():
    command = ["taskset", "-c", "0", sys.executable, "-c", LEARN]
    learned = subprocess.run(command, capture_output=True, check=True).stdout
    assert learned == b"".join(map(learn, piece_learning.ALGORITHMS))


def test_a_sample_is_uniform():
    counts = [0] * 20
    for seed in range(2_000):
        for number in piece_learning._sample(range(20), 5, seed):
            counts[number] += 1
    assert all(430 < count < 570 for count in counts)  # 500 +- 3.6 deviations
    assert sorted(piece_learning._sample(range(20), 30, 0)) == [*range(20)]


def test_long_lines_are_learned_in_parts():
    words = [f"word{number}" for number in range(2_000)]
    parts = [*piece_learning._lines([" ".join(words), "x" * 2_500, ""])]
    assert all(len(part) <= piece_learning.LONGEST for part in parts)
    assert " ".join(parts[:-4]).split() == words
    assert "".join(parts[-4:]) == "x" * 2_500
    tokens = SubwordTokenizer.learn_from([" ".join(ENGLISH)], 500).tokens
    assert "\u2581the" in tokens  # though SentencePiece skips a line as long


def test_lines_with_rare_signs_are_learned_too():
    texts = [f"\u2585 \0 \u2581 {line}" for line in ENGLISH]
    tokens = SubwordTokenizer.learn_from(texts, 500).tokens
    assert "\u2581the" in tokens and "\u2585" not in tokens


@pytest.mark.parametrize("algorithm", piece_learning.ALGORITHMS)
def test_little_text_gives_as_many_pieces_as_it_has(algorithm):
    for texts in (["a"], ["one line"], ["a"] * 50, ENGLISH[:40]):
        tokenizer = SubwordTokenizer.learn_from(texts, algorithm=algorithm)
        assert 260 < tokenizer.vocabulary_size < piece_learning.SIZE
        comes_back(tokenizer, [*texts, *HARD_TEXTS])


@pytest.mark.parametrize("algorithm", piece_learning.ALGORITHMS)
def test_a_size_that_cannot_be_is_refused_with_one_that_can(algorithm):
    def learn(size):
        return SubwordTokenizer.learn_from(ENGLISH[:40], size, algorithm=algorithm)

    for size in (3, 260):
        with pytest.raises(ValueError, match=f"at least 261. Received: size={size}"):
            learn(size)
    with pytest.raises(ValueError, match=r"each character: at least \d+. Rec") as small:
        learn(262)
    with pytest.raises(ValueError, match=r"no more than [\d,]+ pieces.*=8000") as large:
        learn(8000)
    assert not any("\n" in str(error.value) for error in (small, large))
    least = int(str(small.value).partition("at least ")[2].partition(".")[0])
    most = int(
        str(large.value).partition("no more than ")[2].split()[0].replace(",", "")
    )
    assert learn(least).vocabulary_size == least
    assert learn(most).vocabulary_size == most


@pytest.mark.parametrize("texts", [[], [""], ["  ", "\t"], iter(())])
def test_no_text_is_refused(texts):
    with pytest.raises(ValueError, match="There is no text to learn subwords from"):
        SubwordTokenizer.learn_from(texts)


def test_what_is_not_to_be_learned_from_is_refused():
    with pytest.raises(ValueError, match="Several texts are needed"):
        SubwordTokenizer.learn_from("path.txt")
    with pytest.raises(
        ValueError, match="`algorithm` is unigram or bpe. Received: 'x'"
    ):
        SubwordTokenizer.learn_from(ENGLISH, algorithm="x")
    with pytest.raises(ValueError, match="`most_lines` must be positive. Received: 0"):
        SubwordTokenizer.learn_from(ENGLISH, most_lines=0)


def test_without_the_package_one_can_only_not_learn(monkeypatch, unigram):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    again = SubwordTokenizer.from_config(unigram.get_config())
    comes_back(again, HARD_TEXTS)
    with pytest.raises(ValueError, match=r"pip install keras_textvae\[subwords\]"):
        SubwordTokenizer.learn_from(ENGLISH)


def theirs(path, **options):
    """Writes a model as a user would train one."""
    defaults = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3}
    with open(path, "wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(ENGLISH),
            model_writer=file,
            vocab_size=500,
            minloglevel=4,
            **defaults | {"byte_fallback": True} | options,
        )
    return path


def test_a_model_of_one_s_own_is_read(tmp_path):
    options = {"remove_extra_whitespaces": False, "normalization_rule_name": "identity"}
    path = theirs(tmp_path / "a.model", **options, user_defined_symbols=["<mask>"])
    tokenizer = SubwordTokenizer.from_file(path, right_to_left=True)
    comes_back(tokenizer, [*HARD_TEXTS, "the <mask> chef"])
    assert "<mask>" in tokenizer.tokens
    with pytest.raises(FileNotFoundError):
        SubwordTokenizer.from_file(tmp_path / "none.model")


def test_a_model_that_normalises_gives_back_what_it_makes(tmp_path):
    tokenizer = SubwordTokenizer.from_file(theirs(tmp_path / "a.model"))
    ids = tokenizer.encode(["  the  chef ", "ﬁne"])
    assert decoded(tokenizer, ids) == ["the chef", "fine"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pad_id": -1, "unk_id": 0}, "must be 0, 1, 2 and 3. Received: "),
        ({"bos_id": 2, "eos_id": 1}, r"Received: \[0, 2, 1, 3\]"),
        ({"byte_fallback": False}, "does not give texts back.*--byte_fallback"),
        ({"treat_whitespace_as_suffix": True}, "does not give texts back"),
    ],
    ids=["no padding", "exchanged", "no bytes", "blanks at the end"],
)
def test_a_model_that_is_not_like_ours_is_refused(tmp_path, options, message):
    path = theirs(tmp_path / "a.model", **options)
    with pytest.raises(ValueError, match=f"a.model: .*{message}") as error:
        SubwordTokenizer.from_file(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"text\n" * 99, b"\x0a\x03abc"])
def test_another_file_is_no_model(tmp_path, content, unigram):
    for path, data in (("a", content), ("b", unigram.model[:3000])):
        (tmp_path / path).write_bytes(data)
        with pytest.raises(ValueError, match="That is no SentencePiece model"):
            SubwordTokenizer.from_file(tmp_path / path)
    config = {"class_name": "SubwordTokenizer", "config": {"model": "x"}}
    with pytest.raises(ValueError, match="That is no tokenizer"):
        tokenizers.loading.from_config(config)
