"""Interpreters with another version of TensorFlow, as a server may have it."""

import pathlib
import subprocess
import sys
import venv

from keras_textvae import corpora

PACKAGES = ("tensorflow", "tensorflow-text", "tensorflow-serving-api")


def python(version: str) -> str:
    """Returns a Python that has a version of TensorFlow, installed at the first call.

    Args:
        version: str, such as "2.20": its newest patch release.

    Raises:
        ValueError: if it cannot be installed.
    """
    folder = pathlib.Path(corpora.cache_folder()) / f"tensorflow-{version}"
    interpreter, installed = folder / "bin" / "python", folder / ".installed"
    if installed.exists():
        return str(interpreter)
    print(f"installing TensorFlow {version} into {folder}", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True, clear=True)
    requirements = [f"{package}=={version}.*" for package in PACKAGES]
    ended = subprocess.run(
        [interpreter, "-m", "pip", "install", "--quiet", "absl-py", *requirements],
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        reason = ended.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ValueError(f"TensorFlow {version} cannot be installed: {reason[0]}")
    installed.touch()
    return str(interpreter)
