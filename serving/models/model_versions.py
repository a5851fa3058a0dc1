"""The versions of one model: which there are on disk, and which are loaded.

A version is a directory under the model's base path whose name is a whole number, and
that holds a SavedModel. As with TensorFlow Serving, a new version is loaded and warmed
up before an old one goes, and an old one goes after the calls that it still answers.
"""

import os
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import tensorflow as tf
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from serving.models.models_config import ModelConfig
from serving.saved_model import Engine, warm_up
from serving.wire import status

# What the calls of a version that is replaced have left. Then they are stopped.
DRAIN_SECONDS = 60.0

PATTERN = frozenset("*?[]\\")  # what no path may have in it

MAX_VERSION = 2**63 - 1  # the protocol's


class Draining(NamedTuple):
    """A version that answers its last calls; whoever answers one holds the engine."""

    version: int
    engine: weakref.ref
    since: float  # by the monotonic clock


class ModelVersions:
    """The versions of one model.

    `update` and `close` are for one thread at a time, the rest is for any.

    Args:
        config: where the versions are, and which to serve.
        faults: directory of a version -> what forbids to load it, a line each; or None.

    Raises:
        ValueError: if TensorFlow would take the base path for a pattern.
    """

    def __init__(
        self,
        config: ModelConfig,
        faults: Callable[[Path], list[str]] | None = None,
    ):
        self._faults = faults or (lambda directory: [])
        self._base_path = Path(config.base_path)
        if wrong := sorted(PATTERN & {*str(self._base_path.absolute())}):
            raise ValueError(
                f"no version can be loaded from a path with {' '.join(wrong)} in it. "
                f"Received: {self._base_path}"
            )
        self._policy = config.policy
        # These two are replaced, never changed, so that a reader needs no lock.
        self._engines = {}
        self._statuses = {}
        self._draining = []
        self._failed = {}  # version -> what its directory held

    def load(self) -> None:
        """Loads the versions that the policy selects.

        Raises:
            FileNotFoundError: if there is no version on disk, or none to select.
            ValueError: if none can be loaded; says why the newest cannot.
        """
        self.update()
        if self._engines:
            return
        if not self._statuses:
            raise FileNotFoundError(f"{self._base_path}: none of the versions to serve")
        raise ValueError(self.statuses()[0].status.error_message)

    def update(self) -> None:
        """Loads the versions that the policy selects, then unloads the others.

        One that cannot be loaded is passed over, until its directory changes. Nothing
        is unloaded where nothing is left to take its place.

        Raises:
            FileNotFoundError: if there is no version on disk.
        """
        self._finish_draining(DRAIN_SECONDS)
        directories = self.on_disk()
        self._forget_failures(directories)
        # A version that fails may let the policy select an older one.
        while missing := self._selected(directories) - self._engines.keys():
            self._load(max(missing), directories[max(missing)])
        if selected := self._selected(directories):
            for version in self._engines.keys() - selected:
                self._retire(version)

    def on_disk(self) -> dict[int, Path]:
        """The directory of each version.

        Raises:
            FileNotFoundError: if there is none.
        """
        if not self._base_path.is_dir():
            raise FileNotFoundError(f"{self._base_path}: no such directory")
        versions = {
            int(path.name): path
            for path in sorted(self._base_path.iterdir())
            if _is_version(path)
        }
        if not versions:
            raise FileNotFoundError(
                f"{self._base_path}: no version, that is, no directory named by a "
                "number"
            )
        return versions

    def find(self, version: int | None = None) -> tuple[int, Engine] | None:
        """The given version, or else the newest, if it is available.

        A version that is replaced meanwhile stays until the engine is let go.
        """
        engines = self._engines
        if version is None:
            version = max(engines, default=None)
        return (version, engines[version]) if version in engines else None

    def statuses(self) -> list[ModelVersionStatus]:
        """The state of every version there has been, newest first."""
        entries = self._statuses
        return [entries[version] for version in sorted(entries, reverse=True)]

    def close(self) -> None:
        """Unloads everything, and stops the calls that still run."""
        for version in list(self._engines):
            self._retire(version)
        self._finish_draining(0.0)

    def _forget_failures(self, directories) -> None:
        """Lets the versions whose directories have changed be tried again."""
        self._failed = {
            version: content
            for version, content in self._failed.items()
            if version in directories and _content(directories[version]) == content
        }

    def _selected(self, directories) -> set[int]:
        return self._policy.select(directories.keys() - self._failed.keys())

    def _load(self, version: int, directory: Path) -> None:
        content = _content(directory)  # before, as it may change meanwhile
        self._set_status(version, ModelVersionStatus.LOADING)
        try:
            if faults := self._faults(directory):
                raise ValueError(f"{directory}: refused: {faults[0]}")
            engine = Engine(directory)
            engine.warm_up(warm_up.read(directory))
        except Exception as error:
            code = getattr(error.__cause__, "error_code", tf.errors.UNKNOWN)
            message = status.line(str(error) or type(error).__name__)
            self._set_status(version, ModelVersionStatus.END, code, message)
            self._failed[version] = content
            return
        self._engines = self._engines | {version: engine}
        self._set_status(version, ModelVersionStatus.AVAILABLE)

    def _retire(self, version: int) -> None:
        """Hands out a version no more; those who have it may go on."""
        engines = dict(self._engines)
        engine = weakref.ref(engines.pop(version))
        self._set_status(version, ModelVersionStatus.UNLOADING)
        self._draining.append(Draining(version, engine, time.monotonic()))
        self._engines = engines

    def _finish_draining(self, patience: float) -> None:
        """Ends the versions that answer no call, or have for `patience` seconds."""
        for draining in list(self._draining):
            engine = draining.engine()
            if engine and time.monotonic() - draining.since < patience:
                continue
            if engine:
                engine.close()
            self._draining.remove(draining)
            if self._statuses[draining.version].state == ModelVersionStatus.UNLOADING:
                self._set_status(draining.version, ModelVersionStatus.END)

    def _set_status(self, version, state, code=tf.errors.OK, message="") -> None:
        entry = ModelVersionStatus(
            version=version,
            state=state,
            status={"error_code": code, "error_message": message},
        )
        self._statuses = self._statuses | {version: entry}


def _is_version(path: Path) -> bool:
    name = path.name
    is_number = name.isascii() and name.isdigit() and int(name) <= MAX_VERSION
    return is_number and path.is_dir()


def _content(directory: Path) -> frozenset:
    """A value that changes when a file of the directory changes, comes or goes."""
    stats = [(path, path.stat()) for path in [directory, *directory.rglob("*")]]
    return frozenset(
        (os.fspath(path), stat.st_ino, stat.st_mtime_ns, stat.st_size)
        for path, stat in stats
    )
