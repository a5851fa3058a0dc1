"""Generation: z -> ids, the one decoding loop of every decoder.

B: batch size. D: latent size. V: vocabulary size. L: ids to generate.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
from keras import ops

from keras_textvae import samplers
from keras_textvae.tokens import BOS, EOS, PAD, UNK

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder


def generate(
    decoder: "Decoder",
    z,
    length: int,
    sampler: Callable = samplers.greedy,
    noise=None,
    forbidden: Iterable[int] = (UNK,),
):
    """Decodes z until every row has ended.

    `<pad>` and `<bos>` are never emitted. Rows never couple: a row's ids depend on its
    own z and noise alone, up to the rounding of a product at another batch size. A row
    whose logits are not numbers ends there.

    Args:
        decoder: see `decoders`.
        z: float [B, D].
        length: int. L, at most the length of a decoder that has one.
        sampler: logits [B, V], noise [B] -> ids [B]. See `samplers`.
        noise: float [B, L], uniform in (0, 1], or None for a sampler that needs none.
        forbidden: ids never emitted, besides `<pad>` and `<bos>`. `()` allows `<unk>`;
            with `<eos>` every row is L ids long.

    Returns:
        int32 [B, L]: ids up to and including `<eos>`, then `<pad>`.

    Raises:
        ValueError: for more ids than the decoder's length, or than there is noise for.
    """
    _check(length, getattr(decoder, "length", None), noise)
    features, state = decoder.initial_state(z)
    penalty, emitted = _rules(decoder.vocabulary_size, (PAD, BOS, *forbidden))
    zeros = ops.sum(ops.zeros_like(z), axis=-1)
    columns = ops.arange(length, dtype="int32")

    def unfinished(t, ids, last, done, state):
        return ops.logical_and(t < length, ops.logical_not(ops.all(done)))

    def step(t, ids, last, done, state):
        logits, state = decoder.step(last, features, state)
        logits = ops.cast(logits, "float32") + penalty
        row_noise = None if noise is None else ops.take(noise, t, axis=1)
        last = ops.where(done, PAD, ops.take(emitted, sampler(logits, row_noise)))
        ids = ops.where(columns == t, last[:, None], ids)
        return t + 1, ids, last, ops.logical_or(done, last == EOS), state

    start = ops.cast(zeros, "int32")
    ids = ops.cast(ops.zeros_like(columns) * start[:, None], "int32") + PAD
    done = ops.zeros_like(start, dtype="bool")
    loop = (ops.zeros((), dtype="int32"), ids, start + BOS, done, state)
    return ops.while_loop(unfinished, step, loop)[1]


def _check(length, longest, noise):
    noise_length = None if noise is None else noise.shape[1]
    limits = {"the decoder's length": longest, "the noise": noise_length}
    for name, limit in limits.items():
        if isinstance(length, int) and limit is not None and length > limit:
            raise ValueError(
                f"`length` must be at most {limit}, {name}. Received: length={length}"
            )


def _rules(vocabulary_size, forbidden):  # -> [V], [V]
    """Returns what to add to the logits, and what to emit for each id chosen.

    A sampler must choose something even where all logits are equal or not numbers. If
    it chooses a forbidden id, `<eos>` or else the first allowed id is emitted instead.
    """
    penalty = np.zeros(vocabulary_size, "float32")
    penalty[list(forbidden)] = -np.inf
    allowed = np.flatnonzero(penalty == 0.0)
    end = EOS if EOS in allowed else allowed[0]
    emitted = np.where(penalty == 0.0, np.arange(vocabulary_size), end)
    return ops.convert_to_tensor(penalty), ops.convert_to_tensor(emitted, "int32")
