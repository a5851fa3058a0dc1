"""The presets that have a name: those in `weights`, beside this file.

The package has the description of each, and so its checksums. A checkout has the rest
too; an installed package has that of `short-english` alone, and finds the others where
KERAS_TEXTVAE_PRESETS says: an address or a folder that has what `weights` has.
"""

import dataclasses
import os
import pathlib

from keras_textvae import space_files
from keras_textvae.pretrained import folder
from keras_textvae.pretrained.preset import Preset

WEIGHTS = pathlib.Path(__file__).parent / "weights"
ELSEWHERE = "KERAS_TEXTVAE_PRESETS"


def presets() -> list[Preset]:
    """Returns the presets that `TextSpace.from_preset` knows by name.

    Printed, each says its size, corpus, level, bound and KL (nats a text) and licence.
    """
    return [described(name) for name in names()]


def names() -> list[str]:
    """Returns the names of the presets."""
    return sorted(path.parent.name for path in WEIGHTS.glob(f"*/{folder.DESCRIPTION}"))


def described(name: str) -> Preset:
    """Returns the preset of a name that there is."""
    installed = (WEIGHTS / name / space_files.WEIGHTS).exists()
    return dataclasses.replace(folder.read(WEIGHTS / name), installed=installed)


def elsewhere(name: str) -> str:
    """Returns the address of a named preset that is not in the package.

    Raises:
        FileNotFoundError: if no address is known.
    """
    address = os.environ.get(ELSEWHERE)
    if not address:
        raise FileNotFoundError(
            f"The weights of {name!r} are not installed. Give the folder or address of "
            f"the preset, or set {ELSEWHERE} to where the presets are."
        )
    return f"{address.rstrip('/')}/{name}"
