"""What is in a run's folder beside the model: whose it is, and who is at work there."""

import contextlib
import fcntl
import json
import os
from collections.abc import Generator
from typing import Any

from keras_textvae.atomic_files import read_json
from keras_textvae.zoo import Recipe

CONFIG = "config.json"
FORMAT = 2
# Another value of these makes no other run.
FREE = ("epochs", "patience", "reference", "valid_steps", "components", "fitted")
# Where things lie; what they are, their checksums tell.
PLACES = ("files.", "prepared", "start_from.folder")


def read_config(folder: str) -> dict | None:
    """Returns the configuration of the run in a folder, or None.

    Raises:
        ValueError: if it is of another version.
    """
    path = os.path.join(folder, CONFIG)
    if not os.path.exists(path):
        return None
    config = read_json(path)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ValueError(
            f"{folder} holds a run of another version. Choose another folder."
        )
    try:
        Recipe.from_config(config["recipe"]).model.all_arguments  # noqa: B018
        if missing := {"sources", "files", "prepared", "seed"} - config.keys():
            raise KeyError(*missing)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}).") from error
    return config


def config_of(folder: str | os.PathLike) -> dict:
    """Returns the configuration of the run in a folder.

    Raises:
        FileNotFoundError: if there is no run.
    """
    config = read_config(os.fspath(folder))
    if config is None:
        raise FileNotFoundError(f"{folder} holds no run ({CONFIG}).")
    return config


def recipe_of(folder: str | os.PathLike) -> Recipe:
    """Returns the recipe of the run in a folder.

    Raises:
        FileNotFoundError: if there is no run.
    """
    return Recipe.from_config(config_of(folder)["recipe"])


def check_same_run(folder: str, here: dict):
    """Checks that a folder is free, or holds the run of a configuration.

    Files are told by their content: a corpus that was moved is the same one. Fields of
    recipes that are younger than the folder have their defaults there.

    Raises:
        ValueError: if the folder holds another run.
    """
    there = read_config(folder)
    if there is None:
        return
    recipe = Recipe.from_config(there["recipe"]).get_config()
    old = flat(json.loads(json.dumps(there | {"recipe": recipe})))
    new = flat(json.loads(json.dumps(here)))
    for name in old.keys() | new.keys():
        if name.split(".")[-1] in FREE or name.startswith(PLACES):
            continue
        if old.get(name) != new.get(name):
            raise ValueError(
                f"{folder} holds a run of another configuration: {name} is "
                f"{old.get(name)!r} there, {new.get(name)!r} here. Choose another "
                "folder."
            )


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Returns the leaves of nested dicts by their dotted names."""
    if not isinstance(value, dict) or not value:
        return {name: value}
    return {
        path: leaf
        for key, inner in value.items()
        for path, leaf in flat(inner, f"{name}.{key}" if name else key).items()
    }


class InUse(ValueError):
    """Another process trains in a folder."""


@contextlib.contextmanager
def locked(folder: str) -> Generator[None]:
    """Keeps other processes from training in a folder while this one does.

    Raises:
        InUse: if another process trains there.
    """
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"{folder}: another process is training there.") from None
        yield
