"""A version appears whole or not at all."""

import json
import pathlib
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest
import tensorflow as tf

import keras_textvae
from export import export_saved_model, warm_up
from export.export_saved_model import export
from keras_textvae import TextSpace
from serving.saved_model import manifest
from tests.examples.conftest import run_program

PROGRAM = pathlib.Path(__file__).parents[2] / "export" / "export_saved_model.py"


def nothing(space, folder, *options):
    """Stands for a SavedModel where its content does not matter: it costs seconds."""
    (pathlib.Path(folder) / "assets").mkdir(parents=True)


def test_signatures_are_the_methods(exported):
    signatures = set(tf.saved_model.load(str(exported)).signatures)
    methods = set("sample interpolate reconstruct impute encode decode score".split())
    assert signatures == methods | {"serving_default"}


def test_the_description_says_what_is_exported(exported, tmp_path):
    found = json.loads((exported / export_saved_model.DESCRIPTION).read_text())
    assert found["versions"]["keras_textvae"] == keras_textvae.__version__
    del found["versions"]
    assert found == {
        "weights": "float32",
        "batching": None,
        "model": "TextVAE",
        "latent_dim": 4,
        "length": 7,
        "form": "sentence",
        "tokenizer": {
            "class": "WordTokenizer",
            "vocabulary_size": 12,
            "right_to_left": False,
        },
        "labels": None,
        "density": None,
    }


def test_a_run_s_recipe_and_metrics_are_described(tmp_path):
    assert export_saved_model.of_run(tmp_path) == {}
    (tmp_path / "config.json").write_text('{"recipe": {"text": 3}, "seed": 0}')
    (tmp_path / "result.json").write_text('{"bound": 99.0}')
    assert export_saved_model.of_run(tmp_path) == {
        "recipe": {"text": 3},
        "metrics": {"bound": 99.0},
    }


def test_versions_count_up(space, tmp_path, monkeypatch):
    monkeypatch.setattr(TextSpace, "export", nothing)
    assert export(space, tmp_path).name == "1"
    assert export(space, tmp_path, 7).name == "7"
    assert export(space, tmp_path).name == "8"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "1", "7", "8"]


def test_version_that_exists_is_left_alone(space, exported):
    before = {p: p.read_bytes() for p in exported.rglob("*") if p.is_file()}
    with pytest.raises(FileExistsError, match="Version 1 exists already"):
        export(space, exported.parent, 1)
    assert {p: p.read_bytes() for p in exported.rglob("*") if p.is_file()} == before


def test_version_must_be_positive(space, tmp_path):
    with pytest.raises(ValueError, match="positive integer. Received: 0"):
        export(space, tmp_path, 0)


@pytest.fixture
def limit_files():
    """A function that lets files have so many bytes; the next is as of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    limit(soft)


@pytest.mark.parametrize(
    "size, fails", [(10_000, "variables/"), (1_000_000, "saved_model.pb")]
)
def test_full_disk_leaves_no_version_and_one_line(
    size, fails, limit_files, space, tmp_path, monkeypatch, capfd
):
    monkeypatch.setattr(keras_textvae, "open_space", lambda folder: space)
    arguments = ["--run_dir=any", f"--output_dir={tmp_path}"]
    limit_files(size)
    assert run_program(export_saved_model, arguments) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("export_saved_model.py: ")
    assert fails in line and "File too large" in line
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_killed_export_leaves_no_version_and_can_be_repeated(
    labelled, tmp_path, monkeypatch, capsys
):
    run_dir, output_dir = tmp_path / "run", tmp_path / "exported"
    labelled.save(run_dir)
    arguments = [f"--run_dir={run_dir}", f"--output_dir={output_dir}"]
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments], stderr=subprocess.DEVNULL
    )
    wait_for(lambda: any(output_dir.glob(".partial-*")) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [p for p in output_dir.iterdir() if p.name.isdigit()] == []
    monkeypatch.setattr(TextSpace, "export", nothing)
    monkeypatch.setattr(keras_textvae, "open_space", lambda folder: labelled)
    assert run_program(export_saved_model, arguments) == 0
    assert sorted(path.name for path in output_dir.iterdir()) == [".lock", "1"]
    assert f"{output_dir}/1 (0.0 MB)" in capsys.readouterr().out


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.002)


def test_program_refuses_a_folder_without_a_model(tmp_path, capsys):
    arguments = [f"--run_dir={tmp_path}", f"--output_dir={tmp_path / 'out'}"]
    assert run_program(export_saved_model, arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("export_saved_model.py: ") and "holds no text space" in line
    assert not (tmp_path / "out").exists()


def test_of_two_exports_at_once_each_is_whole(space, tmp_path, monkeypatch):
    others = []

    def slowly(space, folder, *options):
        nothing(space, folder)
        if not others:  # the first: another begins, and would clear its folder away
            others.append(threading.Thread(target=export, args=(space, tmp_path)))
            others[0].start()
            others[0].join(timeout=0.3)

    monkeypatch.setattr(TextSpace, "export", slowly)
    monkeypatch.setattr(warm_up, "requests", lambda space: [])
    assert export(space, tmp_path).name == "1"
    others[0].join()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "1", "2"]
    for version in ("1", "2"):
        assert manifest.faults(tmp_path / version) == []
