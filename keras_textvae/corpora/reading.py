"""Lines of text files: UTF-8, plain or .gz, read once and checked as they come.

L: lines of a chunk.
"""

import codecs
import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator

CHUNK_BYTES = 1 << 20


def read_lines(file: str | os.PathLike) -> Iterator[tuple[int, str]]:
    """Streams a file: (line number from 1, text without the line end).

    A byte-order mark at the beginning of the file is dropped.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: at a line that is not UTF-8, and where a .gz file is broken.
    """
    for first, lines in read_chunks(file):
        yield from enumerate(map(bytes.decode, lines), start=first)


def read_chunks(
    file: str | os.PathLike,
    report: Callable[[int], None] = lambda size: None,
) -> Iterator[tuple[int, list[bytes]]]:
    """Streams a file about a megabyte at a time, as `read_lines` reads it.

    Args:
        file: its path.
        report: called with how many bytes of the file on disk each chunk took.

    Yields:
        The number of a chunk's first line, and its L lines in UTF-8.
    """
    number, position = 1, 0
    try:
        with open(file, "rb") as raw, _decompressed(raw, file) as stream:
            while lines := stream.readlines(CHUNK_BYTES):
                lines = [_without_end(line) for line in lines]
                if number == 1:
                    lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
                _check_utf8(file, number, lines)
                yield number, lines
                number += len(lines)
                end = raw.tell() if raw.seekable() else position  # not of a pipe
                report(end - position)
                position = end
    except FileNotFoundError:
        raise FileNotFoundError(f"{os.fspath(file)} does not exist.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{os.fspath(file)}, after line {number - 1}: broken gzip data ({error})."
        ) from error


def read_corpus(
    files: Iterable[str | os.PathLike], report: Callable[[int], None]
) -> Iterator[tuple[str, int, list[bytes]]]:
    """Streams the files of a split one after another, each of which must have text.

    Yields:
        A file's path, and what `read_chunks` yields.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: as `read_chunks` does, and if a file has no text.
    """
    for file in files:
        lines_read, has_text = 0, False
        for number, lines in read_chunks(file, report):
            lines_read += len(lines)
            has_text = has_text or any(line.strip() for line in lines)
            yield os.fspath(file), number, lines
        if not has_text:
            kind = "has only blank lines" if lines_read else "is empty"
            raise ValueError(f"{os.fspath(file)} {kind}.")


def _decompressed(raw, file):
    return gzip.GzipFile(fileobj=raw) if os.fspath(file).endswith(".gz") else raw


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _check_utf8(file, first, lines):
    try:
        b"\n".join(lines).decode()
    except UnicodeDecodeError:
        for number, line in enumerate(lines, start=first):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{os.fspath(file)}, line {number}: not UTF-8 ({error})."
                ) from error
