"""Texts in parts, of files and of iterables; paragraphs as their sentences."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from keras_textvae.corpora.reading import place_of, read_chunks
from keras_textvae.corpora.rows import read_items
from keras_textvae.corpora.sentences import paragraphs, splitter
from keras_textvae.corpora.tables import format_of, read_rows

VALID_SHARE = 0.05
ROWS = 1024  # of a part

Part = tuple[list[bytes], list[str | None]]  # texts, and the label of each


class Options(NamedTuple):
    """How texts are collected, see `collect`."""

    text_column: str | None
    label_column: str | None
    valid_share: float | None
    drop_duplicates: bool
    language: str | None

    def checked(self, has_valid: bool) -> "Options":
        """Returns the options with their defaults.

        Args:
            has_valid: whether validation texts are named.

        Raises:
            ValueError: if two exclude each other, or the share is none.
        """
        share = self.valid_share
        if self.language is not None and self.label_column is not None:
            raise ValueError(
                "`language` (--language) excludes `label_column` (--label_column): a "
                "sentence has no label."
            )
        if has_valid and share is not None:
            raise ValueError(
                "`valid_share` (--valid_share) excludes validation texts of your own."
            )
        if share is not None and not 0.0 < share < 0.5:
            raise ValueError(
                "`valid_share` (--valid_share), which two splits have, is below 0.5. "
                f"Received: valid_share={share}"
            )
        share = None if has_valid else share or VALID_SHARE
        return self._replace(valid_share=share)


class Reader:
    """Reads texts in parts.

    Args:
        options: `Options`.
        report: called with the bytes of a file that were read, or the texts of an
            iterable, now and then.

    Attributes:
        paragraphs: that were split into sentences.
    """

    def __init__(self, options: Options, report: Callable[[int], None]):
        self._columns = options.text_column, options.label_column
        self._split = splitter(options.language) if options.language else None
        self._report = report
        self.paragraphs = 0

    def file(self, path: str) -> Iterator[Part]:
        """Yields the texts of a file.

        Raises:
            ValueError: as `read_rows`, and if there is none.
        """
        has_text = False
        for texts, labels in self._parts(path):
            has_text = has_text or any(text.strip() for text in texts)
            yield texts, labels
        if not has_text:
            raise ValueError(f"{place_of(path)} has no text.")

    def items(self, items: Iterable, name: str) -> Iterator[Part]:
        """Yields the texts of an iterable, see `read_items`."""
        for texts, labels in self._in_parts(read_items(items, name, *self._columns)):
            yield texts, labels
            self._report(len(texts))

    def _parts(self, path):
        labelled = self._columns[1] is not None
        if format_of(path) != "txt" or labelled:  # which lines of text refuse
            rows = read_rows(path, *self._columns, self._report)
            yield from self._in_parts(rows)
        elif self._split:
            texts = paragraphs(read_chunks(path, self._report))
            yield from self._in_parts((0, text, None) for text in texts)
        else:
            for _, lines in read_chunks(path, self._report):
                yield lines, [None] * len(lines)

    def _in_parts(self, rows):
        while part := list(itertools.islice(rows, ROWS)):
            _, texts, labels = zip(*part, strict=True)
            if self._split:
                texts = [*self._sentences(texts, self._split)]
                labels = [None] * len(texts)
            yield [text.encode() for text in texts], [*labels]

    def _sentences(self, texts, split):
        for text in texts:
            if text.strip():
                self.paragraphs += 1
                yield from filter(str.strip, split(text))
            else:
                yield text
