"""The program of one page, from sentences to a path."""

import pytest

from examples import minimal
from keras_textvae import grammar, models


@pytest.fixture
def eagerly(monkeypatch):
    """Trains without a graph, which takes seconds."""
    compile = models.TextVAE.compile
    monkeypatch.setattr(
        models.TextVAE,
        "compile",
        lambda model, optimizer: compile(model, optimizer, run_eagerly=True),
    )


def test_a_path_between_two_sentences_is_printed(run, eagerly, tmp_path):
    texts = [example.text for example in grammar.generate(40, 0, "train")]
    path = tmp_path / "sentences.txt"
    path.write_text("\n".join([*texts, "too long " * 11]) + "\n")
    ended = run(minimal, f"--file={path}", "--epochs=1")
    assert ended.code == 0
    words = {word for text in texts for word in text.split()}
    assert len(ended.output[-8:]) == 8
    assert all({*line.split()} <= words for line in ended.output[-8:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--file is needed"),
        (["--file=/nowhere"], "/nowhere"),
        (["--file=FILE"], "--file needs two sentences"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, tmp_path, arguments, message):
    (tmp_path / "one.txt").write_text("one sentence\n" + "too long " * 11)
    file = str(tmp_path / "one.txt")
    ended = run(minimal, *(argument.replace("FILE", file) for argument in arguments))
    assert ended.code == 2
    assert ended.output == []
    (line,) = ended.errors
    assert line.startswith("minimal.py: ")
    assert message in line
