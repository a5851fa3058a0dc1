"""Where a preset is: a name, a folder, a page of the web, or the Hugging Face Hub.

What is downloaded is kept in the cache, and found there without a network afterwards:

CACHE/presets/...   of the web, by address
CACHE/hub/...       of the Hub, as `huggingface_hub` keeps it
"""

import difflib
import hashlib
import json
import os
import shutil

from keras_textvae.corpora import cache_folder, download, locked
from keras_textvae.pretrained import catalogue, folder
from keras_textvae.pretrained.preset import Preset

WEB = ("https://", "http://")
HUB = "hf://"
PIN = "#sha256="
LONGEST_DESCRIPTION = 1_000_000  # bytes


def find(
    name_or_address: str | os.PathLike, cache_dir: str | os.PathLike | None = None
) -> str:
    """Returns the folder of a preset, checked; downloads it at the first time.

    Args:
        name_or_address: a name of `presets()`; a folder;
            "https://HOST/PATH", under which its files are, with "#sha256=" and the
            checksum of its `preset.json` where nothing but that one will do; or
            "hf://OWNER/NAME" with "@REVISION" for another than the newest.
        cache_dir: of downloads; None is $KERAS_TEXTVAE_CACHE or its default.

    Raises:
        FileNotFoundError: if there is no such preset.
        ConnectionError: if it cannot be downloaded. What came is kept, and the next
            call goes on.
        ValueError: if it is damaged, of a newer version, or none.
        ImportError: for an address of the Hub without the extra `hub`.
    """
    address, cache = os.fspath(name_or_address), cache_folder(cache_dir)
    if address.startswith(HUB):
        return _checked(_from_hub(address, cache))
    if address.startswith(WEB):
        return _checked(_from_web(address, cache))
    names = catalogue.names()
    if address in names:
        preset = catalogue.described(address)
        if preset.installed:
            return _checked(os.fspath(catalogue.WEIGHTS / address), preset)
        there = catalogue.elsewhere(address)
        if there.startswith(WEB):
            return _checked(_from_web(there, cache, preset), preset)
        return _checked(there, preset)
    if os.path.isdir(address):
        return _checked(address)
    hint = f" There are: {', '.join(names)}" if names else ""
    if near := difflib.get_close_matches(address, names, n=3, cutoff=0.4):
        hint = f" Did you mean {' or '.join(near)}?"
    raise FileNotFoundError(f"There is no preset or folder {address!r}.{hint}")


def _checked(path, preset: Preset | None = None) -> str:
    folder.check(path, preset or folder.read(path))
    return path


def _from_web(address, cache, preset: Preset | None = None) -> str:
    """Returns the folder of what an address has, downloaded if it is not there yet.

    Its description comes first, unless the package has it, and takes its name last:
    where it is, everything is.
    """
    base, _, pin = address.partition(PIN)
    key = hashlib.sha256(address.encode()).hexdigest()[:16]
    path = os.path.join(cache, "presets", key)
    with locked(os.path.join(cache, "presets"), f".{key}.lock"):
        description = os.path.join(path, folder.DESCRIPTION)
        if os.path.exists(description):
            return path
        os.makedirs(path, exist_ok=True)
        arriving = os.path.join(path, f"part.{folder.DESCRIPTION}")
        try:
            if preset is None:
                place = f"{base}/{folder.DESCRIPTION}"
                download(place, arriving, pin or None)
                preset = folder.parsed(_json(arriving, place), place)
            else:
                shutil.copy(
                    catalogue.WEIGHTS / preset.name / folder.DESCRIPTION, arriving
                )
            for name, (_, digest) in preset.files.items():
                download(f"{base}/{name}", os.path.join(path, name), digest)
        except ValueError:
            shutil.rmtree(path)
            raise
        os.replace(arriving, description)
    return path


def _json(path, whose):
    with open(path, "rb") as file:
        try:
            return json.loads(file.read(LONGEST_DESCRIPTION))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{whose} is no description of a preset.") from error


def _from_hub(address, cache) -> str:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"{address}: the Hub needs `pip install keras_textvae[hub]`."
        ) from error
    name, _, revision = address.removeprefix(HUB).partition("@")
    try:
        return huggingface_hub.snapshot_download(
            name,
            revision=revision or None,
            cache_dir=os.path.join(cache, "hub"),
            allow_patterns=[folder.DESCRIPTION, folder.CARD, *folder.FILES],
        )
    except (OSError, ValueError) as error:
        # Of an answer of the Hub, the first line is the status and the second says why.
        reason = " ".join(str(error).split("\n\n")[:2]).replace("\n", " ")
        raise ConnectionError(f"Cannot download {address}: {reason}") from error
