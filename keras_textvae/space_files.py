"""The folder of a text space: model, codec and density. Without TensorFlow.

FOLDER/text_space.json       the configurations of the model and of the codec
FOLDER/weights.safetensors   the model's weights, without what only training needs
FOLDER/density.safetensors   the density fitted to its posteriors, if there is one

So a model that was trained without TensorFlow can be opened as a text space elsewhere.
Weights are in safetensors, since such a file holds numbers alone.
"""

import collections
import contextlib
import json
import os
import re

import keras
import ml_dtypes
import numpy as np

from keras_textvae import safetensors
from keras_textvae.atomic_files import read_json, replacing, write_json
from keras_textvae.mixtures import GaussianMixture
from keras_textvae.models import SentenceModel, copied

DESCRIPTION = "text_space.json"
WEIGHTS = "weights.safetensors"
DENSITY = "density.safetensors"
FORMAT = "keras_textvae.text_space"
VERSION = 3


def save(
    folder: str | os.PathLike,
    model: SentenceModel,
    codec_config: dict,
    density: GaussianMixture | None = None,
    fitted: bool = False,
    bfloat16: bool = False,
):
    """Writes the folder; each file is replaced whole, the description last.

    A density that was there is removed: it belongs to another model.

    Args:
        folder: created if it does not exist.
        model: one of `models`. The optimizer's state is left out: it would
            triple the size.
        codec_config: see `tokenizers.Codec.get_config`.
        density, fitted: see `save_density`; None saves none.
        bfloat16: bool. Whether weights are rounded to half of their bytes.
    """
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, DESCRIPTION)
    model = copied(model)
    description = {
        "format": FORMAT,
        "version": VERSION,
        "codec": codec_config,
        "model": numbered(keras.saving.serialize_keras_object(model)),
    }
    with replacing(os.path.join(folder, WEIGHTS)) as partial:
        safetensors.write(partial, _weights(model, bfloat16))
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
        safetensors.write(partial, vars(density), {"fitted": json.dumps(fitted)})


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
    arrays, metadata = safetensors.read(path)
    try:
        return GaussianMixture(**arrays), json.loads(metadata["fitted"])
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable(path, error) from error


def _is(path, description):
    """Whether a file holds a description."""
    try:
        return read_json(path) == json.loads(json.dumps(description))
    except ValueError:
        return False


def read_description(folder: str | os.PathLike) -> dict:
    """Returns the configurations in a folder: of its "codec" and of its "model".

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
    return description


def load_model(folder: str | os.PathLike) -> SentenceModel:
    """Returns the model in a folder, on whatever backend this is.

    Raises:
        FileNotFoundError: as `read_description`.
        ValueError: as `read_description`, and if the model is damaged.
    """
    config = read_description(folder)["model"]
    model = keras.saving.deserialize_keras_object(config)
    path = os.path.join(folder, WEIGHTS)
    weights, _ = safetensors.read(path)
    names = weight_names(model)
    if {name: tuple(v.shape) for name, v in zip(names, model.state, strict=True)} != {
        name: weight.shape for name, weight in weights.items()
    }:
        raise _unreadable(path, "its weights are not those of the model")
    for name, variable in zip(names, model.state, strict=True):
        variable.assign(np.asarray(weights[name], variable.dtype))
    return model


def weight_names(model: SentenceModel) -> list[str]:
    """Returns the names of a model's variables, in the order of its `state`.

    Such as "decoder/dense_1/kernel": the part of the model, the layer and the variable.
    Keras numbers layers by all that a process has made; here a number counts the layers
    of a name within their part, so that the names are the same everywhere.
    """
    parts = {
        id(variable): name
        for name, part in vars(model).items()
        if isinstance(part, keras.Layer) and not name.startswith("_")
        for variable in part.variables
    }
    layers: dict[tuple[str, str], list[str]] = {}
    names = []
    for variable in model.state:
        part = parts.get(id(variable), "")
        scope, _, name = variable.path.rpartition("/")
        layer = re.sub(r"_\d+$", "", scope.rpartition("/")[2])
        alike = layers.setdefault((part, layer), [])
        if scope not in alike:
            alike.append(scope)
        number = alike.index(scope)
        layer += f"_{number}" if number else ""
        names.append("/".join(filter(None, (part, layer, name))))
    return names


def numbered(config: dict) -> dict:
    """Returns a configuration whose layers are numbered by their place in it.

    Keras numbers the layers that it names by all that a process has made, and so the
    description of a model would tell how often it was loaded.
    """
    counts = collections.Counter()
    names = {}
    for class_name, name in _layers(config):
        stem = re.sub(r"_\d+$", "", name)
        if stem.replace("_", "") == class_name.lower() and name not in names:
            names[name] = f"{stem}_{counts[stem]}" if counts[stem] else stem
            counts[stem] += 1
    return _renamed(config, names)


def _weights(model, bfloat16):
    """Returns a model's variables by name, as arrays."""
    arrays = {}
    for name, variable in zip(weight_names(model), model.state, strict=True):
        array = keras.ops.convert_to_numpy(variable)
        half = bfloat16 and array.dtype == np.float32
        arrays[name] = array.astype(ml_dtypes.bfloat16) if half else array
    return arrays


def _layers(config):
    """Yields the class and the name of each layer of a configuration."""
    if isinstance(config, dict):
        if "class_name" in config and "name" in (config.get("config") or {}):
            yield config["class_name"], config["config"]["name"]
        config = list(config.values())
    if isinstance(config, list | tuple):
        for part in config:
            yield from _layers(part)


def _renamed(config, names):
    """Returns a configuration with other names, where layers refer to each other too.

    A configuration is of dicts, lists and values, as `serialize_keras_object` has it.
    """
    if isinstance(config, dict):
        return {key: _renamed(value, names) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config


def _unreadable(path, error):
    reason = str(error).partition("\n")[0]
    return ValueError(f"{path} cannot be read: {reason}")


def folder_of(run_dir: str | os.PathLike) -> str:
    """Returns the text space's folder of a run; another folder is returned as it is."""
    best = os.path.join(run_dir, "best")
    return best if os.path.isdir(best) else os.fspath(run_dir)
