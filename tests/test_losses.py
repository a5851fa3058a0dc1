"""Losses against NumPy and TensorFlow's own, in value and in gradient.

B: batch size. T: time. V: vocabulary size. H: hidden size.
"""

import math

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import losses
from keras_textvae.losses import (
    Factors,
    sentence_nll,
    softmax_cross_entropy,
    token_nll,
)
from keras_textvae.tokens import PAD

B, T, V, H = 3, 5, 7, 4


def batch(scale=1.0):
    """Targets that end in padding, and logits."""
    rng = np.random.default_rng(0)
    targets = rng.integers(1, V, (B, T)).astype("int32")
    targets[1, 3:] = PAD
    targets[2, 1:] = PAD
    return targets, scale * rng.normal(size=(B, T, V)).astype("float32")


def numpy_nll(targets, logits):
    logits = logits.astype("float64")
    shifted = logits - logits.max(-1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return -np.take_along_axis(log_softmax, targets[..., None], -1)[..., 0]


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_tokens_and_sentences_against_numpy(scale):
    targets, logits = batch(scale)
    expected = np.where(targets == PAD, 0.0, numpy_nll(targets, logits))
    np.testing.assert_allclose(
        token_nll(targets, logits), expected, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        sentence_nll(targets, logits), expected.sum(-1), rtol=1e-5, atol=1e-6
    )


def gradient_of(function, logits):
    logits = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = function(logits)
    return tape.gradient(loss, logits).numpy()


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_gradient_is_autodiffs(scale):
    targets, logits = batch(scale)
    weights = tf.constant([1.0, -2.0, 0.5])[:, None]
    real = tf.cast(targets != PAD, tf.float32)

    def theirs(logits):
        nll = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_sum(weights * real * nll)

    ours = gradient_of(lambda x: tf.reduce_sum(weights * token_nll(targets, x)), logits)
    np.testing.assert_allclose(ours, gradient_of(theirs, logits), atol=1e-6)


def test_padding_has_no_loss_and_no_gradient_whatever_its_logits():
    targets, logits = batch()
    logits[targets == PAD] = 1e4
    moved = logits.copy()
    moved[targets == PAD] *= -1
    np.testing.assert_array_equal(
        sentence_nll(targets, logits), sentence_nll(targets, moved)
    )
    assert sentence_nll(np.zeros((1, T), "int32"), logits[:1]).numpy() == 0.0
    gradient = gradient_of(lambda x: tf.reduce_sum(token_nll(targets, x)), logits)
    np.testing.assert_array_equal(gradient[targets == PAD], 0.0)
    assert np.abs(gradient[targets != PAD]).max(axis=-1).min() > 0


@pytest.mark.parametrize("value", [-1e4, 0.0, 1e4, 1e30])
def test_equal_logits_cost_log_v_however_large(value):
    nll = token_nll(np.ones((1, 1), "int32"), np.full((1, 1, V), value, "float32"))
    assert float(nll[0, 0]) == pytest.approx(math.log(V), rel=1e-6)


@pytest.mark.parametrize(
    ("high", "target", "expected"), [(1e4, 1, 0.0), (1e4, 2, 1e4), (-1e4, 1, 1e4)]
)
def test_one_extreme_logit(high, target, expected):
    logits = np.zeros((1, 1, V), "float32")
    logits[0, 0, 1] = high
    targets = np.array([[target]], "int32")
    if high < 0:
        expected += math.log(V - 1)
    assert float(token_nll(targets, logits)[0, 0]) == pytest.approx(expected)
    gradient = gradient_of(lambda x: token_nll(targets, x), logits)
    assert np.isfinite(gradient).all()
    assert gradient.sum() == pytest.approx(0.0, abs=1e-6)


def test_an_impossible_word_that_did_not_come_costs_nothing():
    logits = np.array([[[-np.inf, 0.0, 0.0, -np.inf]]], "float32")
    targets = np.array([[1]], "int32")
    assert float(token_nll(targets, logits)[0, 0]) == pytest.approx(math.log(2))
    gradient = gradient_of(lambda x: token_nll(targets, x), logits)
    np.testing.assert_allclose(gradient[0, 0], [0.0, -0.5, 0.5, 0.0], atol=1e-6)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_logits_are_summed_in_float32(dtype):
    targets, logits = batch(scale=3.0)
    half = tf.cast(logits, dtype)
    rounded = tf.cast(half, tf.float32).numpy()
    nll = sentence_nll(targets, half)
    assert nll.dtype == tf.float32
    np.testing.assert_allclose(nll, sentence_nll(targets, rounded), rtol=1e-6)
    gradient = gradient_of(lambda x: tf.reduce_sum(sentence_nll(targets, x)), half)
    assert gradient.dtype == dtype.as_numpy_dtype


def test_never_negative():
    logits = np.random.default_rng(0).normal(size=(5000, V)).astype("float32") * 40
    targets = logits.argmax(-1).astype("int32")
    assert float(tf.reduce_min(softmax_cross_entropy(targets, logits))) >= 0.0


def test_unknown_batch_and_time_in_a_graph():
    specs = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, None, V])]
    graph = tf.function(sentence_nll, input_signature=specs)
    targets, logits = batch()
    np.testing.assert_allclose(
        graph(targets, logits), sentence_nll(targets, logits), rtol=1e-6
    )


def factors(dtype="float32"):
    rng = np.random.default_rng(1)
    shapes = (B, T, H), (H, V), (V,)
    return Factors(*(tf.constant(rng.normal(size=x), dtype) for x in shapes))


def value_and_gradients(targets, weights, parts, logits=lambda parts: parts):
    with tf.GradientTape() as tape:
        tape.watch(parts)
        nll = sentence_nll(targets, logits(parts))
        loss = tf.reduce_sum(nll * weights)
    return nll, tape.gradient(loss, [*parts])


def multiplied(parts):
    return parts.outputs @ parts.kernel + parts.bias


# As many as a part has rows, one, and more than there are.
@pytest.mark.parametrize("chunk", [5 * V, 4 * V, V, 1000])
@pytest.mark.parametrize("weights", [[0.5] * B, [1.0, -2.0, 0.5], [0.0] * B])
@pytest.mark.parametrize("in_graph", [False, True])
def test_factors_are_their_product_in_value_and_gradient(
    monkeypatch, chunk, weights, in_graph
):
    monkeypatch.setattr(losses, "CHUNK", chunk)
    targets, _ = batch()
    targets, weights, parts = tf.constant(targets), tf.constant(weights), factors()
    shapes = [None, None, H], [H, V], [V]
    signature = [
        tf.TensorSpec([None, None], "int32"),
        tf.TensorSpec([None]),
        Factors(*map(tf.TensorSpec, shapes)),
    ]
    function = tf.function(input_signature=signature) if in_graph else lambda f: f
    found = function(value_and_gradients)(targets, weights, parts)
    expected = value_and_gradients(targets, weights, parts, multiplied)
    for ours, theirs in zip(
        tf.nest.flatten(found), tf.nest.flatten(expected), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        sentence_nll(targets, parts, learns=False), expected[0], rtol=1e-5
    )
