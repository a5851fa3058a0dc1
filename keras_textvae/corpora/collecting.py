"""Texts from anywhere to a corpus: plain files of lines, kept in the cache.

CACHE/collected/KEY has the files of `dealing`, whole or not at all, and their figures
in collected.json. The key is made of the options and of the content of the files that
the texts came from; of what was written, where they came by a pipe or from Python.
"""

import contextlib
import hashlib
import json
import operator
import os
from collections.abc import Iterable
from typing import NamedTuple

from keras_textvae.atomic_files import new_folder, read_json, write_json
from keras_textvae.corpora.corpus import SPLITS, Corpus, Paths, files_by_split
from keras_textvae.corpora.dealing import Dealer
from keras_textvae.corpora.downloading import cache_folder, locked, sha256
from keras_textvae.corpora.gathering import Options, Reader
from keras_textvae.corpora.progress import Progress
from keras_textvae.corpora.reading import STANDARD_INPUT
from keras_textvae.corpora.tables import format_of

DESCRIPTION = "collected.json"
FORMAT = 1
LABEL = "label"  # the column of labels that have no name


class Collected(NamedTuple):
    """The figures of a corpus that was collected.

    Attributes:
        texts: split -> how many texts it has.
        duplicates: split -> how many stood before, in it or in a split before it.
        dropped: whether those were dropped.
        empty: texts that were blank, and so skipped.
        paragraphs: that were split into sentences; 0 without `language`.
    """

    texts: dict[str, int]
    duplicates: dict[str, int]
    dropped: bool
    empty: int
    paragraphs: int


def collect(
    train: Paths,
    valid: Paths = (),
    test: Paths = (),
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    valid_share: float | None = None,
    drop_duplicates: bool = False,
    language: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    verbose: int = 1,
) -> Corpus:
    """Returns a corpus of files of any format that `read_rows` knows.

    Plain files of lines whose validation files are named are the corpus as they are.
    Anything else is written to the cache as such files, once: the same files and
    options find it again. A text is one line there, without blanks around it; breaks in
    it are a blank. Memory does not grow with the texts, but for a byte each.

    Args:
        train, valid, test: each a path, a pattern, a folder, for the files of texts in
            it, or several of these; `train` also "-", the lines of standard input.
            Without `valid`, its texts are held out of those of `train`, and so are
            those of `test`, if it is not named either.
        text_column, label_column: see `read_rows`. Labels become `Corpus.labels`.
        valid_share: the share of the texts that each held-out split has; None means
            0.05. The hash of a text decides, so that it is held out at every run,
            wherever it stands, and its duplicates with it.
        drop_duplicates: whether texts that stood before, in the same split or in one
            before it, are dropped. They are counted in any case.
        language: the code of a language, such as "en", by whose rules texts are split
            into sentences. In a file of lines each line is such a text, or, in a book
            whose lines are broken, what stands between two blank ones.
        cache_dir: see `load`.
        verbose: 1 shows the progress, with the time left, on standard error.

    Raises:
        FileNotFoundError: if a path, pattern or folder has no file.
        ValueError: with one line, as `read_rows` does; for a file without text, and a
            split that would have none; and for options that do not go together.
        OSError: if the disk is full; nothing is left behind.
    """
    splits = files_by_split(train, valid, test)
    options = Options(
        text_column, label_column, valid_share, drop_duplicates, language
    ).checked(bool(splits["valid"]))
    if not splits["train"]:
        raise ValueError("Training files are needed (--train_files).")
    files = [path for paths in splits.values() for path in paths]
    plain = all(format_of(path) == "txt" for path in files)
    if plain and text_column is not None:
        raise ValueError(
            "`text_column` (--text_column) is of no use: no file has columns."
        )
    streamed = STANDARD_INPUT in files
    if plain and splits["valid"] and not streamed and not any(options):
        return Corpus("files", *splits.values())
    size = None if streamed else sum(map(os.path.getsize, files))
    what = "bytes of texts collected" if streamed else "collecting texts"
    return _kept(
        lambda reader, path, split: reader.file(path),
        splits,
        options,
        Progress(what, size, verbose),
        cache_dir,
        None if streamed else files,
    )


def collect_texts(
    train: Iterable,
    valid: Iterable | None = None,
    test: Iterable | None = None,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    valid_share: float | None = None,
    drop_duplicates: bool = False,
    language: str | None = None,
    cache_dir: str | os.PathLike | None = None,
    verbose: int = 1,
) -> Corpus:
    """Returns a corpus of texts from Python, as `collect` does of files.

    Args:
        train, valid, test: each texts, (text, label) pairs, or dicts by column, see
            `read_items`: a list, a generator, a `datasets.Dataset`, a
            `tf.data.Dataset`. Each is read once.
        text_column, label_column: of dicts.
        valid_share, drop_duplicates, language, cache_dir, verbose: see `collect`.

    Raises:
        ValueError: as `collect`, with the number of the item.
        OSError: if the disk is full; nothing is left behind.
    """
    named = {"train": train, "valid": valid, "test": test}
    sources = {s: [] if items is None else [items] for s, items in named.items()}
    options = Options(
        text_column, label_column, valid_share, drop_duplicates, language
    ).checked(valid is not None)
    hints = [operator.length_hint(x, -1) for some in sources.values() for x in some]
    total = None if min(hints) < 0 else sum(hints)
    what = "texts collected" if total is None else "collecting texts"
    progress = Progress(what, total, verbose)
    return _kept(Reader.items, sources, options, progress, cache_dir)


def collected(corpus: Corpus) -> Collected | None:
    """Returns the figures of a corpus that was collected, or None of another."""
    path = os.path.join(os.path.dirname(corpus.train[0]), DESCRIPTION)
    return Collected(**read_json(path)) if os.path.exists(path) else None


def _kept(read, sources, options, progress, cache_dir, files=None) -> Corpus:
    """Returns the corpus of sources, which is in the cache or written there.

    Args:
        read: `Reader`, source, split -> `Part`s.
        sources: split -> its sources.
        files: all of them, where they are files that can be read again.
    """
    parent = os.path.join(cache_folder(cache_dir), "collected")
    before = [*map(_state, files or ())]
    key = _digest([options, _contents(sources)]) if files else None
    name = key or "stream"
    with locked(parent, f".{name}.lock"):
        folder = os.path.join(parent, name)
        if not os.path.isdir(folder):
            with new_folder(folder) as partial, _disk_named(partial):
                _write(partial, read, sources, options, progress)
                if [*map(_state, files or ())] != before:
                    raise ValueError("A file of texts changed while it was read.")
                folder = os.path.join(parent, key or _digest(_checksums(partial)))
                if not os.path.isdir(folder):  # the same texts may have come before
                    os.replace(partial, folder)
    return _in_folder(folder)


@contextlib.contextmanager
def _disk_named(folder):
    """Has an error of a disk, such as a full one, say where it is."""
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            error.filename = folder
        raise


def _in_folder(folder) -> Corpus:
    splits = Collected(**read_json(os.path.join(folder, DESCRIPTION))).texts
    texts, labels = (
        [os.path.join(folder, f"{split}.{kind}") for split in splits]
        for kind in ("txt", "tsv")
    )
    labels = tuple(labels) if os.path.exists(labels[0]) else ()
    return Corpus("files", *((path,) for path in texts), labels=labels)


def _write(folder, read, sources, options, progress):
    share = options.valid_share
    held_out = [split for split in SPLITS[1:] if share and not sources[split]]
    splits = [split for split in SPLITS if sources[split] or split in held_out]
    column = options.label_column or LABEL
    reader = Reader(options, progress.add)
    with progress, Dealer(folder, splits, held_out, share or 0.0, column) as dealer:
        for split in splits:
            for source in sources[split]:
                for texts, labels in read(reader, source, split):
                    dealer.add(split, texts, labels)
        _require_texts(dealer.counts, share)
        duplicates = dealer.finish(options.drop_duplicates)
        _require_texts(dealer.counts, share)
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as file:
            os.fsync(file.fileno())
    figures = Collected(
        dealer.counts,
        duplicates,
        options.drop_duplicates,
        dealer.empty,
        reader.paragraphs,
    )
    write_json(os.path.join(folder, DESCRIPTION), figures._asdict())


def _require_texts(counts, share):
    total = sum(counts.values())
    for split in [split for split, count in counts.items() if not count]:
        if share and total:
            raise ValueError(
                f"{total:,} texts leave none for {split}, at valid_share={share:g} "
                "(--valid_share): it takes more texts, another share, or validation "
                "texts of your own."
            )
        raise ValueError(f"{split} has no text, or none that stands nowhere else.")


def _state(path):
    state = os.stat(path)
    return state.st_ino, state.st_size, state.st_mtime_ns


def _contents(splits):
    return {
        split: [(format_of(path), sha256(path)) for path in paths]
        for split, paths in splits.items()
    }


def _checksums(folder):
    return [(x, sha256(os.path.join(folder, x))) for x in sorted(os.listdir(folder))]


def _digest(parts) -> str:
    content = json.dumps([FORMAT, parts], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
