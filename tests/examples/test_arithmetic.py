"""The program that turns texts by arithmetic, over a space of random weights."""

import json

import numpy as np
import pytest

from examples import arithmetic
from examples.classification.labelled import Labelled
from keras_textvae import TextSpace, text_space, zoo
from keras_textvae.evaluation import TrigramModel, bleu

CATS = ["the cat sees", "a cat likes the cat", "big cat", "the old cat", "cat"]
DOGS = ["the dog sees", "a dog likes the dog", "big dog", "the old dog", "dog"]
LINES = [f"cat\t{text}\n" for text in CATS] + [f"dog\t{text}\n" for text in DOGS]


@pytest.fixture
def flags(opened, tmp_path):
    """Flags of the space and a labelled file."""
    path = tmp_path / "labelled.tsv"
    path.write_text("".join(LINES))
    return [f"--run_dir={opened}", f"--labelled={path}"]


@pytest.fixture(scope="module")
def shifted(space):
    """A function of a text, a source, a target and a scale, worked out by NumPy."""

    def shifted(text, source, target, scale):
        step = space.encode(target).mean.mean(0) - space.encode(source).mean.mean(0)
        return space.decode(space.encode([text]).mean + np.float32(scale) * step)[0]

    return shifted


def test_texts_become_what_lies_at_each_scale(run, flags, shifted):
    texts = ["big cat", "the old cat"]
    flags = [*flags, "--from=cat", "--to=dog", "--scale=0,1.5,-20"]
    flags += [f"--text={text}" for text in texts]
    scales = ["0", "1.5", "-20"]
    becomes = [{s: shifted(t, CATS, DOGS, float(s)) for s in scales} for t in texts]
    expected = [
        {"text": text, "becomes": row} for text, row in zip(texts, becomes, strict=True)
    ]
    assert becomes[0]["0"] != becomes[0]["-20"]
    ended = run(arithmetic, *flags, "--json")
    assert (ended.code, ended.errors) == (0, [])
    assert [json.loads(line) for line in ended.output] == expected
    ended = run(arithmetic, *flags)
    assert ended.output[0] == "big cat"
    assert ended.output[1:4] == [f"  {s}: {text}" for s, text in becomes[0].items()]


def test_a_text_that_is_too_long_is_told_and_the_others_turn(run, flags):
    flags = [*flags, "--from=cat", "--to=dog", "--text=" + 6 * "a ", "--text=cat"]
    ended = run(arithmetic, *flags)
    assert (ended.code, len(ended.output), len(ended.errors)) == (2, 2, 1)
    assert ended.output[0] == "cat" and "text 1: " in ended.errors[0]


def test_held_out_texts_are_measured_in_both_directions(run, flags, shifted, tmp_path):
    pytest.importorskip("sacrebleu")
    test = tmp_path / "test.tsv"
    test.write_text("".join(LINES[1:4] + LINES[6:10]))
    flags = [*flags, f"--evaluate={test}", "--scale=9"]
    ended = run(arithmetic, *flags, "--json")
    assert (ended.code, ended.errors) == (0, [])
    accuracy, *rows = map(json.loads, ended.output)
    assert accuracy == {"accuracy": 1.0}  # a word tells cats from dogs
    figures = [row for row in rows if "turned" in row]
    keys = [(row["from"], row["to"], row["texts"], row["scale"]) for row in figures]
    cats, dogs = ("cat", "dog", 3), ("dog", "cat", 4)
    assert keys == [(*cats, 0.0), (*cats, 9.0), (*dogs, 0.0), (*dogs, 9.0)]
    after = [shifted(text, CATS, DOGS, 9.0) for text in CATS[1:4]]
    examples = [row["becomes"]["9"] for row in rows if "becomes" in row]
    assert examples[:3] == after
    words = [text.split() for text in after]
    nats = TrigramModel([text.split() for text in CATS + DOGS]).nll(words)
    assert figures[1]["nats_a_word"] == pytest.approx(
        nats.sum() / sum(len(text) + 1 for text in words)
    )
    before = [text.split() for text in CATS[1:4]]
    assert figures[1]["self_bleu"] == pytest.approx(bleu(words, before))
    ended = run(arithmetic, *flags, "--from=dog", "--to=cat")
    assert ended.output[0].startswith("The classifier is right of 100.0 % of ")
    assert sum("| scale | turned |" in line for line in ended.output) == 1
    assert "dog to cat, 4 texts" in ended.output


def test_what_turns_is_counted(space):
    train = Labelled(CATS + DOGS, 5 * ["cat"] + 5 * ["dog"])
    judge = arithmetic.Judge(space, train)
    after = ["a dog", "the cat", "dog", "big dog"]
    assert judge.figures(CATS[:4], after, "dog")["turned"] == 0.75
    assert judge.figures(CATS[:4], CATS[:4], "dog")["turned"] == 0.0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--labelled="], "--labelled is needed"),
        (["--run_dir="], "--run_dir or --preset is needed"),
        (["--from=cat"], "--to=: the labels of "),
        (["--from=mouse", "--to=dog"], "--from=mouse: the labels of "),
        (["--from=cat", "--to=cat"], "--from and --to are both cat"),
        (["--from=cat", "--to=dog", "--scale=1,far"], "--scale=far: numbers"),
        (["--from=cat", "--to=dog", "--scale=nan"], "--scale=nan: numbers"),
        (["--evaluate=TEST", "--text=cat"], "--evaluate excludes --text"),
        (["--evaluate=TEST"], "test.tsv: no text is dog"),
        (["--evaluate=LONG"], "long.tsv, line 1: more than the 5 words"),
        (["--evaluate=MOUSE"], "'mouse' was never seen in training"),
        (["--run_dir=/nowhere"], "/nowhere holds no text space"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, flags, tmp_path, more, message):
    (tmp_path / "test.tsv").write_text(LINES[0])
    (tmp_path / "long.tsv").write_text("cat\t" + 6 * "cat " + "\n")
    (tmp_path / "mouse.tsv").write_text("mouse\ta mouse\n")
    for name in ("test", "long", "mouse"):
        path = str(tmp_path / f"{name}.tsv")
        more = [flag.replace(name.upper(), path) for flag in more]
    ended = run(arithmetic, *flags, *more)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("arithmetic.py: ") and message in line


def test_a_language_model_has_no_latent_space(run, flags, space, monkeypatch):
    model = zoo.rnnlm(space.codec.vocabulary_size, 4, 4)
    opened = TextSpace(model, space.codec)
    monkeypatch.setattr(text_space, "open_space", lambda folder: opened)
    ended = run(arithmetic, *flags, "--from=cat", "--to=dog", "--text=cat")
    message = "arithmetic.py: encode: this LanguageModel has no such method"
    assert ended.code == 2 and ended.errors[0].startswith(message)
