"""The labels of a split's sentences, read beside them.

L: lines of a chunk. C: columns.
"""

import numpy as np

from keras_textvae.corpora import read_lines


class Labels:
    """Reads a tab-separated file: a header, and a row for each sentence of a split.

    Its last column is the sentence itself, which may have tabs in it, and every other
    one a label.

    Args:
        path: str.
        names: column -> name of a label -> its number; new ones are added to it.

    Raises:
        ValueError: if the file has no row for a sentence, or another sentence there.
    """

    def __init__(self, path: str, names: dict[str, dict[str, int]]):
        self.path = path
        self._rows = read_lines(path)
        _, header = next(self._rows, (0, ""))
        self.columns = header.split("\t")[:-1]
        self._names = [names.setdefault(column, {}) for column in self.columns]

    def numbers(self, path: str, first: int, lines: list[bytes]) -> np.ndarray:
        """Returns the labels of the lines that are not blank, int64 [L or fewer, C].

        Args:
            path: str. The file of the lines, for messages.
            first: int. The number of the first line there.
            lines: of the split, in order, chunk after chunk.
        """
        rows = [
            self._row(path, number, line.decode())
            for number, line in enumerate(lines, start=first)
            if line.strip()
        ]
        return np.array(rows, "int64").reshape(-1, len(self.columns))

    def _row(self, path, number, sentence):
        own_number, row = next(self._rows, (0, ""))
        *labels, text = row.split("\t", maxsplit=len(self.columns))
        if text != sentence or len(labels) != len(self.columns):
            raise ValueError(
                f"{self.path}, line {own_number}: it must have {len(self.columns)} "
                f"labels and the sentence of {path}, line {number}."
            )
        return [
            names.setdefault(label, len(names))
            for names, label in zip(self._names, labels, strict=True)
        ]
