"""The folder of a text space: its model and its codec. Without TensorFlow.

FOLDER/model.keras      the model, without what only training needs
FOLDER/text_space.json  the codec's configuration

So a model that was trained without TensorFlow can be opened as a text space elsewhere.
"""

import json
import os
import zipfile
import zlib

import keras

from keras_textvae.atomic_files import read_json, replacing, write_json
from keras_textvae.models import SentenceModel, copied

DESCRIPTION = "text_space.json"
FORMAT = "keras_textvae.text_space"
VERSION = 2


def save(folder: str | os.PathLike, model: SentenceModel, codec_config: dict):
    """Writes the folder; each file is replaced whole, the description last.

    Args:
        folder: created if it does not exist.
        model: one of `models`. The optimizer's state is left out: it would
            triple the size.
        codec_config: see `tokenizers.Codec.get_config`.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, DESCRIPTION)
    description = {"format": FORMAT, "version": VERSION, "codec": codec_config}
    with replacing(os.path.join(folder, "model.keras")) as partial:
        copied(model).save(partial)
        if os.path.exists(path) and not _is(path, description):
            os.remove(path)  # a kill must not leave a model with another's words
    write_json(path, description)


def _is(path, description):
    """Whether a file holds a description."""
    try:
        return read_json(path) == json.loads(json.dumps(description))
    except ValueError:
        return False


def read_codec_config(folder: str | os.PathLike) -> dict:
    """Returns the configuration of the codec in a folder.

    Raises:
        FileNotFoundError: if there is no text space in the folder.
        ValueError: if its description is not one of ours, or of another version.
    """
    path = os.path.join(folder, DESCRIPTION)
    if not os.path.exists(path):
        raise FileNotFoundError(f"{folder} holds no text space ({DESCRIPTION}).")
    description = read_json(path)
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise ValueError(f"{path} does not describe a text space.")
    if description.get("version") != VERSION:
        raise ValueError(
            f"{path} is of version {description.get('version', 1)}, and this is "
            f"version {VERSION}: train the model again, or use the release that wrote "
            "it."
        )
    return description["codec"]


def load_model(folder: str | os.PathLike) -> SentenceModel:
    """Returns the model in a folder, on whatever backend this is.

    Raises:
        FileNotFoundError: as `read_codec_config`.
        ValueError: as `read_codec_config`, and if the model is damaged.
    """
    read_codec_config(folder)
    path = os.path.join(folder, "model.keras")
    try:
        return keras.saving.load_model(path)
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} cannot be read: {reason}") from error


def folder_of(run_dir: str | os.PathLike) -> str:
    """Returns the text space's folder of a run; another folder is returned as it is."""
    best = os.path.join(run_dir, "best")
    return best if os.path.isdir(best) else os.fspath(run_dir)
