"""The models that a server serves, and the thread that keeps them up to date."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf
from absl import logging
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from serving.models.model_versions import ModelVersions
from serving.models.models_config import ModelConfig
from serving.saved_model import Engine
from serving.wire import tensors


class Models:
    """The models of a server, by name.

    Args:
        configs: the models, no two of one name.
        faults: directory of a version -> what forbids to load it, a line each; or None.
    """

    def __init__(
        self,
        configs: Sequence[ModelConfig],
        faults: Callable[[Path], list[str]] | None = None,
    ):
        self._labels = {config.name: config.labels for config in configs}
        self._models = {
            config.name: ModelVersions(config, faults) for config in configs
        }
        self._stopping = threading.Event()
        self._watcher = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models, in the order they were given."""
        return tuple(self._models)

    @property
    def available(self) -> bool:
        """Whether every model has a version that answers calls."""
        return all(model.find() for model in self._models.values())

    def load(self) -> None:
        """Loads the versions that the policies select.

        Raises:
            FileNotFoundError: if a model has no version on disk, or none to select.
            ValueError: if no version of a model can be loaded.
        """
        for name, model in self._models.items():
            model.load()
            _log(name, [entry for entry in model.statuses() if entry.status.error_code])

    def watch(self, seconds: float = 1.0) -> None:
        """Starts the thread that follows the versions on disk, until `close`.

        Args:
            seconds: from one look to the next.
        """
        self._watcher = threading.Thread(
            target=self._follow, args=[seconds], name="models", daemon=True
        )
        self._watcher.start()

    def find(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> tuple[int, Engine]:
        """The version of a model that is to answer a call.

        Hold on to the engine until the call is answered, and no longer: a version that
        is replaced is unloaded when nobody holds it.

        Args:
            name: the model's.
            version: its number; None is the newest.
            label: the version's label, instead of its number.

        Raises:
            tf.errors.InvalidArgumentError: if the model has no such label.
            tf.errors.NotFoundError: if the model or the version is not available.
        """
        if label is not None:
            version = self._labels.get(name, {}).get(label)
            if version is None:
                raise tensors.invalid(f"Unrecognized servable version label: {label}")
        model = self._models.get(name)
        servable = model.find(version) if model else None
        if servable is None:
            requested = f"Latest({name})"
            if version is not None:
                requested = f"Specific({name}, {version})"
            raise tf.errors.NotFoundError(
                None, None, f"Servable not found for request: {requested}"
            )
        return servable

    def status(self, name: str) -> list[ModelVersionStatus]:
        """The state of every version that a model has had, newest first."""
        model = self._models.get(name)
        return model.statuses() if model else []

    def close(self) -> None:
        """Stops the watch, unloads everything, and stops the calls that still run.

        A version that is being loaded is waited for.
        """
        self._stopping.set()
        if self._watcher:
            self._watcher.join()
        for model in self._models.values():
            model.close()

    def _follow(self, seconds: float) -> None:
        complaints = {}
        while not self._stopping.wait(seconds):
            for name, model in self._models.items():
                before = model.statuses()
                complaint = _update(model)
                if complaint and complaint != complaints.get(name):
                    logging.error("%s: %s", name, complaint)  # once, not every second
                complaints[name] = complaint
                _log(name, [entry for entry in model.statuses() if entry not in before])


def _update(model: ModelVersions) -> str | None:
    """Updates a model; says what is wrong with it. Whatever it is, the rest goes on."""
    try:
        model.update()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _log(name: str, entries: list[ModelVersionStatus]) -> None:
    for entry in entries:
        place = f"{name}: version {entry.version}"
        if entry.status.error_code:
            logging.error("%s: %s", place, entry.status.error_message)
        else:
            logging.info("%s: %s", place, ModelVersionStatus.State.Name(entry.state))
