"""Which versions are loaded, replaced and unloaded.

Most tests have an engine that loads no SavedModel but a line of text.
"""

import shutil
import weakref

import pytest
import tensorflow as tf
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from serving.models import ModelConfig, ModelVersions, model_versions
from serving.models.version_policy import All, Latest, Specific
from serving.saved_model import Engine

AVAILABLE, UNLOADING, END = "AVAILABLE", "UNLOADING", "END"


class LineEngine:
    """Loads a line, unless it says otherwise."""

    loaded = []  # the names of the directories, in order

    def __init__(self, directory):
        self.loaded.append(directory.name)
        line = (directory / "line").read_text()
        if line != "good":
            raise ValueError(f"{directory.name}: {line}")
        self.closed = False

    def warm_up(self, requests):
        list(requests)

    def close(self):
        self.closed = True


@pytest.fixture
def loaded(monkeypatch):
    monkeypatch.setattr(model_versions, "Engine", LineEngine)
    monkeypatch.setattr(LineEngine, "loaded", [])
    return LineEngine.loaded


@pytest.fixture
def publish(tmp_path, loaded):
    """Makes versions appear, whole, as an export does."""

    def publish(*versions: int, line: str = "good"):
        for version in versions:
            directory = tmp_path / f"{version}.partial"
            directory.mkdir()
            (directory / "line").write_text(line)
            directory.rename(tmp_path / str(version))

    return publish


@pytest.fixture
def make(tmp_path):
    """A policy, or none -> the versions that `publish` makes appear."""
    return lambda *policy: ModelVersions(ModelConfig("toy", tmp_path, *policy))


def states(versions: ModelVersions) -> dict[int, str]:
    name = ModelVersionStatus.State.Name
    return {entry.version: name(entry.state) for entry in versions.statuses()}


def test_newest_directory_named_by_a_number_is_loaded(base_path):
    versions = ModelVersions(ModelConfig("toy", base_path))
    assert sorted(versions.on_disk()) == [3, 7]
    assert versions.find() is None
    versions.load()
    version, engine = versions.find()
    assert version == 7
    assert versions.find(7) == (7, engine)
    assert versions.find(3) is None
    assert states(versions) == {7: AVAILABLE}
    versions.close()
    assert versions.find() is None
    assert states(versions) == {7: END}


def test_dropped_engine_is_unloaded_at_once(base_path):
    engine = Engine(base_path / "7")
    session = weakref.ref(engine._session)
    del engine
    assert session() is None


def test_versions_compare_as_numbers(tmp_path):
    names = "9", "10", "010x", "-11", "\u0661\u0662", str(2**63)
    for name in names:
        (tmp_path / name).mkdir()
    versions = ModelVersions(ModelConfig("toy", tmp_path))
    assert sorted(versions.on_disk()) == [9, 10]


@pytest.mark.parametrize(
    "policy, expected",
    [
        (Latest(1), [9]),
        (Latest(2), [9, 7]),
        (All(), [9, 7, 5]),
        (Specific(frozenset({5, 7, 8})), [7, 5]),
    ],
)
def test_policy_says_what_is_loaded(make, publish, policy, expected):
    publish(5, 7, 9)
    versions = make(policy)
    versions.load()
    assert states(versions) == dict.fromkeys(expected, AVAILABLE)
    assert [entry.version for entry in versions.statuses()] == expected
    assert versions.find()[0] == expected[0]


@pytest.mark.parametrize("names, line", [(None, "no such"), (["a"], "no version")])
def test_base_path_without_a_version_is_refused(tmp_path, names, line):
    base_path = tmp_path / "models"
    for name in names or []:
        (base_path / name).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=f"models: {line}"):
        ModelVersions(ModelConfig("toy", base_path)).load()


def test_base_path_without_a_version_to_serve_is_refused(make, publish, tmp_path):
    publish(1)
    with pytest.raises(FileNotFoundError, match="none of the versions to serve$"):
        make(Specific(frozenset({2}))).load()


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_broken_version_is_refused(tmp_path, content):
    directory = tmp_path / "1"
    directory.mkdir()
    if content is not None:
        (directory / "saved_model.pb").write_bytes(content)
    versions = ModelVersions(ModelConfig("toy", tmp_path))
    with pytest.raises(ValueError, match="1: cannot be loaded: .") as refusal:
        versions.load()
    assert "\n" not in str(refusal.value)


def test_broken_version_beside_a_good_one_is_passed_over(make, publish):
    publish(1)
    publish(2, line="broken")
    versions = make()
    versions.load()
    assert versions.find()[0] == 1
    assert states(versions) == {2: END, 1: AVAILABLE}
    broken, good = versions.statuses()
    assert broken.status.error_code == tf.errors.UNKNOWN
    assert broken.status.error_message == "2: broken"
    assert good.HasField("status")
    assert (good.status.error_code, good.status.error_message) == (tf.errors.OK, "")


def test_broken_version_does_not_replace_a_good_one(make, publish):
    publish(1)
    versions = make()
    versions.load()
    engine = versions.find()[1]
    publish(2, line="broken")
    versions.update()
    assert versions.find() == (1, engine)


def test_broken_version_is_tried_again_when_it_changes(make, publish, loaded, tmp_path):
    publish(1)
    publish(2, line="half")
    versions = make()
    versions.load()
    versions.update()
    assert loaded == ["2", "1"]
    (tmp_path / "2" / "more").mkdir()
    versions.update()
    assert loaded == ["2", "1", "2"]
    (tmp_path / "2" / "line").write_text("good")
    versions.update()
    versions.update()
    assert loaded == ["2", "1", "2", "2"]
    assert versions.find()[0] == 2


def test_new_version_is_loaded_before_the_old_one_goes(make, publish, monkeypatch):
    publish(1)
    versions = make()
    versions.load()
    seen = []

    def warm_up(engine, requests):
        seen.append((versions.find()[0], states(versions)))

    monkeypatch.setattr(LineEngine, "warm_up", warm_up)
    publish(2)
    versions.update()
    assert seen == [(1, {2: "LOADING", 1: AVAILABLE})]
    assert versions.find()[0] == 2
    assert versions.find(1) is None


@pytest.fixture
def replace(make, publish):
    """Lets 2 replace 1, by which a call is being answered; returns both."""

    def replace():
        publish(1)
        versions = make()
        versions.load()
        _, in_flight = versions.find()
        publish(2)
        versions.update()
        return versions, in_flight

    return replace


def test_old_version_goes_after_its_calls(replace):
    versions, in_flight = replace()
    versions.update()
    assert states(versions) == {2: AVAILABLE, 1: UNLOADING}
    assert not in_flight.closed
    del in_flight
    versions.update()
    assert states(versions) == {2: AVAILABLE, 1: END}


def test_calls_that_go_on_for_too_long_are_stopped(replace, monkeypatch):
    monkeypatch.setattr(model_versions, "DRAIN_SECONDS", 0.0)
    versions, in_flight = replace()
    assert not in_flight.closed
    versions.update()
    assert in_flight.closed
    assert states(versions) == {2: AVAILABLE, 1: END}


def test_version_may_come_back_while_its_last_calls_run(replace, tmp_path):
    versions, in_flight = replace()
    shutil.rmtree(tmp_path / "2")
    versions.update()
    assert states(versions) == {2: UNLOADING, 1: AVAILABLE}
    assert versions.find()[1] is not in_flight
    del in_flight
    versions.update()
    assert states(versions) == {2: END, 1: AVAILABLE}


def test_version_deleted_while_it_serves_stays_until_another_is_there(
    make, publish, tmp_path
):
    publish(1)
    (tmp_path / "another").mkdir()
    versions = make()
    versions.load()
    engine = versions.find()[1]
    shutil.rmtree(tmp_path / "1")
    with pytest.raises(FileNotFoundError, match="no version"):
        versions.update()
    assert versions.find() == (1, engine)
    publish(2, line="broken")
    versions.update()
    assert versions.find() == (1, engine)
    publish(3)
    versions.update()
    assert versions.find()[0] == 3


def test_deleting_the_newest_version_brings_back_the_one_before(
    make, publish, tmp_path
):
    publish(1, 2)
    versions = make()
    versions.load()
    shutil.rmtree(tmp_path / "2")
    versions.update()
    assert versions.find()[0] == 1
    assert versions.find(2) is None
