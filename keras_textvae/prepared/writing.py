"""Writes a prepared corpus: text through the codec, streamed, a split after another.

L: lines of a chunk. (T) differs from row to row (`tf.RaggedTensor`).
"""

import contextlib
import functools
import itertools
import json
import os
from typing import Any

import numpy as np
import tensorflow as tf

from keras_textvae import tokenizers
from keras_textvae.atomic_files import new_folder, write_json
from keras_textvae.corpora import SPLITS, Corpus, Progress, read_corpus, sha256
from keras_textvae.corpora.duplicates import HASH, firsts
from keras_textvae.prepared.corpus import (
    DESCRIPTION,
    ENDS,
    LABELS,
    bits_of,
    checksum,
    files_config,
    sources_of,
)
from keras_textvae.prepared.labels import Labels
from keras_textvae.prepared.text import Text
from keras_textvae.tokenizers import Codec
from keras_textvae.tokenizers.vocabulary import count_items
from keras_textvae.tokens import UNK

FRAME = 2  # <bos> and <eos> of a sentence
USUAL = 0.99  # of the training sentences are not longer than a length that isn't given


def write(
    corpus: Corpus, text: Text | Codec, described: dict, folder: str, verbose: int
):
    """Writes a folder whole or not at all.

    Args:
        corpus, text, folder, verbose: see `prepare`.
        described: what the description says of them.
    """
    with Progress(f"preparing {corpus.name}", _work(corpus, text), verbose) as progress:
        codec = _codec(text, corpus, progress)
        passes = dict.fromkeys(SPLITS, [_tokenizer(codec)])
        if count := _sampled(text):
            passes["train"] = [_drawing(codec, number) for number in range(count)]
        too_long = getattr(text, "too_long", "error")
        with new_folder(folder) as partial:
            splits, names = {}, {}
            for index, split in enumerate(SPLITS):
                if not (files := getattr(corpus, split)):
                    continue
                labels = None
                if corpus.labels and codec.form == "sentence":
                    labels = functools.partial(Labels, corpus.labels[index], names)
                with _Writer(codec, too_long, labels, partial, split) as writer:
                    for number, tokenize in enumerate(passes[split]):
                        writer.hashing = not number  # of one pass, those of all
                        writer.add(files, tokenize, progress.add)
                splits[split] = writer.checked()
            _count_duplicates(splits, partial)
            written = sorted(os.listdir(partial))
            checksums = {name: sha256(os.path.join(partial, name)) for name in written}
            content = described | {
                "files": files_config(corpus),
                "codec": codec.get_config(),
                "vocabulary_size": codec.vocabulary_size,
                "splits": splits,
                "labels": {column: [*numbers] for column, numbers in names.items()},
                "sha256": checksums,
            }
            content = json.loads(json.dumps(content))  # as it is read
            content["checksum"] = checksum(content)
            write_json(os.path.join(partial, DESCRIPTION), content)
            if sources_of(corpus) != described["sources"]:
                raise ValueError(f"{corpus.name}: a file changed while it was read.")
            os.replace(partial, folder)


def _count_duplicates(splits, folder):
    """Adds them to the figures of splits, and removes the files of hashes."""
    paths = [os.path.join(folder, f"{split}.hashes") for split in splits]
    for split, path, first in zip(splits, paths, firsts(paths), strict=True):
        splits[split]["duplicates"] = len(first) - int(np.count_nonzero(first))
        os.remove(path)


def _codec(text, corpus, progress):
    """Returns the codec, its vocabulary learned from the training files."""
    if not isinstance(text, Text):
        return text
    subwords = {"algorithm": text.algorithm, "nfkc": text.nfkc}
    tokenizer = tokenizers.learn(
        text.level,
        corpus.train,
        size=text.vocabulary,
        lower=text.lower,
        tweets=text.tweets,
        right_to_left=text.right_to_left,
        split=text.split,
        report=progress.add,
        **(subwords if text.level == "subwords" else {}),
    )
    length = text.length
    if length is None:
        length = _usual_length(tokenizer, corpus.train, progress)
    return Codec(tokenizer, length, text.form)


def _usual_length(tokenizer, files, progress) -> int:
    """Returns the length that `USUAL` of the sentences in files have at most."""

    def measure(lines):  # [L] -> int64 [L]
        has_text = tf.not_equal(tf.strings.strip(lines), "")
        return tokenizer.split(lines).row_lengths() * tf.cast(has_text, tf.int64)

    counts = count_items(files, measure, progress.add)
    del counts[0]
    lengths = sorted(counts)
    shares = np.cumsum([counts[n] for n in lengths]) / counts.total()
    return lengths[int(np.searchsorted(shares, USUAL))]


def _work(corpus, text) -> int:
    """Returns the bytes that are read."""
    passes = max(_sampled(text), 1)
    if isinstance(text, Text):
        passes += (text.level != "bytes") + (text.length is None)
    files = [*corpus.train * passes, *corpus.valid, *corpus.test]
    return sum(map(os.path.getsize, files))


def _sampled(text) -> int:
    return getattr(text, "sampled", 0)  # of a codec none


def _tokenizer(codec):
    """Returns what makes ids of lines, traced once for all splits."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def tokenize(lines):  # [L] -> int32 [ids], int64 [L], and `_of_text`
        rows = codec.running_ids(lines)
        return rows.flat_values, rows.row_lengths(), *_of_text(lines)

    return tokenize.get_concrete_function()  # which never warns of tracing again


def _drawing(codec, number):
    """Returns what makes ids of lines, drawn, in one of several passes over them."""
    chunks = itertools.count()

    def tokenize(lines):  # [L] -> int32 [ids], int64 [L], and `_of_text`
        (seed,) = np.random.SeedSequence([number, next(chunks)]).generate_state(1)
        rows = codec.tokenizer.draw(lines, int(seed))
        return rows.flat_values, rows.row_lengths(), *_of_text(lines)

    return tokenize


def _of_text(lines):  # [L] -> bool [L], int32 [L], int64 [L]
    """Returns which lines are blank, their characters, and their hashes."""
    blank = tf.equal(tf.strings.strip(lines), "")
    hashes = tf.strings.to_hash_bucket_fast(lines, np.iinfo("int64").max)
    return blank, tf.strings.length(lines, unit="UTF8_CHAR"), hashes


class _Writer(contextlib.ExitStack):
    """Appends chunks of lines to the files of a split, and counts what they hold."""

    def __init__(self, codec, too_long, labels, folder, split):
        super().__init__()
        self.codec = codec
        self.too_long = too_long
        self.labels = labels
        self.split = split
        self.hashing = True  # whether lines' hashes are written
        self.dtype = f"<u{bits_of(codec.vocabulary_size) // 8}"
        kinds = ["ids"] if codec.form == "crop" else ["ids", "ends"]
        kinds += ["labels"] if labels else []
        kinds.append("hashes")
        self.outputs = {
            kind: self.enter_context(
                open(os.path.join(folder, f"{split}.{kind}"), "wb")
            )
            for kind in kinds
        }
        self.figures: dict[str, Any] = dict.fromkeys(
            "sentences ids tokens unknown too_long pieces characters".split(), 0
        ) | {"shortest": None, "longest": 0}

    def checked(self) -> dict:
        """Returns the figures of `Split`, if there is something to train on."""
        figures, length = self.figures, self.codec.length
        if self.codec.form == "crop" and figures["ids"] < length:
            raise ValueError(
                f"{self.split}: {figures['ids']} characters do not fill a crop of "
                f"{length}."
            )
        if not figures["sentences"]:
            raise ValueError(
                f"{self.split}: no sentence is left; {figures['too_long']} are longer "
                f"than the {length} of `length` (--length)."
            )
        return figures

    def add(self, files, tokenize, report):
        """Adds the lines of files."""
        labels = self.labels() if self.labels else None
        for path, number, lines in read_corpus(files, report):
            self._add(path, number, lines, tokenize, labels)

    def _add(self, path, number, lines, tokenize, labels):
        """Adds lines of a file, of which the first has a number."""
        ids, lengths, blank, characters, hashes = (
            x.numpy() for x in tokenize(tf.constant(lines))
        )
        if self.hashing:
            self.outputs["hashes"].write(hashes[~blank].astype(HASH))
        if self.codec.form == "crop":
            self._measure(lengths - 1, characters)
            self._append(ids, lengths, len(ids))
            return
        words = np.where(blank, 0, lengths - FRAME)
        self._measure(words[words > 0], characters[words > 0])
        longer = words > self.codec.length
        if longer.any() and self.too_long == "error":
            line = int(np.argmax(longer))
            raise ValueError(
                f"{path}, line {number + line}: {words[line]} "
                f"{self.codec.tokenizer.unit}s, more than the {self.codec.length} of "
                "`length` (--length). `too_long` (--too_long) drops or cuts such "
                "sentences."
            )
        self.figures["too_long"] += int(np.sum(longer))
        left = 0 if self.too_long == "drop" else 1 + self.codec.length  # without <eos>
        kept = np.where(longer, left, np.where(words > 0, lengths, 0))
        place = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        ids = ids[place < np.repeat(kept, lengths)]
        if labels:
            used = kept[words > 0] > 0
            numbers = labels.numbers(path, number, lines)
            self.outputs["labels"].write(numbers[used].astype(LABELS).tobytes())
        self._append(ids, kept[kept > 0], len(ids) - np.count_nonzero(kept))

    def _append(self, ids, lengths, tokens):
        first = self.figures["ids"]
        self.outputs["ids"].write(ids.astype(self.dtype))
        if "ends" in self.outputs:
            self.outputs["ends"].write((first + np.cumsum(lengths)).astype(ENDS))
        for name, count in (
            ("sentences", len(lengths)),
            ("ids", len(ids)),
            ("tokens", tokens),
            ("unknown", np.count_nonzero(ids == UNK)),
        ):
            self.figures[name] += int(count)

    def _measure(self, lengths, characters):
        if not len(lengths):
            return
        figures = self.figures
        figures["pieces"] += int(np.sum(lengths))
        figures["characters"] += int(np.sum(characters))
        shortest = int(np.min(lengths))
        before = figures["shortest"]
        figures["shortest"] = shortest if before is None else min(shortest, before)
        figures["longest"] = max(figures["longest"], int(np.max(lengths)))
