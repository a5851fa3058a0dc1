"""Which texts stood before, by files of their hashes, in a byte of memory a text.

N: texts of a file.
"""

import os
import shutil

import numpy as np

HASH = np.dtype("<u8")
BLOCK = 1 << 20  # hashes that are looked up together


def firsts(files: list[str]) -> list[np.ndarray]:
    """Returns which hashes in files stand there for the first time, bool [N] a file.

    The memory that it needs is a byte a hash, and 16 for each that occurs again; what
    is sorted is a file.
    """
    repeated = _repeated(files)
    seen = np.zeros(len(repeated), bool)
    results = []
    for path in files:
        hashes = np.memmap(path, HASH, mode="r")
        first = np.ones(len(hashes), bool)
        for start in range(0, len(hashes) if len(repeated) else 0, BLOCK):
            block = hashes[start : start + BLOCK]
            places = np.searchsorted(repeated[:-1], block)
            rows = np.flatnonzero(repeated[places] == block)
            values, index = np.unique(places[rows], return_index=True)
            first[start + rows] = False
            first[start + rows[index[~seen[values]]]] = True
            seen[values] = True
        results.append(first)
    return results


def _repeated(files) -> np.ndarray:
    """Returns the hashes that occur more than once in files, sorted."""
    path = f"{files[0]}.sorted"
    with open(path, "wb") as file:  # written in full, as a mapping cannot be
        for name in files:
            with open(name, "rb") as hashes:
                shutil.copyfileobj(hashes, file)
    values = np.memmap(path, HASH, mode="r+")
    values.sort()
    again = np.flatnonzero(values[1:] == values[:-1])
    os.remove(path)
    return np.unique(values[again])
