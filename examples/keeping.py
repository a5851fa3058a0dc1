"""Figures that are kept in a run's folder, and so computed once."""

import json
import os

from keras_textvae.atomic_files import read_json, write_json


def once(run, name: str, given: dict, compute):
    """Returns what `compute()` returns, at once if it was computed before.

    What can be written as JSON is kept in the run's folder, with what it was made of:
    `given` and the run's epochs. It is computed again where those are others.

    Args:
        run: `training.Run`, or what has its `path` and `epochs_done`.
        name: of the file.
        given: what can be written as JSON.
        compute: a function without arguments.
    """
    path = run.path(os.path.join("figures", f"{name}.json"))
    given = json.loads(json.dumps(given | {"epochs": run.epochs_done}))
    if os.path.exists(path):
        kept = read_json(path)
        if kept["given"] == given:
            return kept["found"]
    found = compute()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_json(path, {"given": given, "found": found})
    return found
