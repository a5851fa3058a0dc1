"""All of a training in one call."""

import csv
import random

import pytest

import keras_textvae
from keras_textvae import corpora

RNG = random.Random(0)
TEXTS = [
    f"{RNG.choice(['The', 'A'])} {RNG.choice(['cat', 'dog'])}, {number} (or so)!"
    for number in range(300)
]
TINY = {"units": 4, "embedding_dim": 4, "latent_dim": 2, "epochs": 1}
TINY |= {"steps_per_epoch": 2, "level": "bytes"}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))


def test_a_table_becomes_a_space_and_the_same_call_finds_it(tmp_path, capsys):
    path = tmp_path / "reviews.csv"
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["id", "review"], *enumerate(TEXTS)])
    folder = tmp_path / "run"
    space = keras_textvae.train(path, folder, text_column="review", **TINY)
    output = capsys.readouterr().out
    for told in ("texts: 300 (train ", "bits per byte", "samples:", "nats"):
        assert told in output
    assert space.codec.length == max(len(text) for text in TEXTS)
    written = (folder / "metrics.csv").read_bytes()
    again = keras_textvae.train(path, folder, text_column="review", verbose=0, **TINY)
    assert (folder / "metrics.csv").read_bytes() == written
    assert (
        again.score(TEXTS[:3]).bound.tolist() == space.score(TEXTS[:3]).bound.tolist()
    )


def test_python_s_texts_are_taken_as_those_of_files(tmp_path, capfd):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS))
    spaces = [
        keras_textvae.train(texts, tmp_path / name, verbose=0, **TINY)
        for name, texts in {"file": str(path), "list": TEXTS}.items()
    ]
    assert capfd.readouterr().out == ""
    first, second = (space.score(TEXTS[:3]).bound.tolist() for space in spaces)
    assert first == second


def test_a_corpus_takes_no_options_of_reading(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS))
    corpus = corpora.collect(path, verbose=0)
    with pytest.raises(ValueError, match="has been read. Received also: language"):
        keras_textvae.train(corpus, tmp_path / "run", language="en")
    with pytest.raises(ValueError, match="no field 'epoch'"):
        keras_textvae.train(corpus, tmp_path / "run", epoch=3)
    assert not (tmp_path / "run").exists()
