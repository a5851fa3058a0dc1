"""Tokenizers from their files."""

import json

from keras_textvae.tokenizers.characters import CharacterTokenizer
from keras_textvae.tokenizers.tokenizer import Tokenizer
from keras_textvae.tokenizers.words import WordTokenizer


def load(path: str) -> Tokenizer:
    """Reads a tokenizer that `save` wrote.

    Raises:
        ValueError: if the file is not one of ours.
    """
    classes = {kind.__name__: kind for kind in (WordTokenizer, CharacterTokenizer)}
    with open(path, "rb") as file:
        content = file.read()
    try:
        saved = json.loads(content)
        return classes[saved["class_name"]].from_config(saved["config"])
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(f"{path} is not a saved tokenizer ({reason}).") from error
