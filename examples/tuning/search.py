"""The list of a search's trials, which is all that it needs to go on after a kill."""

import contextlib
import fcntl
import json
import os
from typing import NamedTuple

from keras_textvae.atomic_files import read_json, write_json
from keras_textvae.callbacks import RunHistory


class Result(NamedTuple):
    """What a trial came to at its best epoch, on the validation files.

    Attributes:
        bound, kl: nats per sentence.
        epoch: the best one, whose model is kept.
        parameters: of the model.
    """

    bound: float
    kl: float
    epoch: int
    parameters: int


class Record(NamedTuple):
    """A trial of a search; its result is None until it has ended."""

    name: str
    values: dict[str, float]
    result: Result | None = None


class Search:
    """A search in its folder: `search.json` is written when a trial begins or ends.

    Args:
        folder: str.
        configuration: dict. What tells this search from every other.

    Raises:
        ValueError: if the folder holds another search.
    """

    def __init__(self, folder: str, configuration: dict):
        self.folder = folder
        self.configuration = json.loads(json.dumps(configuration))
        self.records: list[Record] = []
        self._path = os.path.join(folder, "search.json")
        self._load()

    @contextlib.contextmanager
    def locked(self):
        """Keeps other commands out of the folder.

        Raises:
            ValueError: if one is at work there.
        """
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, ".lock"), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"{self.folder}: another command is at work there; --jobs has "
                    "more trials trained at a time."
                ) from None
            self._load()  # another command may have just ended
            yield

    def begin(self, values: dict[str, float]) -> Record:
        """Adds a trial."""
        record = Record(f"trial-{len(self.records):03d}", values)
        self.records.append(record)
        self._save()
        return record

    def end(self, name: str, rows: list[dict]) -> Record:
        """Adds the result of a trial, from the figures of all its epochs."""
        index = next(i for i, old in enumerate(self.records) if old.name == name)
        self.records[index] = self.records[index]._replace(result=result_of(rows))
        self._save()
        return self.records[index]

    def _load(self):
        if not os.path.exists(self._path):
            return
        content = read_json(self._path)
        stored = content["search"]
        for name, value in self.configuration.items():
            if stored.get(name) != value:
                raise ValueError(
                    f"{self.folder} holds another search: {name} is "
                    f"{stored.get(name)!r} there, {value!r} here. Choose another "
                    "--output_dir."
                )
        self.records = []
        for trial in content["trials"]:
            result = Result(**trial["result"]) if trial["result"] else None
            self.records.append(Record(trial["name"], trial["values"], result))

    def _save(self):
        trials = [
            record._asdict() | {"result": record.result and record.result._asdict()}
            for record in self.records
        ]
        write_json(self._path, {"search": self.configuration, "trials": trials})


def result_of(rows: list[dict]) -> Result:
    """Returns the result of a run, from its history, at the epoch that it kept."""
    history = RunHistory(on_best=None)
    history.rows = rows
    row = rows[history.best]
    return Result(
        row["val_loss"], row.get("val_kl", 0.0), row["epoch"], row["parameters"]
    )
