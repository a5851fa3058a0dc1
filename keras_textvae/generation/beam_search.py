"""Beam search: the likeliest ids, freely or around ids that are fixed.

B: batch size. D: latent size. V: vocabulary size. L: ids of a sentence. K: beams.
C: kinds of places.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np
from keras import ops

from keras_textvae.tokens import BOS, EOS, PAD, UNK

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder

HIDDEN = -1  # in the place of an id that is searched for


class Beams(NamedTuple):
    """Sentences found, the best first.

    Attributes:
        ids: int32 [B, K, L], up to and including `<eos>`, then `<pad>`.
        scores: float32 [B, K], log p(ids | z) in nats, `<eos>` counted; minus infinity
            where there were fewer sentences than beams.
    """

    ids: Any
    scores: Any


def beam_search(
    decoder: "Decoder",
    z,
    length: int,
    width: int,
    fixed=None,
    forbidden: Iterable[int] = (UNK,),
    allowed: np.ndarray | None = None,
) -> Beams:
    """Searches argmax_x log p(x | z), K partial sentences at a time.

    At each position the K best of all continuations of the K best beginnings are kept.
    Scores are plain log-likelihoods, not divided by the length. Rows never couple.

    Fixed ids are not chosen, but their likelihood counts: the search is for the best
    ids in the other places (Bowman et al. 2016, section 5). Positions before the first
    one searched cost one beam, not K.

    Args:
        decoder: see `decoders`.
        z: float [B, D].
        length: int. L, at most the length of a decoder that has one.
        width: int. K.
        fixed: int32 [B, L], the ids that are already chosen, including `<eos>` and the
            `<pad>` after it, and `HIDDEN` where an id is searched for; or None to
            search for whole sentences.
        forbidden: ids never chosen, besides `<pad>` and `<bos>`, and besides `<eos>`
            where ids are fixed.
        allowed: bool [C, V], which ids may be chosen in a place of each kind; or None
            for one kind, of all. In `fixed`, `HIDDEN` is a place of the first kind,
            `HIDDEN - 1` of the second, and so on.

    Returns:
        `Beams`. A free sentence without `<eos>` is one that was longer than L.

    Raises:
        ValueError: for more ids than the decoder's length, or no beam.
    """
    _check(length, getattr(decoder, "length", length), width)
    ends = (PAD, BOS) if fixed is None else (PAD, BOS, EOS)
    if allowed is None:
        allowed = np.ones((1, decoder.vocabulary_size), bool)
    search = _Search(decoder, z, length, {*ends, *forbidden}, allowed)
    rows = ops.shape(z)[0]
    if fixed is None:
        fixed = ops.full((rows, length), HIDDEN, "int32")
    first = ops.min(ops.argmax(ops.cast(fixed <= HIDDEN, "int32"), axis=-1))
    first = ops.cast(first, "int32")
    beginning = search.run(search.start(rows), fixed, 1, first)
    beams = search.run(search.widen(beginning, width), fixed, width, length)
    # The parents of fixed ids never compete: only now are all beams in order.
    scores, order = ops.top_k(beams.scores, width)
    return Beams(ops.take_along_axis(beams.ids, order[:, :, None], axis=1), scores)


class _Partial(NamedTuple):
    """Beginnings of sentences at position t, K per row."""

    t: Any  # []
    ids: Any  # [B, K, L]
    scores: Any  # [B, K]
    last: Any  # [B, K]
    done: Any  # [B, K]
    state: Any  # the decoder's, [B * K, ...]


class _Search:
    def __init__(self, decoder, z, length, forbidden, allowed):
        self.decoder = decoder
        self.length = length
        self.features, self.state = decoder.initial_state(z)
        penalty = np.where(allowed, 0.0, -np.inf).astype("float32")  # [C, V]
        penalty[:, list(forbidden)] = -np.inf
        self.penalty = ops.convert_to_tensor(penalty)

    def start(self, rows):
        zeros = ops.zeros((rows, 1), "int32")
        return _Partial(
            t=ops.zeros((), "int32"),
            ids=ops.zeros((rows, 1, self.length), "int32") + PAD,
            scores=ops.zeros((rows, 1), "float32"),
            last=zeros + BOS,
            done=zeros > 0,
            state=self.state,
        )

    def widen(self, partial, width):
        """Repeats the one beam of each row; only the first may be continued."""
        rows = ops.arange(ops.shape(partial.scores)[0], dtype="int32")
        rows = ops.repeat(rows, width)
        self.features = keras.tree.map_structure(
            lambda x: ops.take(x, rows, axis=0), self.features
        )
        others = ops.where(ops.arange(width) == 0, 0.0, -np.inf)
        return _Partial(
            t=partial.t,
            ids=ops.repeat(partial.ids, width, axis=1),
            scores=partial.scores + others,
            last=ops.repeat(partial.last, width, axis=1),
            done=ops.repeat(partial.done, width, axis=1),
            state=self.decoder.select_rows(partial.state, rows),
        )

    def run(self, partial, fixed, width, end):
        """Continues sentences to position `end`, or until all have ended."""

        def unfinished(t, ids, scores, last, done, state):
            return ops.logical_and(t < end, ops.logical_not(ops.all(done)))

        def step(*partial):
            return tuple(self._step(_Partial(*partial), fixed, width))

        return _Partial(*ops.while_loop(unfinished, step, tuple(partial)))

    def _step(self, partial, fixed, width):
        here = ops.take(fixed, partial.t, axis=1)[:, None]  # [B, 1]
        last = ops.reshape(partial.last, (-1,))
        logits, state = self.decoder.step(last, self.features, partial.state)
        logits = ops.cast(logits, "float32")  # [B * K, V]
        total = ops.reshape(ops.logsumexp(logits, axis=-1), (-1, width))
        targets = ops.reshape(ops.repeat(ops.maximum(here, 0), width, axis=1), (-1, 1))
        log_p = ops.reshape(ops.take_along_axis(logits, targets, axis=1), (-1, width))
        kept = _Partial(
            t=partial.t + 1,
            ids=partial.ids,
            scores=partial.scores + ops.where(partial.done, 0.0, log_p - total),
            last=ops.where(partial.done, PAD, here),
            done=partial.done,
            state=state,
        )
        searched = ops.logical_and(here <= HIDDEN, ops.logical_not(partial.done))
        kept = ops.cond(
            ops.any(searched),
            lambda: self._choose(
                kept,
                partial.scores,
                searched,
                logits + self._penalty(here, width),
                total,
            ),
            lambda: kept,
        )
        ids = ops.where(
            ops.arange(self.length) == partial.t, kept.last[:, :, None], kept.ids
        )
        done = ops.logical_or(kept.done, kept.last == EOS)
        return kept._replace(ids=ids, done=done)

    def _penalty(self, here, width):  # [B, 1] -> [B * K or 1, V]
        """Returns what keeps ids out of the places that are searched."""
        if self.penalty.shape[0] == 1:
            return self.penalty
        kinds = ops.reshape(ops.repeat(ops.maximum(HIDDEN - here, 0), width), (-1,))
        return ops.take(self.penalty, kinds, axis=0)

    def _choose(self, kept, scores, searched, logits, total):
        """Replaces the beams by their best children in rows where an id is searched."""
        width = scores.shape[1]
        # No more children of one beam can be among the best of all.
        count = min(width, self.decoder.vocabulary_size)
        values, ids = ops.top_k(logits, count)  # [B * K, count]
        shape = (-1, width, count)
        values = ops.reshape(values, shape) - total[:, :, None] + scores[:, :, None]
        itself = ops.where(ops.arange(count) == 0, 0.0, -np.inf)
        searched = searched[:, :, None]
        values = ops.where(searched, values, kept.scores[:, :, None] + itself)
        ids = ops.cast(ops.reshape(ids, shape), "int32")
        ids = ops.where(searched, ids, kept.last[:, :, None])
        flat = (-1, width * count)
        scores, child = ops.top_k(ops.reshape(values, flat), width)  # [B, K]
        child = ops.cast(child, "int32")
        parent = child // count
        rows = ops.arange(ops.shape(scores)[0], dtype="int32")[:, None] * width + parent
        rows = ops.reshape(rows, (-1,))
        return _Partial(
            t=kept.t,
            ids=ops.take_along_axis(kept.ids, parent[:, :, None], axis=1),
            scores=scores,
            last=ops.take_along_axis(ops.reshape(ids, flat), child, axis=1),
            done=ops.take_along_axis(kept.done, parent, axis=1),
            state=self.decoder.select_rows(kept.state, rows),
        )


def _check(length, longest, width):
    if isinstance(length, int) and length > longest:
        raise ValueError(
            f"`length` must be at most {longest}, the decoder's length. Received: "
            f"length={length}"
        )
    if width < 1:
        raise ValueError(f"`width` must be positive. Received: width={width}")
