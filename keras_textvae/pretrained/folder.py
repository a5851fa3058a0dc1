"""The folder of a preset: a text space's folder, with a description and a card.

FOLDER/preset.json   what it is, with the size and the SHA-256 of each file below
FOLDER/README.md     the card, as the Hugging Face Hub shows it
FOLDER/...           the text space, see `space_files`

What comes from elsewhere is checked before it is used: files by their checksums, and
the model, which may consist of this package's parts alone. So nothing of it is run.
"""

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

import keras

from keras_textvae import space_files
from keras_textvae.atomic_files import read_json, write_json
from keras_textvae.corpora import sha256
from keras_textvae.pretrained.card import card
from keras_textvae.pretrained.preset import About, Preset

DESCRIPTION = "preset.json"
CARD = "README.md"
FORMAT = "keras_textvae.preset"
VERSION = 1
_OURS = "keras_textvae>"  # how Keras calls the package's classes
# What a preset may consist of, beside its description and its card.
FILES = (space_files.DESCRIPTION, space_files.WEIGHTS, space_files.DENSITY)


def write(
    folder: str | os.PathLike,
    about: About,
    level: str,
    parameters: int,
    methods: Iterable[str],
):
    """Writes the description and the card of the text space in a folder.

    Args:
        folder: of a text space; its name is that of the preset.
        about: `About`.
        level: of its tokenizer, such as "subwords".
        parameters: how many numbers its model has.
        methods: the names of its signatures.
    """
    paths = {name: os.path.join(folder, name) for name in FILES}
    files = {
        name: (os.path.getsize(path), sha256(path))
        for name, path in paths.items()
        if os.path.exists(path)
    }
    name = os.path.basename(os.path.abspath(folder))
    preset = Preset(name, about, level, parameters, tuple(methods), files)
    with open(os.path.join(folder, CARD), "w", encoding="utf-8") as file:
        file.write(card(preset))
    content = {"format": FORMAT, "version": VERSION} | dataclasses.asdict(preset)
    del content["installed"]  # which is not of the preset, but of a machine
    write_json(os.path.join(folder, DESCRIPTION), content)


def read(folder: str | os.PathLike) -> Preset:
    """Returns the preset that a folder describes.

    Raises:
        FileNotFoundError: if there is no description.
        ValueError: if it describes something else, or is of a newer version.
    """
    path = os.path.join(folder, DESCRIPTION)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{folder} holds no preset ({DESCRIPTION}).")
    return parsed(read_json(path), path)


def parsed(content: Any, whose: str) -> Preset:
    """Returns the preset of a description.

    Args:
        content: what its JSON says.
        whose: what errors call it.

    Raises:
        ValueError: as `read`.
    """
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{whose} does not describe a preset.")
    if content.get("version") != VERSION:
        raise ValueError(
            f"{whose} is of version {content.get('version')}, and this release reads "
            f"version {VERSION}: install a newer keras_textvae."
        )
    try:
        about = About(**content["about"])
        files = {
            name: (int(size), str(digest))
            for name, (size, digest) in content["files"].items()
        }
        preset = Preset(
            content["name"],
            about,
            content["level"],
            int(content["parameters"]),
            tuple(map(str, content["methods"])),
            files,
        )
        str(preset)  # so far as it is shown, it is of the right types
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(f"{whose} does not describe a preset.") from error
    if not {space_files.DESCRIPTION, space_files.WEIGHTS} <= set(files) <= set(FILES):
        raise ValueError(
            f"{whose} has other files than a preset's. Received: {', '.join(files)}"
        )
    return preset


def check(folder: str | os.PathLike, preset: Preset):
    """Checks that a folder holds a preset's files, and a model of our parts.

    Raises:
        ValueError: if a file is missing, truncated, or another one, or the model has
            a part that is not of this package.
    """
    for name, (size, digest) in preset.files.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            raise ValueError(f"{path} is missing.")
        if os.path.getsize(path) != size:
            here = os.path.getsize(path)
            raise ValueError(f"{path} has {here:,} bytes, not {size:,}.")
        if sha256(path) != digest:
            raise ValueError(f"{path} is not the file that {DESCRIPTION} describes.")
    model = space_files.read_description(folder).get("model")
    _check_parts(model, os.path.join(folder, space_files.DESCRIPTION))


def _check_parts(config, path):
    """Checks that a Keras configuration names no class but ours and initializers."""
    if isinstance(config, list):
        for value in config:
            _check_parts(value, path)
    if not isinstance(config, dict):
        return
    if "class_name" in config:
        name, module = config.get("registered_name"), config.get("module")
        ours = isinstance(name, str) and name.startswith(_OURS)
        if not (ours and keras.saving.get_registered_object(name)):
            kind = str(config["class_name"])
            if (module, kind) != ("keras", "DTypePolicy") and (
                module != "keras.initializers" or not hasattr(keras.initializers, kind)
            ):
                raise ValueError(f"{path} has a part that is not ours: {kind}.")
    for value in config.values():
        _check_parts(value, path)
