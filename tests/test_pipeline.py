"""Batches against the lines themselves, read in Python: nothing lost, nothing twice."""

import collections
import gzip
import itertools

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.pipeline import CropBatches, SentenceBatches
from keras_textvae.tokenizers import CharacterTokenizer, WordTokenizer
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD

# Characters are words here: TensorFlow traces their tokenizer fastest.
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TOKENIZER = CharacterTokenizer([*LETTERS, "\n", " "])
# Two blocks of 1,024 lines, the second one partly filled; every 64th line is blank.
LENGTHS = np.random.default_rng(0).integers(1, 12, size=1500)
LINES = [
    "  " if row % 64 == 7 else "".join(LETTERS[(row + t) % 26] for t in range(length))
    for row, length in enumerate(LENGTHS)
]
SENTENCES = [line for line in LINES if line.strip()]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lines")
    (folder / "a.txt").write_text("\n".join(LINES[:700]) + "\n")
    (folder / "b.txt.gz").write_bytes(gzip.compress("\n".join(LINES[700:]).encode()))
    return [str(folder / "a.txt"), str(folder / "b.txt.gz")]


def sentence_batches(files, batch_size=32, **options):
    options = {"shuffle_buffer": 1024} | options
    return SentenceBatches(files, TOKENIZER, batch_size, **options)


def arrays(dataset, count=None):
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def texts(batches):
    """The sentences in batches of ids, without the tokenizer's help."""
    rows = [row[row >= FIRST_WORD] for ids in batches for row in ids]
    return ["".join(LETTERS[id_ - FIRST_WORD] for id_ in row) for row in rows]


def assert_equal_batches(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def padding_share(batches):
    padding = sum(np.sum(ids == PAD) for ids in batches)
    return padding / sum(ids.size for ids in batches)


@pytest.fixture(scope="module")
def batches(files):
    return sentence_batches(files)


@pytest.fixture(scope="module")
def run(batches):
    """A little more than two epochs of 47 batches without a break."""
    return arrays(batches.from_step(0), 100)


OPTIONS = [
    ({"bucket_width": 5, "shuffle_buffer": 65_536}, {5, 10, 15}),
    ({"length": 14}, {14}),
]


@pytest.mark.parametrize(("options", "widths"), OPTIONS)
def test_an_epoch_has_every_sentence_once_and_is_counted_exactly(
    files, options, widths
):
    batches = sentence_batches(files, **options)
    epoch = batches.epoch(0)
    spec = tf.TensorSpec([None, options.get("length")], tf.int32)
    assert epoch.element_spec == spec
    found = arrays(epoch)
    assert collections.Counter(texts(found)) == collections.Counter(SENTENCES)
    assert {ids.shape[1] for ids in found} == widths
    assert all((ids[:, 0] == BOS).all() for ids in found)
    assert all((np.sum(ids == EOS, axis=1) == 1).all() for ids in found)
    assert batches.steps_per_epoch == len(found)
    count = batches.count()
    assert count.sentences == len(SENTENCES)
    assert count.tokens == sum(len(line) + 1 for line in SENTENCES)
    assert count.too_long == 0
    assert count.padding_share == pytest.approx(padding_share(found), abs=1e-12)


def test_sentences_are_padded_to_the_longest_of_nearly_equal_ones(batches, run):
    epoch = run[:47]
    assert collections.Counter(texts(epoch)) == collections.Counter(SENTENCES)
    for ids in epoch:
        lengths = np.sum(ids != PAD, axis=1)
        assert ids.shape[1] == lengths.max() <= lengths.min() + 1
    share = batches.count().padding_share
    assert share == pytest.approx(padding_share(epoch), abs=1e-12) and share < 0.03
    # In any order, or the model would see the short ones first.
    widths = [ids.shape[1] for ids in epoch[:32]]
    assert widths != sorted(widths)


def test_the_order_depends_on_seed_and_epoch_alone(files, batches, run):
    tf.random.set_seed(99)
    assert batches.steps_per_epoch == 47
    assert_equal_batches(arrays(batches.epoch(1)), run[47:94])
    seed_1 = arrays(sentence_batches(files, seed=1).epoch(0))
    orders = [run[:47], run[47:94], seed_1]
    for one, other in itertools.combinations(orders, 2):
        # Other batches, not the same ones in another order.
        assert not set(map(bytes, one)) & set(map(bytes, other))


def test_without_shuffling_equal_lengths_keep_the_order_of_the_file(files):
    batches = sentence_batches(files, shuffle=False, shuffle_buffer=65_536)
    expected = sorted(SENTENCES, key=len)
    assert texts(arrays(batches.epoch(5))) == expected


def test_sentences_resume_at_any_step(batches, run):
    assert_equal_batches(arrays(batches.from_step(60), 40), run[60:])


def test_shards_are_rows_of_the_same_batches(files, run):
    shard = sentence_batches(files, batch_size=16, shard=(1, 2))
    assert shard.steps_per_epoch == 47
    assert_equal_batches(arrays(shard.epoch(0)), [ids[1::2] for ids in run[:47]])


def test_shards_are_equally_large_even_if_sentences_are_left_out(files):
    # Blocks of 1,008 and 468 sentences; 5 shards leave out 3 of each.
    shard = sentence_batches(files, batch_size=10, shard=(0, 5))
    found = arrays(shard.epoch(0))
    assert shard.steps_per_epoch == len(found) == 21 + 10
    assert sum(map(len, found)) == 201 + 93
    assert collections.Counter(texts(found)) <= collections.Counter(SENTENCES)


def test_a_too_long_sentence_is_an_error_that_names_its_line(files):
    line = next(row for row in range(700, 1500) if len(LINES[row]) == 11)
    batches = sentence_batches(files[1:], max_length=12)
    message = rf"b.txt.gz, line {line - 699}: 13 ids .* maximum of 12"
    with pytest.raises(ValueError, match=message):
        batches.epoch(0)


def test_too_long_sentences_are_dropped_and_counted(files):
    batches = sentence_batches(files, max_length=10, too_long="drop")
    kept = [line for line in SENTENCES if len(line) <= 8]
    found = arrays(batches.epoch(0))
    assert collections.Counter(texts(found)) == collections.Counter(kept)
    assert batches.count().sentences == len(kept)
    assert batches.count().too_long == len(SENTENCES) - len(kept)
    assert batches.steps_per_epoch == len(found)


def test_cut_sentences_have_no_end(files):
    batches = sentence_batches(
        files, max_length=6, too_long="cut", bucket_width=None, shuffle=False
    )
    found = arrays(batches.epoch(0))
    assert texts(found) == [line[:5] for line in SENTENCES]
    ends = [(row == EOS).any() for ids in found for row in ids]
    whole = [len(line) <= 4 for line in SENTENCES]
    assert ends == whole
    assert batches.count().too_long == whole.count(False)
    predicted = sum(np.sum(ids != PAD) - len(ids) for ids in found)
    assert batches.count().tokens == predicted


def write(folder, content, name="text.txt"):
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.txt is empty"),
        (b"\n \n", "bad.txt has only blank lines"),
        (b"a\n\xff\n", "bad.txt, line 2: not UTF-8"),
    ],
)
def test_a_bad_file_is_named_before_the_first_batch(tmp_path, content, message):
    path = write(tmp_path, content, "bad.txt")
    with pytest.raises(ValueError, match=message):
        sentence_batches(path).epoch(0)
    with pytest.raises(ValueError, match=message):
        CropBatches(path, TOKENIZER, 1, 1).steps_per_epoch  # noqa: B018


def test_no_sentence_left_is_an_error(files):
    batches = sentence_batches(files, max_length=3, too_long="drop", shard=(0, 999))
    with pytest.raises(ValueError, match="no batch for 999 shards"):
        batches.count()


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"max_length": 2},
        {"max_length": 9, "length": 8},
        {"too_long": "shorten"},
        {"length": -1},
        {"bucket_width": 0},
        {"shuffle_buffer": 0},
        {"shard": (2, 2)},
    ],
)
def test_impossible_arguments_are_refused(files, options):
    with pytest.raises(ValueError, match="Received"):
        sentence_batches(files, **options)


def test_a_missing_file_is_refused():
    with pytest.raises(FileNotFoundError, match="none.txt"):
        sentence_batches(["none.txt"])


TEXT = "  ab\n\ncd e\n" + "é\U0001f600f " * 40 + "\n"


@pytest.fixture
def text_file(tmp_path):
    return write(tmp_path, TEXT.encode())


def characters(path):
    return CharacterTokenizer.learn([path])


def test_crops_are_pieces_of_the_text_anywhere(text_file):
    tokenizer = characters(text_file)
    batches = CropBatches(text_file, tokenizer, batch_size=4, length=5)
    assert batches.steps_per_epoch == len(TEXT) // 20
    assert batches.count() == (4, len(TEXT), 0, 0.0)
    found = arrays(batches.epoch(0))
    assert len(found) == batches.steps_per_epoch
    assert {ids.shape for ids in found} == {(4, 6)}
    ids = np.concatenate(found)
    assert (ids[:, 0] == BOS).all() and (ids[:, 1:] >= FIRST_WORD).all()
    pieces = [text.decode() for text in tokenizer.decode(ids).numpy()]
    assert all(piece in TEXT and len(piece) == 5 for piece in pieces)


def test_crops_begin_everywhere_equally_often(tmp_path):
    text = "".join(chr(0x100 + number) for number in range(1999))
    path = write(tmp_path, text.encode())
    crops = arrays(CropBatches(path, characters(path), 4, length=1).epoch(0))
    assert len(crops) == 500
    places = np.concatenate(crops)[:, 1] - FIRST_WORD
    counts, _ = np.histogram(places, bins=20, range=(0, 2000))
    # Chi-square with 19 degrees of freedom: 43.8 is exceeded once in 1,000 seeds.
    assert np.sum((counts - 100) ** 2 / 100) < 43.8


def test_crops_resume_and_depend_on_seed_and_epoch_alone(text_file):
    batches = CropBatches(text_file, TOKENIZER, 6, 5)
    steps = batches.steps_per_epoch
    run = arrays(batches.from_step(0), 2 * steps + 5)
    assert len({bytes(ids) for ids in run}) == len(run)
    tf.random.set_seed(7)
    resumed = arrays(batches.from_step(steps + 3), steps + 2)
    assert_equal_batches(resumed, run[steps + 3 :])
    shard = CropBatches(text_file, TOKENIZER, 2, 5, shard=(1, 3))
    assert_equal_batches(arrays(shard.epoch(0)), [ids[1::3] for ids in run[:steps]])
    other = arrays(CropBatches(text_file, TOKENIZER, 6, 5, seed=4).epoch(0))
    assert not set(map(bytes, other)) & set(map(bytes, run))


def test_crops_stay_inside_blocks_and_fill_the_text_once(tmp_path):
    text = "a" * 33 + "\n" + "b" * 29 + "\n" + "c" * 36
    path = write(tmp_path, text.encode())
    batches = CropBatches(path, characters(path), batch_size=2, length=4, block=30)
    found = arrays(batches.epoch(0))
    assert len(found) == batches.steps_per_epoch == 101 // 8
    blocks = [text[start : start + 32] + "\n" for start in range(0, 101, 32)]
    pieces = batches.tokenizer.decode(np.concatenate(found)).numpy()
    for row, piece in enumerate(pieces):
        assert piece.decode() in blocks[row // 8]


def test_crops_need_the_newline_and_enough_text(text_file):
    for tokenizer in (WordTokenizer(["a"]), CharacterTokenizer(["a"])):
        with pytest.raises(ValueError, match="knows the newline"):
            CropBatches(text_file, tokenizer, 4, 5)
    with pytest.raises(ValueError, match="do not fill a batch, which takes 5000"):
        CropBatches(text_file, TOKENIZER, 50, 100).epoch(0)
