"""Imputation: the likeliest words in the place of hidden ones.

B: batch size. T: time, `<bos>` included. D: latent size. S: steps.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from keras import ops

from keras_textvae.generation import HIDDEN, beam_search
from keras_textvae.posteriors import log_prob
from keras_textvae.tokens import UNK

if TYPE_CHECKING:
    from keras_textvae.models import GenerativeModel


class Imputation(NamedTuple):
    """Completed sentences.

    Attributes:
        ids: int32 [B, T], `<bos>` first.
        scores: float32 [B, S], the joint log p(x, z) in nats after each step, which
            never falls; for a language model log p(x), and S = 1.
    """

    ids: Any
    scores: Any


def impute(
    model: "GenerativeModel",
    ids,
    hidden,
    width: int = 5,
    steps: int = 3,
    forbidden: Iterable[int] = (UNK,),
) -> Imputation:
    """Replaces hidden words by the likeliest ones.

    A language model searches argmax p(x) over the hidden words. A VAE, by approximate
    iterated conditional modes (Besag 1986), climbs the joint p(x, z): the unknown words
    begin as `<unk>`; then, in turn, z becomes the mode of q(z|x), and the words those
    of a beam search under p(x|z). Bowman et al. 2016, section 5.

    The recognition model's mode is not quite that of p(z|x): a step that would lower
    the joint is not taken.

    Args:
        model: `models.TextVAE` or `models.LanguageModel`.
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`; where a word is hidden,
            any id.
        hidden: bool [B, T], neither at `<bos>` nor after the last word.
        width: int. Beams; the paper has 5, and 15 for a language model.
        steps: int. For a VAE only; the paper has 3. Each costs a whole beam search.
        forbidden: ids never chosen, besides the special ones.

    Returns:
        `Imputation`.

    Raises:
        ValueError: for no step or beam.
    """
    if steps < 1:
        raise ValueError(f"`steps` must be positive. Received: steps={steps}")
    fixed = ops.where(hidden, HIDDEN, ids)[:, 1:]
    length = fixed.shape[1] or ops.shape(fixed)[1]

    def complete(z):  # [B, D] -> [B, T], [B]
        beams = beam_search(model.decoder, z, length, width, fixed, forbidden)
        completed = ops.concatenate([ids[:, :1], beams.ids[:, 0]], axis=1)
        return completed, beams.scores[:, 0] + log_prob(z, 0.0, 0.0)

    if not model.latent_dim:
        ids, score = complete(model.infer(ids)["z"])
        return Imputation(ids, score[:, None])

    def step(best, _):
        ids, score = best
        proposal, proposed = complete(model.mode(ids))
        better = proposed > score
        ids = ops.where(better[:, None], proposal, ids)
        best = ids, ops.where(better, proposed, score)
        return best, best

    unknown = ops.where(hidden, UNK, ids)
    worst = ops.cast(ids[:, 0], "float32") - np.inf
    (ids, _), (_, scores) = ops.scan(step, (unknown, worst), length=steps)
    return Imputation(ids, ops.transpose(scores))
