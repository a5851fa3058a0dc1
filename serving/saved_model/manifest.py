"""Checksums of a version's files, in the form that `sha256sum --check` reads."""

import hashlib
import os
import pathlib

NAME = "SHA256SUMS"


def write(directory: str | os.PathLike):
    """Writes the checksum of every file of a version."""
    directory = pathlib.Path(directory)
    lines = [f"{digest}  {name}\n" for name, digest in _digests(directory).items()]
    (directory / NAME).write_text("".join(lines))


def faults(directory: str | os.PathLike) -> list[str]:
    """Returns a line for each file that is missing, changed or not in the list."""
    directory = pathlib.Path(directory)
    path = directory / NAME
    if not path.is_file():
        return [f"{NAME} is not there"]
    lines = path.read_text().splitlines()
    listed = {name: digest for digest, _, name in (s.partition("  ") for s in lines)}
    actual = _digests(directory)
    return [
        *(f"{name} is not there" for name in sorted(listed.keys() - actual.keys())),
        *(f"{name} is not in {NAME}" for name in sorted(actual.keys() - listed.keys())),
        *(
            f"{name} was changed"
            for name in sorted(listed.keys() & actual.keys())
            if listed[name] != actual[name]
        ),
    ]


def _digests(directory):
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return {
        str(path.relative_to(directory)): _sha256(path)
        for path in files
        if path != directory / NAME
    }


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
