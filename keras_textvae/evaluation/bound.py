"""Evaluation: the bound and what follows from it.

All losses are in nats per sentence unless the name says otherwise.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np

from keras_textvae.evaluation.batches import Compiled, of_ids
from keras_textvae.losses import sentence_nll
from keras_textvae.posteriors import total_kl
from keras_textvae.tokens import PAD

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
        """Bits per id predicted: a word, character or byte, as the model reads."""
        return self.bound / self.tokens / math.log(2)


def evaluate_bound(
    model: "TextVAE | LanguageModel",
    batches: Iterable,
    seed: int = 0,
    verbose: int = 0,
) -> Bound:
    """Evaluates the bound of a model, which is left as it is.

    Args:
        model: `models.TextVAE`, or `models.LanguageModel`, whose KL is zero and whose
            bound is exact; compiled or not.
        batches: ids int32 [B, T], an array of them, or an iterable such as a list of
            arrays, a `tf.data.Dataset` or `batches.Batches`; labels beside them are not
            read.
        seed: int. Seeds the noise in z: the same seed and batches give the same
            figures.
        verbose: 1 shows a progress bar with the time left, where the number of batches
            is known.

    Returns:
        A `Bound`, with one sample of z per sentence.

    Raises:
        ValueError: for what is no ids of the model's vocabulary, for weights of
            sentences, and for no sentence.
    """
    batches, parts = of_ids(batches, model), Compiled(_parts, model)
    progress = keras.utils.Progbar(
        len(batches) or None, verbose=verbose, unit_name="batch"
    )
    columns = []
    for number, ids in enumerate(batches):
        rng = np.random.default_rng([seed, number])
        noise = rng.standard_normal((len(ids), model.latent_dim), "float32")
        tokens = np.sum(ids[:, 1:] != PAD, axis=1)
        columns.append(np.stack([*parts.on(ids, noise), tokens]))
        progress.update(number + 1)
    means = np.mean(np.concatenate(columns, axis=1), axis=1, dtype="float64")
    reconstruction, kl, tokens = means.tolist()
    return Bound(reconstruction + kl, reconstruction, kl, tokens)


def _parts(model, ids, noise):  # [B, T], [B, D] -> [B], [B]
    """The reconstruction and the KL of each sentence."""
    drawn = model.infer(ids, noise)
    logits = model.decoder.teacher_forced(ids[:, :-1], drawn["z"])["logits"]
    nll = sentence_nll(ids[:, 1:], logits, learns=False)
    return nll, total_kl(drawn["kl"])


def _perplexity(nats, tokens):
    """Returns exp(nats / tokens), infinite where no float is as large."""
    try:
        return math.exp(nats / tokens)
    except (OverflowError, ZeroDivisionError):
        return math.inf
