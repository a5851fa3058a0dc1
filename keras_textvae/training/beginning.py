"""What a run begins with: a corpus that fits its recipe, a precision, first weights."""

import contextlib
import os
from collections.abc import Generator

import keras
import numpy as np

from keras_textvae import space_files
from keras_textvae.batches import Batches, EvenBatches
from keras_textvae.models import SentenceModel
from keras_textvae.prepared import (
    PreparedCorpus,
    files_from_config,
    prepare,
    sha256,
)
from keras_textvae.training import hosts
from keras_textvae.training.devices import Devices
from keras_textvae.training.folder import read_config
from keras_textvae.zoo import Data, Recipe


def check_prepared(corpus: PreparedCorpus, recipe: Recipe):
    """Raises ValueError unless a corpus was prepared by the recipe's text."""
    for name, value in recipe.text.get_config().items():
        if corpus.text.get(name) != value:
            raise ValueError(
                f"{corpus.folder} was prepared for another text: {name} is "
                f"{corpus.text.get(name)!r} there, {value!r} here."
            )


def find_corpus(config: dict, recipe: Recipe) -> PreparedCorpus:
    """Returns the prepared corpus of a run."""
    with contextlib.suppress(FileNotFoundError):
        return PreparedCorpus(config["prepared"])
    try:
        return prepare(files_from_config(config["files"]), recipe.text)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The run's corpus is neither in {config['prepared']} nor where its files "
            f"were ({error.filename}): say where it is now (--prepared, --corpus, or "
            "--train_files and --valid_files)."
        ) from error


@contextlib.contextmanager
def precision(dtype_policy: str) -> Generator[None]:
    """Has layers made with a precision policy, and no others."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype_policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def batches_of(
    corpus: PreparedCorpus, data: Data, seed: int, devices: Devices
) -> tuple[Batches, Batches, Batches]:
    """Returns those for training, validation and testing.

    Those for training are this process's rows of each batch.

    Raises:
        ValueError: if there are several devices, and fewer sentences than a batch has.
    """
    options = {"bucket_width": data.bucket_width}
    train = corpus.train.batches(
        data.batch_size // devices.shard[1],
        shuffle=True,
        seed=seed,
        by_length=data.by_length,
        steps=data.steps_per_epoch,
        shard=devices.shard,
        **options,
    )
    if devices.count > 1 and corpus.train.sentences < data.batch_size:
        raise ValueError(
            f"{corpus.train.sentences} sentences are no batch of {data.batch_size}, "
            f"which {devices.count} devices could share."
        )
    valid = corpus.valid.batches(data.batch_size, **options)
    return train, valid, corpus.test.batches(data.batch_size, **options)


def validation(batches: Batches, count: int | None, devices: Devices) -> Batches:
    """Returns `count` of the batches, or all, as the devices share them."""
    batches = batches.spread(count)
    if devices.count == 1:
        return batches
    return EvenBatches(batches, devices.count, devices.shard)


def start_config(
    start_from: str | os.PathLike | None, keep: tuple[str, ...], run_dir: str
) -> dict | None:
    """Returns what the weights of a run are at first, or None if they are random."""
    if not start_from:
        return None
    folder = os.path.abspath(start_from)
    config = read_config(run_dir)
    if config and config["start_from"] and config["start_from"]["folder"] == folder:
        # It may be trained further by now, or gone.
        return config["start_from"] | {"keep": keep}
    best = space_files.folder_of(folder)
    space_files.read_description(best)
    checksum = sha256(os.path.join(best, space_files.WEIGHTS))
    return {"folder": folder, "keep": keep, "sha256": checksum}


def begin_with(
    model: SentenceModel,
    corpus: PreparedCorpus,
    folder: str | os.PathLike,
    keep: tuple[str, ...],
):
    """Gives parts of a model the best weights of the run in a folder of process 0."""
    weights = [weight for name in keep for weight in weights_of(model, name)]
    values = [np.zeros(weight.shape, weight.dtype) for weight in weights]
    with hosts.together():
        if hosts.index() == 0:
            values = _values_of(model, corpus, folder, keep)
    for weight, value in zip(weights, hosts.arrays_of_first(values), strict=True):
        weight.assign(value)


def _values_of(model, corpus, folder, keep):
    folder = space_files.folder_of(folder)
    codec = space_files.read_description(folder)["codec"]
    if codec["tokenizer"] != corpus.codec_config["tokenizer"]:
        raise ValueError(f"{folder} has another vocabulary.")
    source = space_files.load_model(folder)
    pairs = kept_weights(model, source, keep, folder)
    return [keras.ops.convert_to_numpy(value) for _, value in pairs]


def weights_of(model: SentenceModel, name: str) -> list:
    """Returns the weights of a model's part, none if it has no such part."""
    part = getattr(model, name, None)
    return part.weights if part else []


def kept_weights(
    model: SentenceModel, source: SentenceModel, keep: tuple[str, ...], whose: str
) -> list[tuple]:
    """Returns the weights of the kept parts of a model, each with that of a source.

    Raises:
        ValueError: if they do not fit; it begins with whose the source is.
    """
    pairs = []
    for name in keep:
        new, old = weights_of(model, name), weights_of(source, name)
        if [w.shape for w in new] != [w.shape for w in old]:
            raise ValueError(f"{whose} has a model of other sizes: its {name}.")
        pairs += zip(new, old, strict=True)
    return pairs
