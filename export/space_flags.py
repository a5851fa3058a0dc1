"""The flags that say which trained space a program takes."""

from absl import flags

import keras_textvae
from keras_textvae import pretrained

FLAGS = flags.FLAGS


def define():
    """Defines the flags."""
    flags.DEFINE_string("run_dir", None, "run or text space; this or --preset")
    flags.DEFINE_string(
        "preset",
        None,
        "a trained space instead: a name of keras_textvae.presets(), a folder, or an "
        "address that begins with https:// or hf://",
    )


def folder(argv: list[str], *needed: str) -> str:
    """Returns the folder of the run or the preset; downloads it if it is not there.

    Args:
        argv: what `main` received.
        needed: names of other flags that must be given.

    Raises:
        ValueError: if the command line is not whole.
        FileNotFoundError, ConnectionError, ImportError: as `pretrained.find`.
    """
    missing = any(FLAGS[name].value is None for name in needed)
    if len(argv) > 1 or missing or bool(FLAGS.run_dir) == bool(FLAGS.preset):
        *names, last = ["--run_dir or --preset", *(f"--{name}" for name in needed)]
        what = f"{', '.join(names)} and {last} are" if names else f"{last} is"
        raise ValueError(f"{what} needed, and no argument without a name.")
    return FLAGS.run_dir or pretrained.find(FLAGS.preset)


def open_space(argv: list[str], *needed: str) -> keras_textvae.TextSpace:
    """Returns the space in `folder`.

    Raises:
        ValueError, FileNotFoundError, ConnectionError, ImportError: as `folder`.
    """
    return keras_textvae.open_space(folder(argv, *needed))
