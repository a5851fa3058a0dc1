"""Text files to a prepared corpus, once.

A corpus is known by its content: one that was moved, or is used by another run, is
found again.
"""

import hashlib
import importlib
import importlib.util
import json
import os
from typing import TYPE_CHECKING

from keras_textvae.corpora import Corpus, cache_folder, locked
from keras_textvae.prepared.corpus import (
    DESCRIPTION,
    FORMAT,
    PreparedCorpus,
    sources_of,
)
from keras_textvae.prepared.text import YOUNGER, Text

if TYPE_CHECKING:
    from keras_textvae.tokenizers import Codec


def prepare(
    corpus: Corpus,
    text: "Text | Codec",
    folder: str | os.PathLike | None = None,
    verbose: int = 1,
) -> PreparedCorpus:
    """Returns a corpus as ids; where that is not on disk yet, makes it.

    Two passes over the training files, one for the vocabulary, and one over the others;
    memory does not grow with them. A kill leaves nothing behind that the next call does
    not replace, and of two processes at once the second waits for the first.

    Args:
        corpus: `corpora.Corpus`.
        text: how its texts become ids; or a `tokenizers.Codec`, whose vocabulary is
            given and to which longer sentences are an error.
        folder: where the prepared corpus is kept. None means a folder of
            `$KERAS_TEXTVAE_CACHE` or `~/.cache/keras_textvae`, named after the content
            of the files and `text`.
        verbose: 1 shows the progress, with the time left, on standard error.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: with one line, for a text file that is empty, has blank lines only
            or is not UTF-8; a sentence that is too long; no sentence left, or too
            little text for a crop; a folder that is damaged, or of another corpus; and
            without TensorFlow, if the corpus is not prepared yet.
        OSError: if the disk is full; nothing is left behind.
    """
    _check_arguments(corpus, text, folder)
    described, sources = text.get_config(), sources_of(corpus)
    parts = {"format": FORMAT, "text": described, "sources": sources}
    given = folder is not None
    folder = os.fspath(folder) if given else folder_of(sources, described)
    place = os.path.realpath(folder)  # nothing is renamed onto a link, or to "folder/"
    parent, name = os.path.split(place)
    with locked(parent, f".{name}.lock"):
        if not os.path.exists(os.path.join(place, DESCRIPTION)):
            _writing().write(corpus, text, parts, place, verbose)
    prepared = PreparedCorpus(folder)
    if given:
        _require_same(prepared, sources, described)
    prepared.files = corpus  # which may have moved
    return prepared


def folder_of(sources: dict, text: dict) -> str:
    """Returns the folder of the cache for texts of these sources, made into ids so.

    Args:
        sources: as `PreparedCorpus.sources`.
        text: as `PreparedCorpus.text`.
    """
    older = {field: x for field, x in text.items() if (field, x) not in YOUNGER.items()}
    content = json.dumps([FORMAT, sources, older], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    return os.path.join(cache_folder(), "prepared", key)


def _check_arguments(corpus, text, folder):
    if not isinstance(corpus, Corpus) or not hasattr(text, "length"):
        raise ValueError(
            "`prepare` takes a `Corpus` and a `Text` or `Codec`. "
            f"Received: {type(corpus).__name__} and {type(text).__name__}"
        )
    if folder is None or not os.path.lexists(folder):
        return
    described = os.path.exists(os.path.join(folder, DESCRIPTION))
    if not os.path.isdir(folder) or (os.listdir(folder) and not described):
        raise ValueError(f"{folder} exists, and holds no prepared corpus.")


def _require_same(prepared, sources, text):
    here = json.loads(json.dumps({"text": text, "sources": sources}))
    for kind, there in (("text", prepared.text), ("sources", prepared.sources)):
        for name in there.keys() | here[kind].keys():
            if there.get(name) != here[kind].get(name):
                raise ValueError(
                    f"{prepared.folder} holds another prepared corpus: {kind}.{name} "
                    f"is {there.get(name)!r} there, {here[kind].get(name)!r} here. "
                    "Choose another folder."
                )


def _writing():
    """Returns the module that needs TensorFlow."""
    if importlib.util.find_spec("tensorflow_text") is None:
        raise ValueError(
            "This corpus is not prepared yet, which needs TensorFlow: run "
            "examples/prepare.py where it is installed, and copy the folder."
        )
    return importlib.import_module("keras_textvae.prepared.writing")
