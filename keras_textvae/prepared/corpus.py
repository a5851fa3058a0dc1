"""The folder of a prepared corpus, as it is read. Without TensorFlow.

FOLDER/prepared.json   what it was made of and how, its codec, and the splits' figures
FOLDER/train.ids       all ids of the training split, one sentence after another
FOLDER/train.ends      where each sentence ends there; running text has none
FOLDER/train.labels    the numbers of each sentence's labels, where the corpus has any
FOLDER/valid.ids ...   and so on

Ids are little-endian unsigned integers of 16 bits where the vocabulary fits, and of 32
where it does not; ends are integers of 64 bits, and labels of 32.

N: sentences. C: columns of labels.
"""

import dataclasses
import functools
import hashlib
import json
import os
from typing import TYPE_CHECKING

import numpy as np

from keras_textvae.atomic_files import read_json
from keras_textvae.batches import Batches, CropBatches, SentenceBatches
from keras_textvae.corpora import SPLITS, Corpus, sha256
from keras_textvae.prepared.text import YOUNGER
from keras_textvae.tokens import positions

if TYPE_CHECKING:
    from keras_textvae.tokenizers import Codec

DESCRIPTION = "prepared.json"
FORMAT = 1
KINDS = (*SPLITS, "labels")  # of a corpus's files
ENDS = np.dtype("<i8")
LABELS = np.dtype("<i4")


@dataclasses.dataclass(frozen=True)
class Split:
    """One split of a prepared corpus, mapped into memory and read where it is used.

    Attributes:
        folder: of the prepared corpus.
        name: "train", "valid" or "test".
        form: "sentence" or "crop", see `tokenizers.Codec`.
        length: see `tokenizers.Codec`.
        bits: of an id in the files, 16 or 32.
        sentences: sentences that are used; of running text, lines.
        ids: all ids, special ones included.
        tokens: predicted ids: words, or other pieces, and `<eos>`; never padding.
        unknown: how many of them are `<unk>`.
        too_long: sentences longer than the maximum, dropped or cut.
        shortest, longest: words, or pieces, of a sentence as it stands in the text,
            dropped ones included; of running text, of a line.
        label_names: the names of the labels in each column, by the column's name.
        pieces: words or characters of all sentences, and
        characters: their characters, of which blanks and marks are some; both as
            `shortest` counts, and None in a corpus that was prepared before they were.
        duplicates: texts that stood before, in it or in a split before it; or None.
    """

    folder: str
    name: str
    form: str
    length: int
    bits: int
    sentences: int
    ids: int
    tokens: int
    unknown: int
    too_long: int
    shortest: int
    longest: int
    label_names: dict[str, list[str]]
    pieces: int | None = None
    characters: int | None = None
    duplicates: int | None = None

    @property
    def characters_a_piece(self) -> float | None:
        """Characters of the text to a word or character of the vocabulary."""
        if self.characters is None or not self.pieces:
            return None
        return self.characters / self.pieces

    @property
    def unknown_share(self) -> float:
        """The share of `<unk>` among the predicted ids, 0 to 1."""
        return self.unknown / self.tokens

    @functools.cached_property
    def values(self) -> np.ndarray:
        """All ids, one sentence after another, [ids]."""
        return self._map("ids", np.dtype(f"<u{self.bits // 8}"), self.ids)

    @functools.cached_property
    def ends(self) -> np.ndarray:
        """Where in `values` each sentence ends, int64 [N]."""
        return self._map("ends", ENDS, self.sentences)

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """The numbers of the labels among `label_names`, int32 [N, C].

        Raises:
            ValueError: if the corpus has none.
        """
        if not self.label_names:
            raise ValueError(f"{self.folder} holds no labels.")
        return self._map("labels", LABELS, self.sentences, len(self.label_names))

    def batches(self, batch_size: int, **options) -> Batches:
        """Returns batches for `fit` and `evaluate`, in the form of the corpus.

        Args:
            batch_size: int. Sentences or crops in a batch.
            options: see `batches.SentenceBatches` and `batches.CropBatches`.
        """
        if self.form == "crop":
            for name in ("bucket_width", "by_length"):  # all crops are equally long
                options.pop(name, None)
            return CropBatches(self.values, batch_size, self.length, **options)
        options["max_width"] = 1 + positions(self.length, self.form)
        return SentenceBatches(self.values, self.ends, batch_size, **options)

    def _map(self, kind, dtype, *shape):
        path = os.path.join(self.folder, f"{self.name}.{kind}")
        return np.memmap(path, dtype, mode="r", shape=shape)


class PreparedCorpus:
    """A corpus that was turned into ids, see `prepare`.

    Args:
        folder: where it is.

    Attributes:
        length: see `tokenizers.Codec`.
        train, valid, test: `Split`; `test` is `valid` where the corpus has no test set.
        has_test: whether it has one.
        files: `corpora.Corpus`, the files that it was made of.
        sources: the checksums of those files, and of its labels'.
        text: how it was made: the fields of `Text`, or the configuration of a codec.
        label_names: see `Split`.

    Raises:
        FileNotFoundError: if there is no prepared corpus in the folder.
        ValueError: if it is damaged, or of another version.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = os.fspath(folder)
        path = os.path.join(self.folder, DESCRIPTION)
        if not os.path.exists(path):
            raise FileNotFoundError(
                f"{self.folder} holds no prepared corpus ({DESCRIPTION})."
            )
        description = read_json(path)
        if not isinstance(description, dict) or description.get("format") != FORMAT:
            raise ValueError(
                f"{path} describes no prepared corpus of this version. Delete "
                f"{self.folder}, and the corpus is prepared anew."
            )
        if description.pop("checksum", None) != checksum(description):
            raise ValueError(self._damaged(path))
        text = description["text"]
        self.text = YOUNGER | text if "level" in text else text
        self.sources = description["sources"]
        self.files = files_from_config(description["files"])
        self.codec_config = description["codec"]
        self.length = self.codec_config["length"]
        self.vocabulary_size = description["vocabulary_size"]
        self._check(description["sha256"])
        self.label_names = description["labels"]
        splits = description["splits"]
        self.has_test = "test" in splits
        self.train = self._split("train", splits)
        self.valid = self._split("valid", splits)
        self.test = self._split("test", splits) if self.has_test else self.valid

    @functools.cached_property
    def codec(self) -> "Codec":
        """The `tokenizers.Codec`. Needs TensorFlow."""
        from keras_textvae.tokenizers import Codec

        return Codec.from_config(self.codec_config)

    @property
    def splits(self) -> list[Split]:
        """The splits that there are, the training split first."""
        return [self.train, self.valid, *([self.test] if self.has_test else [])]

    def _split(self, name, splits):
        bits = bits_of(self.vocabulary_size)
        place = self.folder, name, self.codec_config["form"], self.length, bits
        return Split(*place, **splits[name], label_names=self.label_names)

    def _check(self, checksums):
        for name, digest in checksums.items():
            path = os.path.join(self.folder, name)
            if not os.path.exists(path) or sha256(path) != digest:
                raise ValueError(self._damaged(path))

    def _damaged(self, path):
        return (
            f"{path} is missing or damaged. Delete {self.folder}, and the corpus is "
            "prepared anew."
        )


def bits_of(vocabulary_size: int) -> int:
    """Returns the bits of an id in a prepared corpus."""
    return 16 if vocabulary_size <= 1 << 16 else 32


def checksum(description: dict) -> str:
    """Returns the SHA-256 of a description, in hexadecimal."""
    content = json.dumps(description, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def files_config(corpus: Corpus) -> dict:
    """Returns where a corpus's files are, as JSON can hold it."""
    files = {
        kind: [os.path.abspath(path) for path in getattr(corpus, kind)]
        for kind in KINDS
    }
    return {"name": corpus.name} | files


def files_from_config(config: dict) -> Corpus:
    """Returns the corpus that `files_config` described."""
    return Corpus(config["name"], *(tuple(config[kind]) for kind in KINDS))


def sources_of(corpus: Corpus) -> dict[str, list[str]]:
    """Returns the checksums of a corpus's files, by split, and those of its labels.

    Raises:
        FileNotFoundError: if a file does not exist.
    """
    return {kind: [sha256(path) for path in getattr(corpus, kind)] for kind in KINDS}
