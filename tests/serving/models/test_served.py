"""Several models are loaded, found by name, and followed."""

import threading
import time
from pathlib import Path

import pytest
import tensorflow as tf

from serving.models import ModelConfig, Models, served
from serving.models.version_policy import All

SECONDS = 0.02  # from one look at the disk to the next


def eventually(condition, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


@pytest.fixture(scope="module")
def publish(base_path):
    """Makes versions of the toy appear under a base path, each by one step."""

    def publish(path: Path, *versions: int) -> Path:
        path.mkdir(exist_ok=True)
        for version in versions:
            (path / str(version)).symlink_to(base_path / "7")
        return path

    return publish


@pytest.fixture
def open_models():
    """Configs -> `Models` that are loaded; closed at the end."""
    opened = []

    def open_models(*configs: ModelConfig) -> Models:
        opened.append(Models(configs))
        opened[-1].load()
        return opened[-1]

    yield open_models
    for each in opened:
        each.close()


@pytest.fixture(scope="module")
def two(publish, tmp_path_factory):
    """A model with two versions and labels, and one with one version."""
    labels = {"stable": 3, "next": 5}
    a, b = tmp_path_factory.mktemp("a"), tmp_path_factory.mktemp("b")
    models = Models(
        [
            ModelConfig("toy", publish(a, 3, 4), All(), labels),
            ModelConfig("other", publish(b, 1)),
        ]
    )
    models.load()
    yield models
    models.close()


def test_models_have_names_in_order(two):
    assert two.names == ("toy", "other")
    assert two.available


@pytest.mark.parametrize(
    "wanted, version",
    [
        ({"name": "toy"}, 4),
        ({"name": "toy", "version": 3}, 3),
        ({"name": "toy", "label": "stable"}, 3),
        ({"name": "other"}, 1),
    ],
)
def test_version_is_found(two, wanted, version):
    found, engine = two.find(**wanted)
    assert found == version
    assert "reconstruct" in engine.signatures


NOT_FOUND = tf.errors.NotFoundError


@pytest.mark.parametrize(
    "wanted, error, line",
    [
        ({"name": "x"}, NOT_FOUND, "Servable not found for request: Latest(x)"),
        (
            {"name": "toy", "version": 5},
            NOT_FOUND,
            "Servable not found for request: Specific(toy, 5)",
        ),
        (
            {"name": "toy", "version": -1},
            NOT_FOUND,
            "Servable not found for request: Specific(toy, -1)",
        ),
        (
            {"name": "toy", "label": "next"},
            NOT_FOUND,
            "Servable not found for request: Specific(toy, 5)",
        ),
        (
            {"name": "toy", "label": "x"},
            tf.errors.InvalidArgumentError,
            "Unrecognized servable version label: x",
        ),
        (
            {"name": "x", "label": "stable"},
            tf.errors.InvalidArgumentError,
            "Unrecognized servable version label: stable",
        ),
        (
            {"name": "toy", "label": ""},
            tf.errors.InvalidArgumentError,
            "Unrecognized servable version label: ",
        ),
    ],
)
def test_what_is_not_there_is_refused(two, wanted, error, line):
    with pytest.raises(error) as refusal:
        two.find(**wanted)
    assert refusal.value.message == line


def test_status_tells_of_every_version(two):
    assert [entry.version for entry in two.status("toy")] == [4, 3]
    assert two.status("x") == []


def test_one_model_without_a_version_is_refused(publish, tmp_path):
    good = ModelConfig("toy", publish(tmp_path / "a", 1))
    (tmp_path / "b" / "1").mkdir(parents=True)
    models = Models([good, ModelConfig("other", tmp_path / "b")])
    assert not models.available
    with pytest.raises(ValueError, match="b/1: cannot be loaded: "):
        models.load()
    assert not models.available
    assert models.find("toy")[0] == 1
    models.close()


def test_versions_are_followed(open_models, publish, tmp_path):
    path = publish(tmp_path / "a", 1)
    models = open_models(ModelConfig("toy", path))
    models.watch(SECONDS)
    publish(path, 2)
    assert eventually(lambda: models.find("toy")[0] == 2)
    (path / "2").unlink()
    assert eventually(lambda: models.find("toy")[0] == 1)


@pytest.fixture
def logged(monkeypatch):
    """What is logged, each line with its level."""
    lines = []
    for level in ("info", "error"):
        monkeypatch.setattr(
            served.logging,
            level,
            lambda line, *values, level=level: lines.append((level, line % values)),
        )
    return lines


def test_nothing_ends_the_watch(open_models, publish, tmp_path, logged):
    path = publish(tmp_path / "a", 1)
    served = open_models(
        ModelConfig("toy", path), ModelConfig("other", publish(tmp_path / "b", 1))
    )
    served.watch(SECONDS)
    path.rename(tmp_path / "away")
    assert eventually(lambda: logged)
    publish(tmp_path / "b", 2)
    assert eventually(lambda: served.find("other")[0] == 2)
    assert served.find("toy")[0] == 1
    publish(tmp_path / "away", 3).rename(path)
    assert eventually(lambda: served.find("toy")[0] == 3)
    # Once, however often it looked.
    errors = [line for level, line in logged if level == "error"]
    assert errors == [f"toy: FileNotFoundError: {path}: no such directory"]


def test_changes_are_logged(open_models, publish, tmp_path, logged):
    path = publish(tmp_path, 1)
    (path / "2").mkdir()
    served = open_models(ModelConfig("toy", path))
    served.watch(SECONDS)
    ((level, line),) = logged
    assert level == "error"
    assert line.startswith(f"toy: version 2: {path}/2: cannot be loaded: ")
    publish(path, 3)
    assert eventually(lambda: len(logged) == 4)
    assert logged[1:] == [
        ("info", "toy: version 3: AVAILABLE"),
        ("info", "toy: version 1: UNLOADING"),
        ("info", "toy: version 1: END"),
    ]


def test_close_ends_the_watch_and_unloads(publish, tmp_path):
    models = Models([ModelConfig("toy", publish(tmp_path / "a", 1))])
    models.load()
    models.watch(seconds=600)
    models.close()
    assert "models" not in [thread.name for thread in threading.enumerate()]
    assert not models.available
    with pytest.raises(NOT_FOUND):
        models.find("toy")


def test_what_is_forbidden_is_not_loaded(publish, tmp_path):
    def faults(directory):
        return ["a fault"] if directory.name == "4" else []

    models = Models([ModelConfig("toy", publish(tmp_path / "a", 3, 4))], faults)
    models.load()
    assert models.find("toy")[0] == 3
    refused, _ = models.status("toy")
    assert refused.version == 4
    assert refused.state == refused.END
    assert refused.status.error_message.endswith("4: refused: a fault")
    models.close()
