"""Many rows as several batches, and the answers to these as one."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np


def of_rows(rows: Iterable, size: int) -> Iterator[list]:
    """Lists of `size` rows, the last one perhaps shorter; reads no further ahead."""
    rows = iter(rows)
    while batch := list(itertools.islice(rows, size)):
        yield batch


def split(
    columns: Mapping[str, np.ndarray], size: int
) -> Iterator[dict[str, np.ndarray]]:
    """Cuts columns into batches of at most `size` rows; no rows are one empty batch.

    Raises:
        ValueError: if the columns differ in length.
    """
    counts = {name: len(column) for name, column in columns.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"row counts must agree. Received: {counts}")
    for start in range(0, max(*counts.values(), 1), size):
        yield {name: column[start : start + size] for name, column in columns.items()}


def join(answers: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Puts the rows of all answers, which have the same outputs, one after another."""
    return {
        name: np.concatenate([answer[name] for answer in answers])
        for name in answers[0]
    }
