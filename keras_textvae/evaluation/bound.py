"""Evaluation: the bound and what follows from it.

All losses are in nats per sentence unless the name says otherwise.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from keras import ops

if TYPE_CHECKING:
    from keras_textvae.models import LanguageModel, TextVAE


class Bound(NamedTuple):
    """The bound on a set of sentences, means over sentences.

    Attributes:
        bound: nats per sentence, `<eos>` counted: `reconstruction` + `kl`.
        reconstruction: nats per sentence, z sampled once.
        kl: nats per sentence.
        tokens: ids predicted per sentence, `<eos>` counted.
    """

    bound: float
    reconstruction: float
    kl: float
    tokens: float

    @property
    def perplexity(self) -> float:
        """exp(nats per token), `<eos>` counted among the tokens.

        A ratio of sums, never a mean of batch means.
        """
        return _perplexity(self.bound, self.tokens)

    @property
    def perplexity_without_eos(self) -> float:
        """exp(nats per word): the cost of `<eos>` counts, its token does not.

        Bowman et al. 2016 seem to count like this. It is infinite for texts that are
        nothing but their end.
        """
        return _perplexity(self.bound, self.tokens - 1)

    @property
    def bits_per_token(self) -> float:
        """Bits per id predicted; per character for a character model."""
        return self.bound / self.tokens / math.log(2)


def evaluate_bound(
    model: "TextVAE | LanguageModel", batches: Iterable, seed: int = 0
) -> Bound:
    """Evaluates a compiled model on batches of ids.

    Args:
        model: `models.TextVAE`, or `models.LanguageModel`, whose KL is zero and whose
            bound is exact; compiled.
        batches: a `tf.data.Dataset` of ids int32 [B, T], or an array of them.
        seed: int. Seeds the noise in z: the same seed gives the same figures.

    Returns:
        A `Bound`, with one sample of z per sentence.
    """
    if model.latent_dim:
        noise = model.posterior.noise.state
        noise.assign(ops.convert_to_tensor([seed, 0], dtype=noise.dtype))
    figures = model.evaluate(batches, verbose=0, return_dict=True)
    return Bound(
        bound=figures["loss"],
        reconstruction=figures["reconstruction"],
        kl=figures.get("kl", 0.0),
        tokens=figures["tokens"],
    )


def _perplexity(nats, tokens):
    """Returns exp(nats / tokens), infinite where no float is as large."""
    try:
        return math.exp(nats / tokens)
    except (OverflowError, ZeroDivisionError):
        return math.inf
