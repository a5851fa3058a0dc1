"""The LSTM recurrence with a hand-written gradient, layer-normalised or not.

B: batch size. T: time. H: hidden size. The gates stand in the order i, f, o, g.

    a_t = x_t + h_{t-1} U              or LayerNorm(x_t + h_{t-1} U) over all 4H
    i, f, o = sigmoid(a_t)[:3H],  g = tanh(a_t)[3H:]
    c_t = f * c_{t-1} + i * g,  h_t = o * tanh(c_t)

An automatic gradient of the loop adds to an accumulator of U's size at every step. Here
the backward loop only carries the two state gradients, and the gradient of U is one
matrix product over all steps at its end.

Matrix products run in the dtype of `recurrent_kernel`; everything else in float32.
"""

from keras import ops

from keras_textvae.layers.products import summed_outer

LAYER_NORM_EPSILON = 1e-4  # Semeniuta et al. 2017, the authors' code


def lstm_step(x, h, c, recurrent_kernel, norm: tuple | None = None):
    """Computes one step of the recurrence.

    Args:
        x: float32 [B, 4H], the projected input, bias included.
        h: float32 [B, H], the previous output.
        c: float32 [B, H], the previous cell state.
        recurrent_kernel: [H, 4H].
        norm: None, or the pair (gamma [4H], beta [4H]) of the layer normalisation.

    Returns:
        The new `h` and `c`, both float32 [B, H].
    """
    return _forward_step(x, h, c, recurrent_kernel, norm)[:2]


def lstm(x, h, c, recurrent_kernel, norm: tuple | None = None):
    """Runs the recurrence over a sequence.

    Args:
        x: float32 [T, B, 4H], the projected inputs, bias included, time first.
        h: float32 [B, H], the initial output.
        c: float32 [B, H], the initial cell state.
        recurrent_kernel: [H, 4H].
        norm: None, or the pair (gamma [4H], beta [4H]) of the layer normalisation.

    Returns:
        The outputs of all steps, float32 [T, B, H].
    """
    if norm is None:
        return _plain_lstm(x, h, c, recurrent_kernel)
    return _normalised_lstm(x, h, c, recurrent_kernel, *norm)


@ops.custom_gradient
def _plain_lstm(x, h, c, recurrent_kernel):
    outputs, backward = _forward_and_backward(x, h, c, recurrent_kernel, None)

    def gradient(*upstream):
        return backward(_last(upstream))

    return outputs, gradient


@ops.custom_gradient
def _normalised_lstm(x, h, c, recurrent_kernel, gamma, beta):
    outputs, backward = _forward_and_backward(x, h, c, recurrent_kernel, (gamma, beta))

    def gradient(*upstream):
        return backward(_last(upstream))

    return outputs, gradient


def _last(upstream):
    return upstream[-1]


def _forward_and_backward(x, h0, c0, recurrent_kernel, norm):
    def forward_step(state, x_t):
        h, c = state[:2]
        state = _forward_step(x_t, h, c, recurrent_kernel, norm)
        return state, state

    transposed_kernel = ops.transpose(recurrent_kernel)
    a0 = ops.zeros_like(x[0])
    state0 = (h0, c0, h0, h0, h0, h0, a0, ops.zeros_like(a0[:, :1]))
    _, (h, c, i, f, o, g, normalised, scale) = ops.scan(forward_step, state0, x)
    h_previous = ops.concatenate([h0[None], h[:-1]])
    c_previous = ops.concatenate([c0[None], c[:-1]])

    def backward(h_gradient):
        def backward_step(state, t):
            dh, dc = state[:2]
            dh = dh + h_gradient[t]
            gates = i[t], f[t], o[t], g[t]
            da, dc = _gate_gradients(dh, dc, c[t], c_previous[t], *gates)
            of_inputs = (da,)
            if norm is not None:
                dx = _layer_norm_gradient(da, norm[0], normalised[t], scale[t])
                of_inputs = dx, da
            state = (_product(of_inputs[0], transposed_kernel), dc, *of_inputs)
            return state, state

        zeros = ops.zeros_like(h0)
        state0 = (zeros, zeros, *([a0] if norm is None else [a0, a0]))
        steps = ops.arange(ops.shape(x)[0])
        (dh, dc, *_), (_, _, dx, *da) = ops.scan(
            backward_step, state0, steps, reverse=True
        )
        kernel_gradient = _kernel_gradient(h_previous, dx, recurrent_kernel.dtype)
        # After the loop: devices that share the rows add up once.
        of_norm = [
            total
            for each in da
            for total in (ops.sum(each * normalised, (0, 1)), ops.sum(each, (0, 1)))
        ]
        return dx, dh, dc, kernel_gradient, *of_norm

    return h, backward


def _forward_step(x, h, c, recurrent_kernel, norm):
    a = x + _product(h, recurrent_kernel)
    normalised, scale = a, a[:, :1]
    if norm is not None:
        normalised, scale = _layer_norm(a)
        a = normalised * norm[0] + norm[1]
    i, f, o, g = ops.split(a, 4, axis=-1)
    i, f, o, g = ops.sigmoid(i), ops.sigmoid(f), ops.sigmoid(o), ops.tanh(g)
    c = f * c + i * g
    h = o * ops.tanh(c)
    return h, c, i, f, o, g, normalised, scale


def _gate_gradients(dh, dc, c, c_before, i, f, o, g):
    tanh_c = ops.tanh(c)
    dc = dc + dh * o * (1.0 - tanh_c * tanh_c)
    da = ops.concatenate(
        [
            dc * g * i * (1.0 - i),
            dc * c_before * f * (1.0 - f),
            dh * tanh_c * o * (1.0 - o),
            dc * i * (1.0 - g * g),
        ],
        axis=-1,
    )
    return da, dc * f


def _layer_norm(a):
    centred = a - ops.mean(a, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    scale = ops.rsqrt(variance + LAYER_NORM_EPSILON)
    return centred * scale, scale


def _layer_norm_gradient(da, gamma, n, scale):
    """The gradient of gamma * n + beta in x; n is normalised x."""
    da_n = da * n
    column, size = gamma[:, None], gamma.shape[0]
    mean = ops.matmul(da, column) / size  # of the gradient of n
    mean_n = ops.matmul(da_n, column) / size  # of the same, times n
    return scale * (da * gamma - mean - n * mean_n)


def _product(x, kernel):
    return ops.cast(ops.matmul(ops.cast(x, kernel.dtype), kernel), "float32")


def _kernel_gradient(h_previous, dx, dtype):
    return summed_outer(ops.cast(h_previous, dtype), ops.cast(dx, dtype))
