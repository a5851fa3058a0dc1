"""The importance-weighted bound.

B: batch size. T: time, `<bos>` included. S: samples of z for each sentence. D: latent
size. H: feature size. All losses are in nats per sentence.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_textvae.evaluation.batches import Compiled, of_ids
from keras_textvae.evaluation.bound import Bound
from keras_textvae.losses import sentence_nll
from keras_textvae.objectives import bound
from keras_textvae.tokens import PAD

if TYPE_CHECKING:
    from keras_textvae.models import LanguageModel, TextVAE

LOGITS = 2**25  # in memory at a time, 128 MiB of them


class ImportanceWeightedBound(NamedTuple):
    """The importance-weighted bound on a set of sentences, means over sentences.

    Its perplexities and bits are those of `Bound`.

    Attributes:
        bound: nats per sentence, `<eos>` counted.
        tokens: ids predicted per sentence, `<eos>` counted.
        samples: S.
    """

    bound: float
    tokens: float
    samples: int

    perplexity = Bound.perplexity
    perplexity_without_eos = Bound.perplexity_without_eos
    bits_per_token = Bound.bits_per_token


def importance_weighted_nll(
    model: "TextVAE | LanguageModel",
    batches: Iterable,
    samples: int = 500,
    chunk: int | None = None,
    seed: int = 0,
    verbose: int = 0,
) -> ImportanceWeightedBound:
    """Estimates -log p(x) with several samples of z for each sentence.

    The mean over sentences of

        -log 1/S sum_s p(x|z_s) p(z_s) / q(z_s|x),  z_s ~ q(z|x).

    Its expectation is a bound on -log p(x) that falls with S, from the evidence lower
    bound's at S = 1 to -log p(x) itself. Burda et al. 2016, section 3.

    Args:
        model: `models.TextVAE` whose posterior has a density; or
            `models.LanguageModel`, whose likelihood is exact without samples.
        batches: as for `evaluate_bound`. Sentences of equal lengths in a batch cost
            least; on JAX every new shape costs a compilation.
        samples: int. S.
        chunk: int. The samples of a batch that are decoded together. None means as many
            as keep the logits within 128 MiB, but at least one. It changes nothing but
            memory, time and rounding.
        seed: int. Seeds the noise in z: the same seed and batches give the same
            figures.
        verbose: 1 shows a progress bar with the time left, where the number of batches
            is known.

    Returns:
        An `ImportanceWeightedBound`.

    Raises:
        ValueError: for a posterior without a density, such as
            `posteriors.Deterministic`; for no sentences; for no samples.
    """
    for name, value in {"samples": samples, "chunk": chunk}.items():
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be positive. Received: {name}={value}")
    samples = samples if model.latent_dim else 1
    batches = of_ids(batches, model)
    progress = keras.utils.Progbar(
        len(batches) or None, verbose=verbose, unit_name="batch"
    )
    log_weights = Compiled(_log_weights, model)
    nll, tokens = [], []
    for number, ids in enumerate(batches):
        if not number:
            _require_density(model, ids[:1])
        noise = np.random.default_rng([seed, number])
        size = chunk or _chunk(model, ids)
        nll.extend(_batch_nll(log_weights, ids, noise, samples, size))
        tokens.extend(np.sum(ids[:, 1:] != PAD, axis=1))
        progress.update(number + 1, [("nll", np.mean(nll))])
    return ImportanceWeightedBound(float(np.mean(nll)), float(np.mean(tokens)), samples)


def _require_density(model, ids):
    noise = ops.zeros((1, model.latent_dim))
    if "log_ratio" not in model.infer(ids, noise):
        raise ValueError(
            "Importance weights need a posterior with a density. "
            f"Received: {type(model.posterior).__name__}"
        )


def _chunk(model, ids):
    """The samples whose logits fit into memory together."""
    return max(1, LOGITS // (ids.size * model.decoder.vocabulary_size))


def _batch_nll(log_weights, ids, noise, samples, chunk):  # -> [B]
    total = np.full(len(ids), -np.inf)  # log of the sum of the weights
    for start in range(0, samples, chunk):
        shape = (min(chunk, samples - start), len(ids), log_weights.model.latent_dim)
        # Drawn in pieces the numbers are the same as drawn at once.
        logs = log_weights.on(ids, noise.standard_normal(shape, "float32"))
        total = np.logaddexp.reduce(np.vstack([total, logs]))
    return math.log(samples) - total


def _log_weights(model, ids, noise):  # [B, T], [S, B, D] -> [S, B]
    """log p(x|z) + log p(z) - log q(z|x), the encoder run once for all samples."""
    samples = ops.shape(noise)[0]
    rows = ops.tile(ids, (samples, 1))  # [S B, T]
    if model.latent_dim:
        features = ops.tile(model.encoder(ids, training=False), (samples, 1))
        noise = ops.reshape(noise, (-1, model.latent_dim))
        drawn = model.posterior.draw(features, noise)  # features [S B, H]
    else:
        drawn = model.infer(rows)
    logits = model.decoder(rows[:, :-1], drawn["z"], training=False)
    reconstruction = sentence_nll(rows[:, 1:], logits)
    log_weights = -bound(reconstruction, drawn["log_ratio"])
    return ops.reshape(log_weights, (samples, -1))
