"""A prepared corpus against the files it was made of, and what goes wrong with one."""

import collections
import concurrent.futures
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_textvae import corpora
from keras_textvae.prepared import PreparedCorpus, Text, prepare, writing
from keras_textvae.prepared.corpus import FORMAT, checksum
from keras_textvae.prepared.text import YOUNGER
from keras_textvae.tokenizers import Codec, WordTokenizer
from keras_textvae.tokens import BOS, EOS, UNK
from tests.on_jax import run_on_jax

ROOT = pathlib.Path(__file__).parents[2]
WORDS = "a b c d e f g h".split()
RNG = np.random.default_rng(0)
LINES = [" ".join(RNG.choice(WORDS, RNG.integers(1, 9))) for _ in range(500)]
TEXT = Text("words", length=8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def files(tmp_path):
    """A corpus in three files, blank lines among them, one compressed."""
    texts = {"a.txt": LINES[:300], "b.txt.gz": LINES[300:400], "c.txt": LINES[400:]}
    for name, lines in texts.items():
        content = "\n \n".join(lines).encode() + b"\n"
        if name.endswith(".gz"):
            content = gzip.compress(content)
        (tmp_path / name).write_bytes(content)
    return corpora.from_files(
        [tmp_path / "a.txt", tmp_path / "b.txt.gz"], tmp_path / "c.txt"
    )


def sentences(prepared, split):
    """The words of each sentence of a split, read by the codec's own vocabulary."""
    ids = np.split(np.array(split.values), np.array(split.ends)[:-1])
    tokens = prepared.codec.tokenizer.tokens
    assert all(row[0] == BOS for row in ids)
    return [" ".join(tokens[i] for i in row if i not in (BOS, EOS)) for row in ids]


def written(folder):
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


def corpus_of(folder, **splits):
    for name, lines in splits.items():
        text = "\n".join(lines) + "\n"
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return corpora.load(str(folder))


def test_every_sentence_is_there_in_order(files):
    prepared = prepare(files, TEXT)
    assert sentences(prepared, prepared.train) == LINES[:400]
    assert sentences(prepared, prepared.valid) == LINES[400:]
    assert prepared.train.values.dtype == np.uint16
    assert not prepared.has_test and prepared.test is prepared.valid
    counts = collections.Counter(word for line in LINES[:400] for word in line.split())
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    assert prepared.codec.tokenizer.tokens[4:] == ranked
    train = prepared.train
    lengths = [len(line.split()) for line in LINES[:400]]
    assert (train.sentences, train.tokens) == (400, sum(lengths) + 400)
    assert (train.shortest, train.longest) == (min(lengths), max(lengths))
    assert (train.unknown, train.too_long) == (0, 0)
    assert train.ids == len(train.values) == train.tokens + 400


def test_it_is_made_once_and_found_by_its_content(files, tmp_path, monkeypatch):
    prepared = prepare(files, TEXT)
    before = written(prepared.folder)
    monkeypatch.setattr(writing, "write", None)
    (tmp_path / "moved").mkdir()
    for path in (*files.train, *files.valid):
        shutil.move(path, tmp_path / "moved")
    moved = corpora.from_files(
        [tmp_path / "moved" / "a.txt", tmp_path / "moved" / "b.txt.gz"],
        tmp_path / "moved" / "c.txt",
    )
    again = prepare(moved, TEXT)
    assert again.folder == prepared.folder and written(again.folder) == before
    assert again.files == moved
    assert prepare(moved._replace(name="other"), TEXT).folder == prepared.folder


def test_a_corpus_that_is_older_than_a_field_is_found_and_is_like_its_default(
    files, monkeypatch
):
    prepared = prepare(files, TEXT)
    path = pathlib.Path(prepared.folder) / "prepared.json"
    older = json.loads(path.read_text())
    del older["checksum"]
    for name in YOUNGER:
        del older["text"][name]
    path.write_text(json.dumps(older | {"checksum": checksum(older)}))
    monkeypatch.setattr(writing, "write", None)
    content = json.dumps([FORMAT, older["sources"], older["text"]], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    assert os.path.basename(prepared.folder) == key
    again = prepare(files, TEXT, prepared.folder)
    assert again.text == prepared.text and again.text.items() >= YOUNGER.items()
    codec = Codec(WordTokenizer(WORDS), 8)
    monkeypatch.undo()
    assert "split" not in prepare(files, codec).text


def test_words_are_split_at_punctuation_where_text_says_so(tmp_path):
    corpus = corpus_of(tmp_path, train=["a (b), c.", "c"], valid=["b. a b"])
    prepared = prepare(corpus, Text("words", length=8, split="punctuation"))
    assert sentences(prepared, prepared.train) == ["a (￭ b ￭) ￭, c ￭.", "c"]
    assert prepared.train.longest == 7 and prepared.valid.unknown == 0
    blanks = prepare(corpus, TEXT)
    assert blanks.folder != prepared.folder
    with pytest.raises(ValueError, match="split is 'punctuation' there, 'blanks' here"):
        prepare(corpus, TEXT, prepared.folder)


@pytest.mark.parametrize(
    "options",
    [{"split": "marks"}, {"level": "characters"}, {"level": "bytes"}, {"tweets": True}],
)
def test_a_split_that_texts_cannot_have_is_refused(options):
    fields = {"level": "words", "length": 8, "split": "punctuation"}
    with pytest.raises(ValueError, match=r"split.* Received: split="):
        Text(**fields | options)


def test_unknown_words_are_counted(files):
    prepared = prepare(files, Text("words", length=8, vocabulary=6))
    words = [word for line in LINES[:400] for word in line.split()]
    known = {*prepared.codec.tokenizer.tokens[4:]}
    unknown = sum(word not in known for word in words)
    assert prepared.train.unknown == unknown == np.sum(prepared.train.values == UNK)
    assert prepared.train.unknown_share == unknown / prepared.train.tokens


@pytest.mark.parametrize("too_long", ["drop", "cut"])
def test_long_sentences_are_dropped_or_cut_and_counted(files, too_long):
    prepared = prepare(files, Text("words", length=5, too_long=too_long))
    longer = [line for line in LINES[:400] if len(line.split()) > 5]
    assert prepared.train.too_long == len(longer)
    assert prepared.train.longest == 8
    expected = [" ".join(line.split()[:5]) for line in LINES[:400]]
    if too_long == "drop":
        expected = [line for line in LINES[:400] if line not in longer]
    assert sentences(prepared, prepared.train) == expected
    ends = np.sum(prepared.train.values == EOS)
    assert ends == 400 - len(longer)


@pytest.mark.parametrize("level", ["words", "characters", "bytes"])
def test_a_length_that_is_not_given_is_that_of_99_percent(tmp_path, level):
    lengths = [3] * 50 + [7] * 147 + [8] + [30] * 2  # 198 of 200 have at most 8
    lines = [("a" if level != "words" else "a ") * n for n in lengths]
    path = tmp_path / "train.txt"
    path.write_text("\n \n".join(np.random.default_rng(0).permutation(lines)))
    corpus = corpora.from_files(path, _short(tmp_path))
    prepared = prepare(corpus, Text(level, None, too_long="drop"))
    assert prepared.length == prepared.codec.length == 8
    train = prepared.train
    assert (train.sentences, train.too_long, train.longest) == (198, 2, 30)
    batches = train.batches(4)
    assert max(batches.batch(step).shape[1] for step in range(len(batches))) == 10


def _short(tmp_path):
    path = tmp_path / "short.txt"
    path.write_text("a\n")
    return path


@pytest.mark.parametrize(
    "fields", [{}, {"too_long": "error"}, {"form": "crop", "too_long": "cut"}]
)
def test_a_length_that_cannot_be_left_to_the_corpus(fields):
    with pytest.raises(ValueError, match="Only sentences of which longer ones are"):
        Text("characters", None, **fields)
    with pytest.raises(ValueError, match="takes that of its corpus"):
        Text("words", None, too_long="cut").positions  # noqa: B018


def test_characters_are_counted_of_sentences_as_they_stand(tmp_path):
    lines = ["über alles .", " ", "a b c d e f", "\U0001f600"]
    path = tmp_path / "train.txt"
    path.write_text("\n".join(lines))
    corpus = corpora.from_files(path, _short(tmp_path))
    train = prepare(corpus, Text("words", 3, too_long="drop")).train
    assert train.pieces == 3 + 6 + 1 and train.characters == 12 + 11 + 1
    assert train.characters_a_piece == 2.4


@pytest.mark.parametrize("sampled", [0, 3])
def test_duplicates_are_those_that_stood_before_in_any_split(tmp_path, sampled):
    splits = {
        "train": ["a b", "a  b", "", "a b", "c", "a b", ""],
        "valid": ["d", "c", "d"],
        "test": ["d", "a b", "e"],
    }
    corpus = corpus_of(tmp_path, **splits)
    text = Text("subwords" if sampled else "words", length=20, sampled=sampled)
    prepared = prepare(corpus, text)
    assert [split.duplicates for split in prepared.splits] == [2, 2, 2]


def test_running_text_keeps_every_character(tmp_path):
    lines = ["", "  ab", "", "cd é", "\U0001f600" * 5]
    corpus = corpus_of(tmp_path, train=lines, valid=lines)
    prepared = prepare(corpus, Text("characters", length=4, form="crop"))
    tokens = np.array(prepared.codec.tokenizer.tokens)
    text = "".join(tokens[prepared.train.values])
    assert text == "\n".join(lines) + "\n"
    assert prepared.train.tokens == len(text)
    assert not os.path.exists(os.path.join(prepared.folder, "train.ends"))
    batch = prepared.train.batches(2, shuffle=True).batch(0)
    assert batch.shape == (2, 5)


def test_a_codec_of_one_s_own_is_used_as_it_is(files):
    codec = Codec(WordTokenizer(["b", "a"]), 8)
    prepared = prepare(files, codec)
    assert prepared.codec.get_config() == codec.get_config()
    assert prepared.train.sentences == 400


def texts(prepared, split):
    """The sentences of a split, as the codec decodes their ids."""
    rows = np.split(np.array(split.values), np.array(split.ends)[:-1])
    return [prepared.codec.decode(row[None]).numpy()[0].decode() for row in rows]


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_subwords_give_the_sentences_back_exactly(tmp_path, algorithm):
    pytest.importorskip("sentencepiece")
    lines = ["Zwölf Boxkämpfer  jagen", "\u4e2d\u6587 <eos>", "a\u00a0b \u2581"] * 5
    corpus = corpus_of(tmp_path, train=lines, valid=lines[:2])
    text = Text("subwords", length=60, vocabulary=285, algorithm=algorithm)
    prepared = prepare(corpus, text)
    assert texts(prepared, prepared.train) == lines
    assert texts(prepared, prepared.valid) == lines[:2]
    assert prepared.vocabulary_size == 285 and prepared.train.unknown == 0
    assert prepared.text["algorithm"] == algorithm
    with pytest.raises(ValueError, match=r"line 1: \d+ subwords, more than the 5 of"):
        prepare(corpus, Text("subwords", length=5))


def test_the_training_split_is_there_in_several_segmentations_drawn(tmp_path):
    pytest.importorskip("sentencepiece")
    words = "Dampf Dampfschiff Schiff Schiffe fahren fuhr Schifffahrt".split()
    rng = np.random.default_rng(1)
    lines = [" ".join(rng.choice(words, 5)) for _ in range(30)]
    corpus = corpus_of(tmp_path, train=["", *lines], valid=lines[:9])
    for split, texts_ in (("train", lines), ("valid", lines[:9])):
        rows = [f"{n % 3}\t{line}" for n, line in enumerate(texts_)]
        (tmp_path / f"{split}.tsv").write_text("\n".join(["topic\ttext", *rows]) + "\n")
    labels = tuple(str(tmp_path / f"{split}.tsv") for split in ("train", "valid"))
    corpus = corpus._replace(labels=labels)
    text = Text("subwords", length=90, sampled=3)
    prepared = prepare(corpus, text, tmp_path / "a")
    train, valid = prepared.train, prepared.valid
    assert texts(prepared, train) == 3 * lines and texts(prepared, valid) == lines[:9]
    np.testing.assert_array_equal(train.labels, 3 * [[n % 3] for n in range(30)])
    rows = np.split(np.array(train.values), np.array(train.ends)[:-1])
    drawn = [tuple(map(tuple, rows[n : n + 30])) for n in (0, 30, 60)]
    assert len({*drawn}) == 3
    best = prepare(corpus, Text("subwords", length=90), tmp_path / "b")
    np.testing.assert_array_equal(best.valid.values, valid.values)
    assert best.train.sentences == 30 and 3 * best.train.tokens < train.tokens
    again = prepare(corpus, text, tmp_path / "c")
    np.testing.assert_array_equal(again.train.values, train.values)


def test_what_only_subwords_have_is_refused_elsewhere():
    for field in ({"nfkc": True}, {"algorithm": "bpe"}, {"sampled": 1}):
        name, value = next(iter(field.items()))
        message = (
            f"`{name}` is for subwords. Received: {name}={value!r} and level='words'"
        )
        with pytest.raises(ValueError, match=message):
            Text("words", length=8, **field)
    with pytest.raises(ValueError, match="not be negative. Received: sampled=-1"):
        Text("subwords", length=8, sampled=-1)
    with pytest.raises(ValueError, match="Crops of running text are of char"):
        Text("subwords", length=8, form="crop")


def test_a_large_vocabulary_takes_wider_ids(tmp_path):
    codec = Codec(WordTokenizer([f"w{i}" for i in range(70_000)]), 8)
    corpus = corpus_of(tmp_path, train=["w69999 w3"], valid=["w1"])
    values = prepare(corpus, codec).train.values
    assert values.tolist() == [BOS, 70_003, 7, EOS] and values.dtype == np.uint32


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (
            {"train": ["a cat", "", "a " * 50]},
            r"line 3: 50 words, .* 8 of `length` \(--length\).*\(--too_long\)",
        ),
        ({"valid": ["a " * 50]}, "valid.txt, line 1: 50 words"),
        ({"train": [" ", ""]}, "train.txt has only blank lines"),
        ({"valid": []}, "valid.txt has only blank lines"),
        ({"train": ["<unk>"]}, "A vocabulary has something beside"),
    ],
    ids=["train", "valid", "blank", "empty", "no words"],
)
def test_bad_text_is_refused_and_leaves_nothing(tmp_path, splits, message):
    corpus = corpus_of(tmp_path, **{"train": ["a cat"], "valid": ["a cat"]} | splits)
    with pytest.raises(ValueError, match=message):
        prepare(corpus, TEXT, tmp_path / "prepared")
    assert not list(tmp_path.glob("prepared*"))


def test_no_sentence_left_is_an_error(tmp_path):
    corpus = corpus_of(tmp_path, train=["a b c"], valid=["a"])
    with pytest.raises(ValueError, match="train: no sentence is left; 1 are longer"):
        prepare(corpus, Text("words", length=2, too_long="drop"))
    with pytest.raises(ValueError, match="valid: 2 characters do not fill a crop of 5"):
        prepare(corpus, Text("characters", length=5, form="crop"))


def test_a_line_that_is_not_utf8_is_named(files):
    path = pathlib.Path(files.train[0])
    path.write_bytes(path.read_bytes() + b"a\n\xff\n")
    with pytest.raises(ValueError, match=r"a.txt, line \d+: not UTF-8"):
        prepare(files, TEXT)


def test_a_flipped_byte_is_noticed(files):
    prepared = prepare(files, TEXT)
    path = pathlib.Path(prepared.folder) / "train.ids"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="train.ids is missing or damaged") as error:
        prepare(files, TEXT)
    assert "\n" not in str(error.value)
    shutil.rmtree(prepared.folder)
    assert prepare(files, TEXT).train.sentences == 400
    description = path.with_name("prepared.json")
    intact = description.read_text()
    for damaged, message in (
        (intact.replace(": 400", ": 399"), "prepared.json is missing or damaged"),
        ("[1]", "describes no prepared corpus of this version"),
        ("{}", "describes no prepared corpus of this version"),
        (intact[:-20], "prepared.json is not JSON"),
    ):
        description.write_text(damaged)
        with pytest.raises(ValueError, match=message):
            prepare(files, TEXT)


def test_a_folder_of_another_corpus_is_refused(files, tmp_path):
    prepare(files, TEXT, tmp_path / "mine")
    before = written(tmp_path / "mine")
    with pytest.raises(ValueError, match=r"text\.(length|too_long) is .* there"):
        prepare(files, Text("words", length=7, too_long="drop"), tmp_path / "mine")
    swapped = files._replace(train=files.valid, valid=files.train)
    with pytest.raises(ValueError, match=r"sources\.\w+ is .* there"):
        prepare(swapped, TEXT, tmp_path / "mine")
    assert written(tmp_path / "mine") == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("mine")
    for folder in (tmp_path / "full", files.train[0]):
        with pytest.raises(ValueError, match="exists, and holds no prepared corpus"):
            prepare(files, TEXT, folder)
    with pytest.raises(FileNotFoundError, match="holds no prepared corpus"):
        PreparedCorpus(tmp_path)


def test_a_file_that_changes_meanwhile_is_refused(files, tmp_path, monkeypatch):
    tokenize = writing.tokenizers.learn

    def learn(*arguments, **options):
        pathlib.Path(files.train[0]).write_text("a\n")
        return tokenize(*arguments, **options)

    monkeypatch.setattr(writing.tokenizers, "learn", learn)
    with pytest.raises(ValueError, match="a file changed while it was read"):
        prepare(files, TEXT, tmp_path / "prepared")
    assert not (tmp_path / "prepared").exists()


PREPARE = """
import sys
from keras_textvae import Text, corpora, prepare
corpus = corpora.from_files(sys.argv[1], sys.argv[2])
prepare(corpus, Text("words", length=9), sys.argv[3])
"""


def test_those_who_wait_for_one_that_is_killed_make_it_once(
    tmp_path, monkeypatch, capsys
):
    large, small = tmp_path / "large.txt", tmp_path / "small.txt"
    large.write_text("\n".join(LINES * 400) + "\n")
    small.write_text("a\n")
    folder, partial = tmp_path / "prepared", tmp_path / "prepared.part"
    command = [sys.executable, "-c", PREPARE, large, small, folder]
    killed = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    while not (partial / "train.ids").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGSTOP)
    assert not folder.exists()
    writes, write = [], writing.write

    def counted(*arguments):
        writes.append(arguments)
        write(*arguments)

    monkeypatch.setattr(writing, "write", counted)
    corpus, text = corpora.from_files(large, small), Text("words", length=9)
    with concurrent.futures.ThreadPoolExecutor() as threads:
        waiting = [threads.submit(prepare, corpus, text, folder) for _ in range(2)]
        said = ""
        try:
            while said.count("waiting for another process") < len(waiting):
                assert not any(future.done() for future in waiting)
                said += capsys.readouterr().err
                time.sleep(0.01)
        finally:
            killed.kill()
        killed.wait()
        prepared = [future.result() for future in waiting]
    assert [p.train.sentences for p in prepared] == [len(LINES) * 400] * 2
    assert len(writes) == 1
    assert not partial.exists()


WITHOUT_TENSORFLOW = """
import sys
from keras_textvae import Text, corpora, prepare
corpus = corpora.from_files(sys.argv[1], sys.argv[2])
batches = prepare(corpus, Text("words", length=8)).train.batches(32, shuffle=True)
print(*sorted({ids.shape[1] for ids in batches}))
try:
    prepare(corpus, Text("words", length=9))
except ValueError as error:
    print(error)
"""


def test_it_is_read_without_tensorflow(files):
    pytest.importorskip("jax")
    prepare(files, TEXT)
    merged = [files.train[0], files.valid[0]]
    prepare(corpora.from_files(*merged), TEXT)
    ended = run_on_jax(WITHOUT_TENSORFLOW, *merged)
    assert ended.returncode == 0, ended.stderr
    widths, message = ended.stdout.splitlines()
    assert widths == "10"  # one shape, where each is compiled anew
    assert message.startswith("This corpus is not prepared yet, which needs TensorFlow")


def test_labels_stay_beside_their_sentences(tmp_path):
    lines = ["a b", " ", "c", "a b c d", "b"]
    table = ["topic\ttense\ttext", "x\told\ta b", "y\tnew\tc", "x\tnew\ta b c d"]
    corpus = corpus_of(tmp_path, train=lines, valid=["c"])
    (tmp_path / "train.tsv").write_text("\n".join([*table, "z\told\tb"]) + "\n")
    (tmp_path / "valid.tsv").write_text("topic\ttense\ttext\ny\told\tc\n")
    paths = tuple(str(tmp_path / f"{split}.tsv") for split in ("train", "valid"))
    corpus = corpus._replace(labels=paths)
    prepared = prepare(corpus, Text("words", length=3, too_long="drop"))
    assert sentences(prepared, prepared.train) == ["a b", "c", "b"]
    assert prepared.label_names == {"topic": ["x", "y", "z"], "tense": ["old", "new"]}
    assert prepared.train.labels.tolist() == [[0, 0], [1, 1], [2, 0]]
    assert prepared.valid.labels.tolist() == [[1, 0]]
    (tmp_path / "train.tsv").write_text("\n".join([*table, "z\told\tc"]) + "\n")
    with pytest.raises(ValueError, match=r"train.tsv, line 5.*train.txt, line 5"):
        prepare(corpus, Text("words", length=4))
    without = prepare(corpus._replace(labels=()), Text("words", length=4))
    with pytest.raises(ValueError, match="holds no labels"):
        without.train.labels  # noqa: B018


@pytest.mark.parametrize("name", ["folder/", "link", "link/"])
def test_an_empty_folder_is_filled_by_any_of_its_names(files, tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    prepared = prepare(files, TEXT, f"{tmp_path}/{name}", verbose=0)
    assert prepared.train.values.tolist() == prepare(files, TEXT).train.values.tolist()
    assert (tmp_path / "link").is_symlink()
    assert sorted(os.listdir(tmp_path / "folder")) == sorted(written(prepared.folder))
