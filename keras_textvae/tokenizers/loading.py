"""Tokenizers that are learned by level, or made again from their configuration."""

import json
import os
from collections.abc import Callable

from keras_textvae.corpora.corpus import Paths
from keras_textvae.tokenizers.characters import CharacterTokenizer
from keras_textvae.tokenizers.subwords import SubwordTokenizer
from keras_textvae.tokenizers.tokenizer import Tokenizer
from keras_textvae.tokenizers.words import WordTokenizer
from keras_textvae.tokens import check_split

KINDS = (WordTokenizer, SubwordTokenizer, CharacterTokenizer)
CLASSES = {kind.__name__: kind for kind in KINDS}


def learn(
    level: str,
    files: Paths,
    *,
    size: int | None = None,
    lower: bool = False,
    split: str = "blanks",
    report: Callable[[int], None] = lambda size: None,
    **options,
) -> Tokenizer:
    """Returns the tokenizer of a level; all but bytes are learned from files.

    Args:
        level: "words", "subwords", "characters" or "bytes".
        files: paths of UTF-8 text, plain or .gz.
        size: int or None. The largest vocabulary, special tokens included.
        lower: bool. Whether text is lower-cased.
        split: "blanks" or, of words alone, "punctuation", see `WordTokenizer`.
        report: called with how many bytes of a file were read, now and then.
        options: `tweets` and `right_to_left`, see `Tokenizer`; of subwords also those
            of `SubwordTokenizer.learn_from`.

    Raises:
        ValueError: for another level, or a split that does not fit it.
    """
    check_split(split, level=level)
    options |= {"lower": lower}
    if level == "words":
        return WordTokenizer.learn(
            files, size=size, split=split, report=report, **options
        )
    if level == "subwords":
        return SubwordTokenizer.learn(files, size=size, report=report, **options)
    if level == "characters":
        return CharacterTokenizer.learn(files, size=size, report=report, **options)
    if level == "bytes":
        return CharacterTokenizer(**options)
    raise ValueError(
        '`level` is "words", "subwords", "characters" or "bytes". '
        f"Received: level={level!r}"
    )


def from_config(saved: dict) -> Tokenizer:
    """Returns the tokenizer of a configuration, a dict of `class_name` and `config`.

    Raises:
        ValueError: if it is none of ours.
    """
    try:
        return CLASSES[saved["class_name"]].from_config(saved["config"])
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"That is no tokenizer ({reason}).") from error


def load(path: str | os.PathLike) -> Tokenizer:
    """Reads a tokenizer that `save` wrote.

    Raises:
        ValueError: if the file is not one of ours.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        return from_config(json.loads(content))
    except ValueError as error:
        raise ValueError(f"{path} is not a saved tokenizer ({error}).") from error
