"""The program that reports on a latent space: what it writes, and what it refuses."""

import dataclasses
import json
import shutil

import pytest

from examples import report
from keras_textvae import evaluation, zoo
from keras_textvae.text_space import TextSpace
from keras_textvae.training import folder as run_folder

TEXTS = ["the cat sees a dog", "a big dog", "", "old cat likes the dog", "the cat"]


@pytest.fixture
def files(tmp_path):
    """Files of texts, of their labels, and a run's figures."""
    folder = tmp_path / "files"
    folder.mkdir()
    labels = [f"label {len(text)}" for text in TEXTS]
    for name, lines in (("texts", TEXTS), ("labels", labels), ("one", ["label"])):
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (folder / "empty.txt").touch()
    return folder


def as_run(run_dir, folder, files):
    """A copy of a text space that is a run with a corpus and figures."""
    shutil.copytree(run_dir, folder)
    path = str(files / "texts.txt")
    config = {
        "format": run_folder.FORMAT,
        "recipe": zoo.recipe("lstm-grammar").get_config(),
        "sources": {},
        "files": {"name": "files", "labels": []}
        | dict.fromkeys(("train", "valid"), [path])
        | {"test": []},
        "prepared": "/nowhere",
        "seed": 0,
    }
    (folder / "config.json").write_text(json.dumps(config))
    rows = "epoch,val_loss,val_kl\n1.0,3.5,0.5\n2.0,3.25,0.75\n"
    (folder / "metrics.csv").write_text(rows)
    return folder


@pytest.fixture
def asked(monkeypatch, made):
    """What the report is asked for; `made` stands for it."""
    arguments = {}

    def report_on(space, texts, labels, training_texts, **options):
        arguments.update(options, texts=[*texts], training_texts=[*training_texts])
        named = ("title", "description", "history")
        return dataclasses.replace(made, **{name: options[name] for name in named})

    monkeypatch.setattr(report.evaluation, "report", report_on)
    return arguments


@pytest.fixture(scope="module")
def made(space):
    """A report on the space, in short."""
    none = {"samples": 0, "paths": 0, "importance_samples": 0}
    return evaluation.report(space, TEXTS, [f"label {len(t)}" for t in TEXTS], **none)


def test_a_run_is_reported_by_its_own_corpus(
    run, opened, space, tmp_path, files, monkeypatch, asked
):
    folder = as_run(opened, tmp_path / "mine", files)
    monkeypatch.setattr(report.keras_textvae, "open_space", lambda folder: space)
    ended = run(report, f"--run_dir={folder}", "--samples=3", "--seed=7")
    assert ended.code == 0, ended.errors
    assert ended.output[0] == "latent space, on 4 sentences:"
    assert ended.output[-1] == f"report: {folder}/report/report.html (and .md, .json)"
    assert asked["texts"] == asked["training_texts"] == TEXTS
    assert (asked["samples"], asked["seed"]) == (3, 7)
    assert "units=128" in asked["description"]
    written = json.loads((folder / "report" / "report.json").read_text())
    assert written["title"] == "The latent space of mine"
    assert (written["sentences"], written["left_out"]) == (4, 1)
    assert [row["val_kl"] for row in written["history"]] == [0.5, 0.75]
    markdown = (folder / "report" / "report.md").read_text()
    assert markdown.startswith("# The latent space of mine\n")
    page = (folder / "report" / "report.html").read_text()
    assert "the cat sees a dog" in page


def test_texts_and_labels_of_one_s_own(run, opened, tmp_path, files, asked):
    output = tmp_path / "report"
    named = [f"--texts={files}/texts.txt", f"--labels={files}/labels.txt"]
    learned = f"--training_texts={files}/one.txt"
    ended = run(report, f"--run_dir={opened}", *named, learned, f"--output={output}")
    assert ended.code == 0, ended.errors
    assert (asked["texts"], asked["training_texts"]) == (TEXTS, ["label"])
    assert (asked["history"], asked["description"]) == ([], "")
    assert "label 18" in (output / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--run_dir or --preset is needed"),
        (["--run_dir=RUN", "extra"], "no argument without a name"),
        (["--run_dir=/nowhere"], "/nowhere holds no text space"),
        (
            ["--run_dir=RUN"],
            "RUN is a text space, and has no corpus: --texts is needed",
        ),
        (["--run_dir=RUN", "--labels=FILES/labels.txt"], "--labels needs --texts"),
        (["--run_dir=RUN", "--texts=/nowhere"], "/nowhere does not exist"),
        (["--run_dir=RUN", "--texts=FILES/empty.txt"], "empty.txt is empty"),
        (
            ["--run_dir=RUN", "--texts=FILES/texts.txt", "--labels=FILES/one.txt"],
            "There must be a label for each text. Received: 1 labels, 5 texts",
        ),
        (["--run_dir=RUN", "--texts=FILES/texts.txt", "--samples=-1"], "--samples=-1"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    run, opened, tmp_path, files, arguments, message
):
    def named(text):
        return text.replace("RUN", opened).replace("FILES", str(files))

    output = f"--output={tmp_path}/report"
    ended = run(report, *map(named, arguments), output)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("report.py: ")
    assert named(message) in line


def test_a_language_model_has_no_latent_space(run, opened, space, monkeypatch, files):
    model = zoo.rnnlm(space.codec.vocabulary_size, 3, 4)
    language = TextSpace(model, space.codec)
    monkeypatch.setattr(report.keras_textvae, "open_space", lambda folder: language)
    ended = run(report, f"--run_dir={opened}", f"--texts={files}/texts.txt")
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert "a LanguageModel has no latent space that can be decoded" in line
