"""SentencePiece models, learned from texts. All else needs no package for it.

Reference: Kudo and Richardson 2018, SentencePiece.
"""

import contextlib
import io
import os
import random
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator
from types import ModuleType

from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, SPECIAL_TOKENS, UNK

ALGORITHMS = ("unigram", "bpe")
BLANK = "\u2581"  # how SentencePiece writes one
SIZE = 8_000  # at most, where none is asked for
MOST_LINES = 1_000_000
LONGEST = 1_000  # characters; SentencePiece leaves lines of more than 4,192 bytes out
_SMALLEST = FIRST_WORD + 256  # what every model has: special tokens and bytes
# It leaves out lines with this character too, by which it means any rare one.
_RARE = "\u2585"
# A rule that never applies, because texts come without the character. With none, each
# program that loads the model would print a line about it.
_RULE = f"{ord(BLANK):X}\t{ord('_'):X}\n"


def learn(
    texts: Iterable[str],
    size: int | None = None,
    algorithm: str = "unigram",
    nfkc: bool = False,
    most_lines: int = MOST_LINES,
    seed: int = 0,
) -> bytes:
    """Returns the SentencePiece model of a uniform sample of texts.

    The same texts and arguments give the same bytes, on any number of cores. Memory
    grows with the sample alone, by some 25 bytes for each of its characters.

    Args:
        texts: of str, without `BLANK` and NUL. One that is longer than `LONGEST`
            characters counts as several.
        size: int or None. How many pieces, special tokens and bytes included. None
            means `SIZE`, or as many as there are in less text.
        algorithm: "unigram" (Kudo 2018) or "bpe" (Sennrich et al. 2016).
        nfkc: bool. Whether the model brings texts into the normal form NFKC.
        most_lines: int. The most texts in the sample.
        seed: int. Of the sample.

    Raises:
        ValueError: with one line, for another algorithm, no text, or a size that is too
            small for the characters or too large for the text; or if the package
            `sentencepiece` is not installed.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(
            f"`algorithm` is {' or '.join(ALGORITHMS)}. Received: {algorithm!r}"
        )
    if most_lines < 1:
        raise ValueError(f"`most_lines` must be positive. Received: {most_lines}")
    if size is not None and size <= _SMALLEST:
        raise ValueError(_too_small(size, _SMALLEST + 1))
    sentencepiece = package()
    lines = _sample(_lines(texts), most_lines, seed)
    if not any(line.strip() for line in lines):
        raise ValueError("There is no text to learn subwords from.")
    model = io.BytesIO()
    with _normalization(nfkc) as rule:
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines),
                model_writer=model,
                model_type=algorithm,
                vocab_size=SIZE if size is None else size,
                hard_vocab_limit=size is not None,
                byte_fallback=True,
                remove_extra_whitespaces=False,
                train_extremely_large_corpus=sum(map(len, lines)) > 1 << 30,
                num_threads=16,  # on any machine: their sums depend on it
                minloglevel=4,
                **_special_tokens(),
                **rule,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ValueError(_reason(str(error), size)) from error
    return _without_path(model.getvalue())


def package() -> ModuleType:
    """Returns the package `sentencepiece`.

    Raises:
        ValueError: if it is not installed.
    """
    try:
        import sentencepiece
    except ImportError:
        raise ValueError(
            "Subwords are learned by sentencepiece: pip install keras_textvae[subwords]"
        ) from None
    return sentencepiece


def messages() -> ModuleType:
    """Returns the protocol messages of the package, of which a model is one."""
    from sentencepiece import sentencepiece_model_pb2

    return sentencepiece_model_pb2


def _lines(texts) -> Iterator[str]:
    """Yields texts in parts of `LONGEST` characters at most, cut at blanks."""
    for text in texts:
        text, start = text.replace(_RARE, " "), 0
        while len(text) - start > LONGEST:
            end = text.rfind(" ", start + 1, start + LONGEST + 1)
            end = start + LONGEST if end < 0 else end
            yield text[start:end]
            start = end + text.startswith(" ", end)  # each part has one put before it
        yield text[start:]


def _sample(lines, most, seed) -> list[str]:
    """Returns a uniform sample of at most so many lines (Vitter 1985, algorithm R)."""
    draws, sample = random.Random(seed), []
    for count, line in enumerate(lines):
        if count < most:
            sample.append(line)
        elif (place := int(draws.random() * (count + 1))) < most:
            sample[place] = line
    return sample


@contextlib.contextmanager
def _normalization(nfkc) -> Generator[dict[str, str]]:
    """Yields the trainer's options by which texts are normalised, or not."""
    if nfkc:
        yield {"normalization_rule_name": "nfkc"}
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rule.tsv")
        with open(path, "w") as file:
            file.write(_RULE)
        yield {"normalization_rule_tsv": path}


def _without_path(model):
    """Returns a model that does not name the file of its rule, which is gone."""
    proto = messages().ModelProto.FromString(model)
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    return proto.SerializeToString(deterministic=True)


def _special_tokens():
    """Returns the trainer's options for the ids and names of `tokens`."""
    ids = {"pad": PAD, "bos": BOS, "eos": EOS, "unk": UNK}
    return {f"{name}_id": number for name, number in ids.items()} | {
        f"{name}_piece": SPECIAL_TOKENS[number] for name, number in ids.items()
    }


def _reason(message, size):
    """Returns in one line why SentencePiece could not learn a model."""
    if match := re.search(r"smaller than required_chars. \d+ vs (\d+)", message):
        return _too_small(SIZE if size is None else size, int(match[1]))
    if match := re.search(r"Please set it to a value <= (\d+)", message):
        return (
            f"The text has no more than {int(match[1]):,} pieces, special tokens and "
            f"bytes included. Received: size={size}"
        )
    return f"SentencePiece learned no subwords: {message.splitlines()[0]}"


def _too_small(size, least):
    return (
        f"`size` counts {FIRST_WORD} special tokens, {_SMALLEST - FIRST_WORD} bytes "
        f"and each character: at least {least:,}. Received: size={size}"
    )
