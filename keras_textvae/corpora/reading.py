"""Lines of text files: UTF-8, plain, .gz or .zst, read once and checked as they come.

The file "-" is standard input, whose lines are plain.

L: lines of a chunk.
"""

import codecs
import gzip
import importlib
import io
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

CHUNK_BYTES = 1 << 20
STANDARD_INPUT = "-"
COMPRESSED = {".gz": "gzip", ".zst": "zstd"}


def read_lines(file: str | os.PathLike) -> Iterator[tuple[int, str]]:
    """Streams a file: (line number from 1, text without the line end).

    A byte-order mark at the beginning of the file is dropped.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: at a line that is not UTF-8; where a .gz or .zst file is broken; and
            for .zst without pyarrow.
    """
    for first, lines in read_chunks(file):
        yield from enumerate(map(bytes.decode, lines), start=first)


def read_input() -> Iterator[tuple[int, str]]:
    """Streams standard input as `read_lines` does a file, each line when it comes."""
    lines = sys.stdin.buffer if sys.stdin else ()  # None where it is closed
    for number, line in enumerate(lines, start=1):
        line = _without_end(line)
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        _check_utf8(place_of(STANDARD_INPUT), number, [line])
        yield number, line.decode()


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
    name, position = os.fspath(file), 0
    if name == STANDARD_INPUT:
        stream = sys.stdin.buffer if sys.stdin else io.BytesIO()  # None if it is closed
        for number, lines in _chunks(stream, place_of(name)):
            yield number, lines
            report(sum(map(len, lines)) + len(lines))
        return
    try:
        with open(file, "rb") as raw, _decompressed(raw, name) as stream:
            for number, lines in _chunks(stream, name):
                yield number, lines
                end = raw.tell() if raw.seekable() else position  # not of a pipe
                report(end - position)
                position = end
    except FileNotFoundError:
        raise FileNotFoundError(f"{name} does not exist.") from None


def read_corpus(
    files: str | os.PathLike | Iterable[str | os.PathLike],
    report: Callable[[int], None] = lambda size: None,
) -> Iterator[tuple[str, int, list[bytes]]]:
    """Streams the files of a split one after another, each of which must have text.

    Args:
        files: their paths, or one.
        report: see `read_chunks`.

    Yields:
        A file's path, and what `read_chunks` yields.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: as `read_chunks` does, and if a file has no text.
    """
    for file in [files] if isinstance(files, str | os.PathLike) else files:
        lines_read, has_text = 0, False
        for number, lines in read_chunks(file, report):
            lines_read += len(lines)
            has_text = has_text or any(line.strip() for line in lines)
            yield os.fspath(file), number, lines
        if not has_text:
            kind = "has only blank lines" if lines_read else "is empty"
            raise ValueError(f"{os.fspath(file)} {kind}.")


def read_texts(
    files: str | os.PathLike | Iterable[str | os.PathLike],
) -> Iterator[str]:
    """Streams the lines of files, as `read_corpus` reads them."""
    for _, _, lines in read_corpus(files):
        yield from map(bytes.decode, lines)


def place_of(file: str | os.PathLike) -> str:
    """Returns what messages call a file."""
    name = os.fspath(file)
    return "standard input" if name == STANDARD_INPUT else name


def compression_of(file: str | os.PathLike) -> str | None:
    """Returns "gzip" or "zstd", by the file's name, or None."""
    return COMPRESSED.get(os.path.splitext(os.fspath(file))[1].lower())


def extra(module: str, what: str) -> Any:
    """Imports a module of the extra `files`.

    Raises:
        ValueError: if it is not installed; it begins with what needs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ValueError(
            f"{what} needs {package}: pip install 'keras_textvae[files]'."
        ) from None


def _chunks(stream, name):
    """Yields numbers of first lines and lines of a stream, whose name errors say."""
    number = 1
    try:
        while lines := stream.readlines(CHUNK_BYTES):
            lines = [_without_end(line) for line in lines]
            if number == 1:
                lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
            _check_utf8(name, number, lines)
            yield number, lines
            number += len(lines)
    except (EOFError, OSError, zlib.error) as error:
        if getattr(error, "errno", None):  # of the disk, not of what is in the file
            raise
        raise ValueError(
            f"{name}, after line {number - 1}: broken {compression_of(name)} data "
            f"({error})."
        ) from error


def _decompressed(raw, name):
    match compression_of(name):
        case "gzip":
            return gzip.GzipFile(fileobj=raw)
        case "zstd":
            stream = extra("pyarrow", name).CompressedInputStream(raw, "zstd")
            return io.BufferedReader(stream, CHUNK_BYTES)
    return raw


def _without_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def _check_utf8(name, first, lines):
    text = b"\n".join(lines)
    if 3 * text.count(0) > len(text):  # valid, and each letter a word
        raise ValueError(f"{name}, line {first}: not UTF-8, but UTF-16 or binary.")
    try:
        text.decode()
    except UnicodeDecodeError:
        for number, line in enumerate(lines, start=first):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{name}, line {number}: not UTF-8 ({error})."
                ) from error
