"""Figures that are kept in a run's folder, and so computed once."""

import json
import os

from keras_textvae.atomic_files import read_json, write_json


def once(run, name: str, inputs: dict, compute):
    """Returns what `compute()` returns, at once if it was computed before.

    The result is kept as JSON in the run's folder, together with `inputs` and the
    run's number of epochs. It is computed again when either has changed.

    Args:
        run: `training.Run`, or what has its `path` and `epochs_done`.
        name: of the file.
        inputs: what the result depends on, as values that JSON can hold.
        compute: a function without arguments, whose result JSON can hold.
    """
    path = run.path(os.path.join("figures", f"{name}.json"))
    inputs = json.loads(json.dumps(inputs | {"epochs": run.epochs_done}))
    if os.path.exists(path):
        kept = read_json(path)
        if kept["given"] == inputs:
            return kept["found"]
    result = compute()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_json(path, {"given": inputs, "found": result})
    return result
