"""The picture of a run's curves."""

import importlib.util
import types

import pytest

from keras_textvae.training import curves

pytest.importorskip("matplotlib")

ROW = {"val_loss": 40.0, "val_reconstruction": 30.0, "val_kl": 10.0, "kl_weight": 1.0}


@pytest.fixture
def run(tmp_path):
    """What the callback asks of a run."""
    history = types.SimpleNamespace(rows=[])
    return types.SimpleNamespace(
        history=history, path=lambda name: str(tmp_path / name), folder=tmp_path
    )


def test_each_epoch_is_drawn(run):
    callback = curves.Curves(run)
    pictures = []
    for epoch in range(2):
        run.history.rows.append(ROW | {"epoch": epoch + 1.0})
        callback.on_epoch_end(epoch)
        pictures.append((run.folder / "curves.png").read_bytes())
    assert pictures[0][:4] == b"\x89PNG"
    assert pictures[0] != pictures[1]
    assert [path.name for path in run.folder.iterdir()] == ["curves.png"]


def test_nothing_is_drawn_of_nothing_or_without_matplotlib(run, monkeypatch):
    curves.Curves(run).on_epoch_end(0)
    run.history.rows.append(ROW | {"epoch": 1.0})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    curves.Curves(run).on_epoch_end(0)
    assert not list(run.folder.iterdir())
