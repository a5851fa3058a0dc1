"""A corpus: files of sentences, split by split; UTF-8, one a line, plain or compressed.

Files are named by paths, by patterns and, for `corpora.collect`, by folders.
"""

import glob
import os
import sys
from collections.abc import Iterable
from typing import NamedTuple

from keras_textvae.corpora.reading import STANDARD_INPUT
from keras_textvae.corpora.tables import FORMATS, SUFFIXES, format_of

Paths = str | os.PathLike | Iterable[str | os.PathLike]
SPLITS = ("train", "valid", "test")
SHOWN = 5  # names of files in a message


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

    @property
    def held_out(self) -> tuple[str, ...]:
        """Paths of what no model is trained on: `test`, or else `valid`."""
        return self.test or self.valid


def from_files(train: Paths, valid: Paths, test: Paths = ()) -> Corpus:
    """Returns a corpus of the user's files of sentences, as they are.

    Args:
        train, valid, test: each a path, a glob pattern, or several of them. A file that
            is named for one split is left out of the patterns of the others, with a
            line on standard error that says so.

    Raises:
        FileNotFoundError: if a path or pattern matches no file.
        ValueError: if a file is named twice, two patterns match it, or it has columns,
            which `collect` reads.
    """
    names = [name for names in (train, valid, test) for name in _as_list(names)]
    for name in names:
        if os.path.isdir(name):
            raise FileNotFoundError(
                f"{name} is a folder: name its files, or a pattern."
            )
        if name == STANDARD_INPUT:
            raise ValueError("Standard input is read by `corpora.collect`.")
    splits = files_by_split(train, valid, test)
    for path in [path for paths in splits.values() for path in paths]:
        if format_of(path) != "txt":
            raise ValueError(f"{path} has columns: it is read by `corpora.collect`.")
    return Corpus("files", *splits.values())


def files_by_split(
    train: Paths, valid: Paths = (), test: Paths = ()
) -> dict[str, tuple[str, ...]]:
    """Returns the files that are named for each split, as `collect` takes them.

    Raises:
        FileNotFoundError: if nothing is named for training; if a path or pattern
            matches no file, and a folder has none.
        ValueError: if a file is named twice, or two names match it.
    """
    splits = dict(zip(SPLITS, map(_as_list, (train, valid, test)), strict=True))
    named = {}  # real path -> the split that it was named for
    for split, names in splits.items():
        for name in filter(os.path.isfile, names):
            other = named.setdefault(os.path.realpath(name), split)
            if names.count(name) > 1 or other != split:
                raise ValueError(f"{name} is named twice, for {other} and for {split}.")
    matched, files = {}, {}
    for split, names in splits.items():
        paths = [path for name in names for path in _matches(name, split, named)]
        for path in paths:
            other = matched.setdefault(os.path.realpath(path), split)
            if other != split:
                raise ValueError(f"{path} matches for {other} and for {split}.")
        files[split] = tuple(dict.fromkeys(paths))
    return files


def _as_list(paths: Paths) -> list[str]:
    one = isinstance(paths, str | os.PathLike)
    return [os.fspath(path) for path in ([paths] if one else paths)]


def _matches(name, split, named) -> list[str]:
    """Returns the files that a path, a folder or a pattern stands for."""
    if os.path.isfile(name) or name == STANDARD_INPUT:
        return [name]
    matches = _in_folder(name) if os.path.isdir(name) else _by_pattern(name)
    files = []
    for path in matches:
        if owner := named.get(os.path.realpath(path)):
            print(
                f"{path} is named for {owner}: left out of {name} for {split}.",
                file=sys.stderr,
            )
        else:
            files.append(path)
    if not files:
        kind = "only files that are named elsewhere" if matches else "no file"
        raise FileNotFoundError(f"{name} matches {kind}.")
    return files


def _by_pattern(name) -> list[str]:
    """Returns the files that a pattern matches; its folder may have brackets."""
    folder, pattern = os.path.split(name)
    if os.path.isdir(folder):
        matches = glob.glob(pattern, root_dir=folder)
        matches = [os.path.join(folder, match) for match in matches]
    else:
        matches = glob.glob(name, recursive=True)
    return sorted(filter(os.path.isfile, matches))


def _in_folder(folder) -> list[str]:
    """Returns the files of a folder that have texts, and says which it leaves out."""
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    names = [name for name in names if not name.startswith(".")]
    kept = [name for name in names if _has_texts(name)]
    left = [name for name in names if name not in kept]
    if not kept:
        raise FileNotFoundError(
            f"{folder} has no file of texts in it ({', '.join(FORMATS)}). Those of its "
            f"folders are named by a pattern, as {os.path.join(folder, '*', '*.txt')}."
        )
    if left:
        shown = ", ".join(left[:SHOWN] + ["..."] * (len(left) > SHOWN))
        print(f"left out of {folder}: {shown}", file=sys.stderr)
    return [os.path.join(folder, name) for name in kept]


def _has_texts(name) -> bool:
    """Whether a file has texts, by its name, and is not about those of its folder."""
    about = name.partition(".")[0].upper() in ("README", "LICENSE")
    return name.lower().endswith(SUFFIXES) and not about
