"""Deals texts out to the files of splits, by their hashes, and counts duplicates.

FOLDER/train.txt     the texts, one a line
FOLDER/train.tsv     where they have labels: a header, then label, tab and text
FOLDER/train.hashes  8 bytes a text, until the duplicates are counted
FOLDER/valid.txt ... and so on

N: texts of a split.
"""

import codecs
import contextlib
import hashlib
import os
import re
import string
from itertools import compress

import numpy as np

from keras_textvae.atomic_files import replacing
from keras_textvae.corpora.duplicates import HASH, firsts
from keras_textvae.corpora.reading import read_chunks

HASHES = 2.0 ** (8 * HASH.itemsize)  # how many there are
BREAKS = re.compile(rb"[\r\n]+")


class Dealer(contextlib.ExitStack):
    """Writes texts, and their labels, to the files of splits.

    Args:
        folder: str. Where the files are written.
        splits: their names, in order.
        held_out: those that are held out of "train": by the hash of a text alone, so
            that neither its place nor any other text matters.
        share: float. The share of the texts that each of them has.
        label_column: str. What the labels are called.

    Attributes:
        counts: split -> its texts.
        empty: how many texts were blank, and so left out.
    """

    def __init__(
        self,
        folder: str,
        splits: list[str],
        held_out: list[str],
        share: float,
        label_column: str,
    ):
        super().__init__()
        self.folder = folder
        self.label_column = label_column
        self.counts = dict.fromkeys(splits, 0)
        self.empty = 0
        self._owners = [*held_out, "train"]
        limits = [share * n * HASHES for n in range(1, len(self._owners))]
        self._limits = np.array(limits, HASH)
        self._outputs = {}
        self._labelled = None

    def add(self, split: str, texts: list[bytes], labels: list):
        """Adds texts to a split, or to those that are held out of it.

        Args:
            split: its name.
            texts: in UTF-8. Blanks around one are dropped, and breaks are a blank.
            labels: a str each, or None, which must be that of all texts or of none.

        Raises:
            ValueError: if some of the texts have labels, and others do not.
        """
        lines = [_line(text) for text in texts]
        labels = [*compress(labels, lines)]
        self.empty += lines.count(b"")
        lines = [*filter(None, lines)]
        if not lines:
            return
        if self._labelled is None:
            self._labelled = labels[0] is not None
        if self._labelled == (None in labels):
            raise ValueError("Some of the texts have labels, and others have none.")
        hashes = b"".join(hashlib.blake2b(x, digest_size=8).digest() for x in lines)
        hashes = np.frombuffer(hashes, HASH)
        for owner, chosen in self._deal(split, hashes):
            rows = [*compress(lines, chosen.tolist())]
            self.counts[owner] += len(rows)
            self._write(f"{owner}.hashes", hashes[chosen].tobytes())
            self._write(f"{owner}.txt", b"".join(b"%b\n" % row for row in rows))
            if self._labelled:
                table = [
                    b"%b\t%b\n" % (label.encode(), row)
                    for label, row in zip(
                        compress(labels, chosen.tolist()), rows, strict=True
                    )
                ]
                self._write(f"{owner}.tsv", b"".join(table))

    def _deal(self, split, hashes):
        """Yields splits, and which of the texts each has, bool [N]."""
        if split != "train":
            yield split, np.ones(len(hashes), bool)
            return
        owners = np.searchsorted(self._limits, hashes, side="right")
        for index, owner in enumerate(self._owners):
            if (chosen := owners == index).any():
                yield owner, chosen

    def _write(self, name, content):
        if name not in self._outputs:
            file = open(os.path.join(self.folder, name), "wb")
            self._outputs[name] = self.enter_context(file)
            if name.endswith(".tsv"):
                file.write(f"{self.label_column}\ttext\n".encode())
        self._outputs[name].write(content)

    def finish(self, drop: bool) -> dict[str, int]:
        """Closes the files, each of which has a text; returns the splits' duplicates.

        A duplicate is a text that stood before, in its own split or in one before it.

        Args:
            drop: whether they are left out, and of `counts` too.
        """
        self.close()
        hashes = [os.path.join(self.folder, f"{split}.hashes") for split in self.counts]
        duplicates = {}
        for split, first in zip(self.counts, firsts(hashes), strict=True):
            duplicates[split] = len(first) - int(np.count_nonzero(first))
            if drop and duplicates[split]:
                self.counts[split] -= duplicates[split]
                self._keep(f"{split}.txt", first)
                if self._labelled:
                    self._keep(f"{split}.tsv", np.append(True, first))  # the header
        for path in hashes:
            os.remove(path)
        return duplicates

    def _keep(self, name, kept):
        """Keeps some of the lines of a file, bool [N]."""
        path = os.path.join(self.folder, name)
        with replacing(path) as partial, open(partial, "wb") as file:
            for number, lines in read_chunks(path):
                chosen = kept[number - 1 : number - 1 + len(lines)].tolist()
                file.writelines(b"%b\n" % line for line in compress(lines, chosen))


def one_line(text: str) -> str:
    """Returns a text as a collected corpus has it.

    It has no blanks around it; breaks in it are a blank.
    """
    return _line(text.encode()).decode()


def _line(text: bytes) -> bytes:
    """Returns a text as the line of a file, which may be the first one there."""
    text = text.strip()
    if text.startswith(codecs.BOM_UTF8):
        text = text.decode().lstrip(f"\ufeff{string.whitespace}").encode()
    return BREAKS.sub(b" ", text) if b"\n" in text or b"\r" in text else text
