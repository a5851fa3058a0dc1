"""What texts have in common: BLEU, n-grams, pieces in place.

A text is a list of its pieces, words or characters. BLEU is that of sacrebleu on the
pieces as they are, between 0 and 100; without sacrebleu it is None.
"""

import importlib.util
from collections.abc import Sequence

Pieces = Sequence[str]
NEEDED = "BLEU needs sacrebleu: pip install keras_textvae[eval]"


def has_bleu() -> bool:
    """Whether sacrebleu is installed."""
    return importlib.util.find_spec("sacrebleu") is not None


def bleu(texts: Sequence[Pieces], references: Sequence[Pieces]) -> float | None:
    """Returns the BLEU of texts, each against a reference of its own."""
    return _bleu(texts, [references])


def self_bleu(texts: Sequence[Pieces]) -> float | None:
    """Returns the BLEU of texts, each against all others; None for one text."""
    return _bleu(texts, [[*texts[k:], *texts[:k]] for k in range(1, len(texts))])


def bleu_among(texts: Sequence[Pieces], references: Sequence[Pieces]) -> float | None:
    """Returns the BLEU of texts, each against all references."""
    return _bleu(texts, [[reference] * len(texts) for reference in references])


def _bleu(texts, streams):
    if not (has_bleu() and texts and streams):
        return None
    import sacrebleu

    result = sacrebleu.corpus_bleu(
        _joined(texts), [_joined(s) for s in streams], tokenize="none", force=True
    )
    return float(result.score)


def _joined(texts):
    # A blank among characters is a piece like others.
    return [" ".join("\u2423" if p.isspace() else p for p in text) for text in texts]


def distinct(texts: Sequence[Pieces], size: int) -> float:
    """Returns the share of different ones among all n-grams; 1 if there are none."""
    grams = [
        tuple(text[start : start + size])
        for text in texts
        for start in range(len(text) - size + 1)
    ]
    return len(set(grams)) / len(grams) if grams else 1.0


def in_place(texts: Sequence[Pieces], others: Sequence[Pieces]) -> float:
    """Returns the share of the texts' pieces that the others have at the same place."""
    pairs = [*zip(texts, others, strict=True)]
    same = sum(a == b for pair in pairs for a, b in zip(*pair, strict=False))
    return same / max(sum(map(len, texts)), 1)
