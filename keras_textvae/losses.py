"""Losses: ids and logits -> nats per sentence.

B: batch size. T: time. H: hidden size. V: vocabulary size. N: rows of logits.
"""

from typing import Any, NamedTuple

from keras import ops

from keras_textvae.tokens import PAD

CHUNK = 8_000_000  # logits in memory at once, where they are `Factors`


class Factors(NamedTuple):
    """Logits of large vocabularies that are not multiplied out: outputs kernel + bias.

    Attributes:
        outputs: float [B, T, H].
        kernel: float [H, V].
        bias: float [V].
    """

    outputs: Any
    kernel: Any
    bias: Any


def sentence_nll(targets, logits, learns: bool = True):
    """Negative log-likelihood of sentences, summed over time, `<pad>` left out.

    Args: see `token_nll`.

    Returns:
        float32 [B], nats per sentence.
    """
    return ops.sum(token_nll(targets, logits, learns), axis=-1)


def token_nll(targets, logits, learns: bool = True):
    """Negative log-likelihood of each token, zero at `<pad>`.

    Args:
        targets: int32 [B, T]. The ids to predict, `<eos>` included.
        logits: float [B, T, V]; or [B, 1, V], the same at every step; or `Factors`.
        learns: bool. Whether a gradient will be asked for; without, `Factors` cost a
            third.

    Returns:
        float32 [B, T], nats per token.
    """
    if isinstance(logits, Factors):
        outputs, kernel, bias = logits
        rows = ops.reshape(outputs, (-1, outputs.shape[-1]))
        nll = projected_cross_entropy(
            ops.reshape(targets, (-1,)), rows, kernel, bias, learns
        )
        return ops.reshape(nll, ops.shape(targets))
    if logits.shape[1] == 1:
        log_p = ops.log_softmax(ops.cast(logits[:, 0], "float32"))  # [B, V]
        return ops.where(
            targets == PAD, 0.0, -ops.take_along_axis(log_p, targets, axis=1)
        )
    rows = ops.reshape(ops.cast(logits, "float32"), (-1, logits.shape[-1]))
    nll = softmax_cross_entropy(ops.reshape(targets, (-1,)), rows)
    nll = ops.reshape(nll, ops.shape(targets))
    return ops.where(targets == PAD, 0.0, nll)


def softmax_cross_entropy(targets, logits):
    """-log softmax(logits)[target], with a gradient that reuses the softmax.

    One softmax serves both directions: log sum exp(l) = max l - log max softmax(l),
    whose argument is at least 1/V, and the gradient is softmax(l) minus one at the
    target. On a CPU this takes about half the time of TensorFlow's own kernel.

    Args:
        targets: int32 [N].
        logits: float32 [N, V].

    Returns:
        float32 [N], nats per token.
    """

    @ops.custom_gradient
    def cross_entropy(logits):
        probabilities = ops.softmax(logits)
        # In this order nothing is lost to rounding when the logits are large.
        below_max = ops.max(logits, axis=-1) - _gather(logits, targets)

        def gradient(*upstream):
            weights = upstream[-1]  # [N]
            scaled = probabilities * weights[:, None]
            return _less_at_target(scaled, targets, weights)

        return below_max - ops.log(ops.max(probabilities, axis=-1)), gradient

    return cross_entropy(logits)


def projected_cross_entropy(targets, rows, kernel, bias, learns: bool = True):
    """-log softmax(rows kernel + bias)[target], zero at `<pad>`.

    There are never more than about `CHUNK` logits in memory. What the gradient needs of
    them is computed with them, for a loss in which every token weighs the same, as
    Hsu et al. 2024 (Liger Kernel) do it; where tokens turn out to weigh differently,
    they are computed once more.

    Args:
        targets: int32 [N].
        rows: float [N, H].
        kernel: float [H, V].
        bias: float [V].
        learns: see `token_nll`.

    Returns:
        float32 [N], nats per token.
    """
    real = ops.cast(targets != PAD, "float32")
    if not learns:
        return _in_chunks(targets, real, rows, kernel, bias, False)[0] * real

    @ops.custom_gradient
    def cross_entropy(rows, kernel, bias):
        nll, *gradients = _in_chunks(targets, real, rows, kernel, bias, True)

        def gradient(*upstream):
            weights = upstream[-1] * real  # [N]
            most = ops.max(weights)
            least = ops.min(ops.where(real > 0.0, weights, most))

            def scaled():
                return [g * ops.cast(most, g.dtype) for g in gradients]

            def again():
                return _in_chunks(targets, weights, rows, kernel, bias, True)[1:]

            found = ops.cond(ops.equal(most, least), scaled, again)
            inputs = rows, kernel, bias
            return [ops.cast(g, x.dtype) for g, x in zip(found, inputs, strict=True)]

        return nll * real, gradient

    return cross_entropy(rows, kernel, bias)


def _in_chunks(targets, weights, rows, kernel, bias, learns):
    """Returns the nats [N], and the gradients of their weighted sum if it `learns`."""
    count = ops.shape(rows)[0]
    # Numbers on JAX, as shapes must be there; on TensorFlow tensors. One part at least.
    parts = 1 + count // (1 + CHUNK // kernel.shape[1])
    size = -(-count // parts)

    def padded(x):
        end = [[0, parts * size - count], *([0, 0] for _ in x.shape[1:])]
        return ops.pad(x, end)

    def chunk(x, start):
        return ops.slice(x, (start, *(0 for _ in x.shape[1:])), (size, *x.shape[1:]))

    targets, weights, rows = padded(targets), padded(weights), padded(rows)
    transposed = ops.transpose(kernel)

    def add_chunk(number, state):
        start = number * size
        nll, gradients = state[0], state[1:]
        x, target = chunk(rows, start), chunk(targets, start)
        logits = ops.cast(ops.matmul(x, kernel), "float32") + ops.cast(bias, "float32")
        top = ops.max(logits, axis=-1, keepdims=True)
        exponentials = ops.exp(logits - top)
        total = ops.sum(exponentials, axis=-1, keepdims=True)
        nats = top[:, 0] - _gather(logits, target) + ops.log(total[:, 0])
        nll = ops.slice_update(nll, (start,), nats)
        if not learns:
            return (nll,)
        weight = chunk(weights, start)
        scaled = exponentials * (weight[:, None] / total)
        of_logits = _less_at_target(scaled, target, weight)
        narrow = ops.cast(of_logits, x.dtype)
        of_rows, of_kernel, of_bias = gradients
        of_rows = ops.slice_update(of_rows, (start, 0), ops.matmul(narrow, transposed))
        of_kernel += ops.cast(ops.matmul(ops.transpose(x), narrow), "float32")
        return nll, of_rows, of_kernel, of_bias + ops.sum(of_logits, axis=0)

    state = (ops.zeros_like(weights),)
    if learns:
        sums = ops.zeros(kernel.shape, "float32"), ops.zeros(bias.shape, "float32")
        state = (*state, ops.zeros_like(rows), *sums)
    nll, *gradients = ops.fori_loop(0, parts, add_chunk, state)
    if learns:
        gradients[0] = gradients[0][:count]
    return [nll[:count], *gradients]


def _less_at_target(rows, targets, weights):  # [N, V], [N], [N] -> [N, V]
    """Subtracts a weight at each row's target: softmaxes become their gradients."""
    positions = ops.stack([ops.arange(ops.shape(targets)[0]), targets], axis=-1)
    return ops.scatter_update(rows, positions, _gather(rows, targets) - weights)


def _gather(rows, columns):  # [N, V], [N] -> [N]
    return ops.take_along_axis(rows, columns[:, None], axis=1)[:, 0]
