"""The folder of a text space: model, codec and density. Without TensorFlow.

FOLDER/model.keras      the model, without what only training needs
FOLDER/text_space.json  the codec's configuration
FOLDER/density.npz      the density fitted to the model's posteriors, if there is one

So a model that was trained without TensorFlow can be opened as a text space elsewhere.
"""

import contextlib
import json
import os
import zipfile
import zlib

import keras
import numpy as np

from keras_textvae.atomic_files import read_json, replacing, write_json
from keras_textvae.mixtures import GaussianMixture
from keras_textvae.models import SentenceModel, copied

DESCRIPTION = "text_space.json"
DENSITY = "density.npz"
FORMAT = "keras_textvae.text_space"
VERSION = 2
# What a damaged file raises when it is read.
DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, KeyError, OSError)


def save(
    folder: str | os.PathLike,
    model: SentenceModel,
    codec_config: dict,
    density: GaussianMixture | None = None,
    fitted: bool = False,
):
    """Writes the folder; each file is replaced whole, the description last.

    A density that was there is removed: it belongs to another model.

    Args:
        folder: created if it does not exist.
        model: one of `models`. The optimizer's state is left out: it would
            triple the size.
        codec_config: see `tokenizers.Codec.get_config`.
        density, fitted: see `save_density`; None saves none.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, DESCRIPTION)
    description = {"format": FORMAT, "version": VERSION, "codec": codec_config}
    with replacing(os.path.join(folder, "model.keras")) as partial:
        copied(model).save(partial)
        if os.path.exists(path) and not _is(path, description):
            os.remove(path)  # a kill must not leave a model with another's words
        remove_density(folder)
    if density is not None:
        save_density(folder, density, fitted)
    write_json(path, description)


def save_density(folder: str | os.PathLike, density: GaussianMixture, fitted: bool):
    """Writes the density that was fitted to the posteriors of a folder's model.

    Args:
        folder: of a text space.
        density: `mixtures.GaussianMixture`.
        fitted: bool. Whether `sample` draws from it unless told otherwise.
    """
    with replacing(os.path.join(folder, DENSITY)) as partial:
        np.savez(partial, fitted=fitted, **vars(density))


def remove_density(folder: str | os.PathLike):
    """Removes the density from a folder, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(folder, DENSITY))


def load_density(folder: str | os.PathLike) -> tuple[GaussianMixture | None, bool]:
    """Returns what `save_density` wrote; None and False if there is no density.

    Raises:
        ValueError: if it is damaged.
    """
    path = os.path.join(folder, DENSITY)
    if not os.path.exists(path):
        return None, False
    try:
        with np.load(path) as saved:
            arrays = {name: saved[name] for name in saved.files}
        fitted = bool(arrays.pop("fitted"))
        return GaussianMixture(**arrays), fitted
    except (*DAMAGED, TypeError, EOFError) as error:
        raise _unreadable(path, error) from error


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
    except DAMAGED as error:
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    reason = str(error).partition("\n")[0]
    return ValueError(f"{path} cannot be read: {reason}")


def folder_of(run_dir: str | os.PathLike) -> str:
    """Returns the text space's folder of a run; another folder is returned as it is."""
    best = os.path.join(run_dir, "best")
    return best if os.path.isdir(best) else os.fspath(run_dir)
