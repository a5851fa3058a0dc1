"""Which version is served."""

import gc
import weakref

import pytest

from serving.engine import Engine
from serving.model_versions import ModelVersions
from serving.server import Server


def test_newest_directory_named_by_a_number_is_loaded(base_path):
    versions = ModelVersions(base_path)
    assert sorted(versions.on_disk()) == [3, 7]
    assert versions.find() is None
    assert versions.load_newest() == 7
    assert versions.loaded() == [7]
    version, engine = versions.find()
    assert version == 7
    assert versions.find(7) == (7, engine)
    assert versions.find(3) is None
    versions.close()
    assert versions.loaded() == []


def test_dropped_engine_is_unloaded(base_path):
    engine = Engine(base_path / "7")
    session = weakref.ref(engine._session)
    del engine
    gc.collect()
    assert session() is None


def test_versions_compare_as_numbers(tmp_path):
    for name in ("9", "10", "010x", "-11", "\u0661\u0662"):
        (tmp_path / name).mkdir()
    assert sorted(ModelVersions(tmp_path).on_disk()) == [9, 10]


@pytest.mark.parametrize("names, line", [(None, "no such"), (["a"], "no version")])
def test_base_path_without_a_version_is_refused(tmp_path, names, line):
    base_path = tmp_path / "models"
    for name in names or []:
        (base_path / name).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=f"models: {line}"):
        Server(base_path, "toy").start()


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_broken_version_is_refused(tmp_path, content):
    directory = tmp_path / "1"
    directory.mkdir()
    if content is not None:
        (directory / "saved_model.pb").write_bytes(content)
    with pytest.raises(ValueError, match="1: cannot be loaded: .") as refusal:
        Server(tmp_path, "toy").start()
    assert "\n" not in str(refusal.value)
