"""The versions of one model: which there are on disk, and which are loaded.

A version is a directory under the model's base path whose name is a whole number, and
that holds a SavedModel.
"""

import os
from pathlib import Path

from serving.engine import Engine


class ModelVersions:
    """The loaded versions of one model.

    Args:
        base_path: the directory that holds the version directories.
    """

    def __init__(self, base_path: str | os.PathLike):
        self.base_path = Path(base_path)
        self._engines = {}

    def load_newest(self) -> int:
        """Loads the newest version on disk and returns its number.

        Raises:
            FileNotFoundError: if there is no version.
            ValueError: if the newest version cannot be loaded.
        """
        version, directory = max(self.on_disk().items())
        self._engines[version] = Engine(directory)
        return version

    def on_disk(self) -> dict[int, Path]:
        """The directory of each version.

        Raises:
            FileNotFoundError: if there is none.
        """
        if not self.base_path.is_dir():
            raise FileNotFoundError(f"{self.base_path}: no such directory")
        versions = {
            int(path.name): path
            for path in self.base_path.iterdir()
            if path.name.isascii() and path.name.isdigit() and path.is_dir()
        }
        if not versions:
            raise FileNotFoundError(
                f"{self.base_path}: no version, that is, no directory named by a number"
            )
        return versions

    def find(self, version: int | None = None) -> tuple[int, Engine] | None:
        """The given version, or else the newest, if it is loaded."""
        engines = dict(self._engines)  # a copy, as other threads may load and unload
        if version is None:
            return max(engines.items(), key=lambda item: item[0], default=None)
        return (version, engines[version]) if version in engines else None

    def loaded(self) -> list[int]:
        """The numbers of the loaded versions, in order."""
        return sorted(self._engines)

    def close(self) -> None:
        """Unloads everything, and stops the calls that still run."""
        while self._engines:
            self._engines.popitem()[1].close()
