"""Imputation: the likeliest words in the place of hidden ones.

B: batch size. T: time, `<bos>` included. D: latent size. S: steps. V: vocabulary size.
C: kinds of places. N: pieces of a word. L: time, when hidden words have their pieces.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from keras import ops

from keras_textvae.generation import HIDDEN, beam_search
from keras_textvae.posteriors import log_prob
from keras_textvae.tokens import PAD, UNK

if TYPE_CHECKING:
    from keras_textvae.models import GenerativeModel


# Kinds of places for pieces of words, as rows of `allowed`.
_ALONE, _FIRST, _OTHER = 1, 2, 3


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
    allowed: np.ndarray | None = None,
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
        hidden: bool [B, T], neither at `<bos>` nor after the last word; or int32, the
            kind of each hidden word, from 1 on, and 0 where none is.
        width: int. Beams; the paper has 5, and 15 for a language model.
        steps: int. For a VAE only; the paper has 3. Each costs a whole beam search.
        forbidden: ids never chosen, besides the special ones.
        allowed: bool [C, V], which ids may stand for each kind of hidden word; or None.

    Returns:
        `Imputation`.

    Raises:
        ValueError: for no step or beam.
    """
    if steps < 1:
        raise ValueError(f"`steps` must be positive. Received: steps={steps}")
    kinds = ops.cast(hidden, "int32")
    fixed = ops.where(kinds > 0, HIDDEN + 1 - kinds, ids)[:, 1:]
    length = fixed.shape[1] or ops.shape(fixed)[1]

    def complete(z):  # [B, D] -> [B, T], [B]
        beams = beam_search(model.decoder, z, length, width, fixed, forbidden, allowed)
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

    unknown = ops.where(kinds > 0, UNK, ids)
    worst = ops.cast(ids[:, 0], "float32") - np.inf
    (ids, _), (_, scores) = ops.scan(step, (unknown, worst), length=steps)
    return Imputation(ids, ops.transpose(scores))


def impute_in_pieces(
    model: "GenerativeModel",
    ids,
    hidden,
    begins,
    most,
    allowed: np.ndarray,
    length: int,
    width: int = 5,
    steps: int = 3,
    reverse: bool = False,
) -> Imputation:
    """Replaces hidden words by the likeliest ones of 1 to N pieces each.

    The completions with 1, 2 ... N pieces in a word's place are searched beside each
    other, and that of the largest joint is taken. Where a sentence has several hidden
    words, this is done for one after the other, in the order of the ids, while the
    others keep as many pieces as they have, at first one: coordinate ascent.

    Args:
        model, width, steps: see `impute`.
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`, with one id for each hidden
            word, which is not `<pad>`.
        hidden: bool [B, T].
        begins: bool [B, T]. Whether a hidden word is a whole one, not the end of one
            whose beginning is there.
        most: int32 []. N.
        allowed: bool [3, V]. Which ids may be the only piece of a whole word, the first
            of several, and any other.
        length: int. The most ids of a completed sentence, `<bos>` and `<eos>` counted.
        reverse: bool. Whether the last piece of a word comes first.

    Returns:
        `Imputation`, with ids [B, L], and the scores [B, S] of the last search.
    """
    rows, time = ops.shape(ids)
    hidden = ops.cast(hidden, "int32")
    numbers = ops.cumsum(hidden, axis=1) * hidden  # from 1 on
    words = ops.max(numbers)
    longest = ops.minimum(time + words * (most - 1), length)  # L
    candidates = ops.arange(rows * most, dtype="int32")
    parents, pieces = candidates // most, candidates % most + 1  # [B * N]

    def of_parents(x):  # [B, T] -> [B * N, T]
        return ops.take(x, parents, axis=0)

    def tried(word, counts):  # [B, T] -> [B * N, T]
        counts = of_parents(counts)
        more = ops.where(of_parents(numbers) == word, pieces[:, None], counts)
        used = ops.sum(ops.where(of_parents(ids) == PAD, 0, more), axis=1)
        return ops.where(used[:, None] <= length, more, counts)

    def unfinished(word, *_):
        return word <= words

    def choose(word, counts, *_):
        counts = tried(word, counts)
        places = _places(
            *map(of_parents, (ids, hidden, begins)), counts, longest, reverse
        )
        completed = impute(model, *places, width=width, steps=steps, allowed=allowed)
        joint = ops.reshape(completed.scores[:, -1], (-1, most))
        _, best = ops.top_k(joint, 1)  # [B, 1]
        best = ops.arange(rows, dtype="int32") * most + ops.cast(best[:, 0], "int32")
        return word + 1, *(ops.take(x, best, axis=0) for x in (counts, *completed))

    scores = ops.zeros((rows, steps if model.latent_dim else 1))
    start = (
        1,
        ops.ones((rows, time), "int32"),
        ops.zeros((rows, longest), "int32"),
        scores,
    )
    _, _, ids, scores = ops.while_loop(unfinished, choose, start)
    return Imputation(ids, scores)


def _places(ids, hidden, begins, counts, longest, reverse):
    """Returns ids and kinds of places [B, L] where each id [B, T] has a count of them.

    The kinds are 0 but for hidden words.
    """
    ids, hidden, begins, counts = (
        ops.pad(x, ((0, 0), (0, 1)))
        for x in (ids, hidden, ops.cast(begins, "int32"), counts)
    )  # with a `<pad>` that all the rest is
    starts = ops.cumsum(counts, axis=1) - counts
    rows, width = ops.shape(ids)[0], longest + 1
    row = width * ops.arange(rows, dtype="int32")[:, None]
    index = ops.reshape(row + ops.minimum(starts, longest), (-1, 1))
    marks = ops.zeros((rows * width,), "int32")
    marks = ops.scatter_update(marks, index, ops.ones(ops.shape(index)[:1], "int32"))
    source = ops.cumsum(ops.reshape(marks, (rows, width)), axis=1)[:, :-1] - 1

    def taken(x):  # [B, T + 1] -> [B, L]
        return ops.take_along_axis(x, source, axis=1)

    count = taken(counts)
    offset = ops.arange(longest, dtype="int32") - taken(starts)
    first = ops.equal(offset, count - 1 if reverse else 0)
    whole = ops.where(count == 1, _ALONE, _FIRST)
    kinds = ops.where(ops.logical_and(taken(begins) > 0, first), whole, _OTHER)
    return taken(ids), kinds * taken(hidden)
