"""What every decoder promises, over every decoder.

B: batch size. T: time. V: vocabulary size. D: latent size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_textvae.decoders import (
    ByteNetDecoder,
    DeconvolutionalDecoder,
    HybridDecoder,
    LSTMDecoder,
)
from keras_textvae.tokens import BOS, FIRST_WORD

V, D, LENGTH = 11, 3, 7

BUILDERS = {
    "lstm": lambda **kw: LSTMDecoder(V, 4, 5, **kw),
    "lstm, normalised, z every step": lambda **kw: LSTMDecoder(
        V, 4, 5, z_every_step=True, layer_norm=True, **kw
    ),
    "lstm, tied": lambda **kw: LSTMDecoder(V, 5, 5, tied=True, **kw),
    "lstm, tied, projected": lambda **kw: LSTMDecoder(V, 3, 5, tied=True, **kw),
    "lstm, highways": lambda **kw: LSTMDecoder(
        V, 4, 5, z_every_step=True, highways=2, **kw
    ),
    "lstm, one-hot": lambda **kw: LSTMDecoder(V, None, 5, layer_norm=True, **kw),
    "hybrid": lambda **kw: HybridDecoder(V, LENGTH, 5, (3, 4), 8, **kw),
    "bytenet": lambda **kw: bytenet(**kw),
    "bytenet, batch norm": lambda **kw: bytenet(norm="batch", **kw),
    "bytenet, 7 layers": lambda **kw: bytenet(layers=7, **kw),
    "bytenet, dilated": lambda **kw: bytenet(width=3, dilations=(2, 1), **kw),
    "highway": lambda **kw: bytenet(block="highway", layers=1, **kw),
    "highway, batch norm": lambda **kw: bytenet(block="highway", norm="batch", **kw),
}


def bytenet(layers=2, **kwargs):
    return ByteNetDecoder(V, LENGTH, layers, 32, channels=(3, 4), features=8, **kwargs)


@pytest.fixture(scope="module", params=BUILDERS)
def builder(request):
    return BUILDERS[request.param]


@pytest.fixture(scope="module")
def decoder(builder):
    return trained(builder(initializer="zeros"))


def trained(decoder):
    """Moves every weight and moving average from its initial value."""
    decoder.build((None, None), (None, D))
    rng = np.random.default_rng(7)
    for weight in decoder.trainable_weights:
        noise = rng.normal(size=weight.shape, scale=0.5)
        # Positive biases keep units alive behind a ReLU.
        weight.assign(weight + (np.abs(noise) if len(weight.shape) == 1 else noise))
    decoder(sentences(), latents(), training=True)
    return decoder


def copy_of(decoder, copy):
    """Gives another decoder of the same shape the same weights."""
    copy.build((None, None), (None, D))
    copy.set_weights(decoder.get_weights())
    return copy


def sentences(rows=3, time=LENGTH, seed=0):
    ids = np.random.default_rng(seed).integers(FIRST_WORD, V, (rows, time))
    ids[:, 0] = BOS
    return ids.astype("int32")


def latents(rows=3, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, D)).astype("float32")


def repeated_step(decoder, ids, z):
    features, state = decoder.initial_state(ops.convert_to_tensor(z))
    logits = []
    for t in range(ids.shape[1]):
        step, state = decoder.step(ops.convert_to_tensor(ids[:, t]), features, state)
        logits.append(step)
    return np.stack(logits, axis=1)


def assert_close(found, expected):
    """Asserts equality but for rounding, which grows with the largest logit."""
    tolerance = 1e-5 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_teacher_forced_gives_the_tensors_that_a_loss_takes(decoder):
    ids, z = sentences(), latents()
    tensors = decoder.teacher_forced(ids, z)
    np.testing.assert_array_equal(tensors.pop("logits"), decoder(ids, z))
    if isinstance(decoder, DeconvolutionalDecoder):
        features = decoder.expand(ids, z, training=False)
        expected = decoder.historyless_logits(features)
        np.testing.assert_array_equal(tensors.pop("auxiliary_logits"), expected)
    assert not tensors


@pytest.mark.parametrize("time", [1, 4, LENGTH])
def test_call_equals_repeated_step(decoder, time):
    ids, z = sentences(time=time), latents()
    logits = decoder(ids, z)
    assert logits.shape == (3, time, V)
    assert_close(logits, repeated_step(decoder, ids, z))


def test_an_output_never_depends_on_later_ids(decoder):
    ids, z = sentences(), latents()
    logits = decoder(ids, z)
    for t in (0, 3, LENGTH - 1):
        other = ids.copy()
        other[:, t] = FIRST_WORD + (other[:, t] - FIRST_WORD + 1) % (V - FIRST_WORD)
        changed = np.abs(decoder(other, z) - logits)
        np.testing.assert_array_equal(changed[:, :t], 0.0)
        last = t + getattr(decoder, "receptive_field", LENGTH)
        assert changed[:, t:last].max(axis=-1).min() > 0.0
        np.testing.assert_array_equal(changed[:, last:], 0.0)


def test_at_keep_rate_zero_every_word_looks_dropped(builder, decoder):
    inputless = copy_of(decoder, builder(keep_rate=0.0))
    ids, z = sentences(), latents()
    logits = inputless(ids, z)
    np.testing.assert_array_equal(inputless(sentences(seed=5), z), logits)
    dropped = np.where(ids == BOS, BOS, decoder.history.word_dropout.dropped)
    np.testing.assert_array_equal(decoder(dropped, z), logits)
    assert_close(repeated_step(inputless, ids, z), logits)


def test_at_keep_rate_zero_history_plays_no_part_in_training(builder):
    inputless = trained(builder(keep_rate=0.0, initializer="zeros"))
    first, second = (
        inputless(sentences(seed=seed), latents(), training=True) for seed in (0, 5)
    )
    np.testing.assert_array_equal(first, second)


def test_word_dropout_is_of_training(builder, decoder):
    hidden = copy_of(decoder, builder(keep_rate=0.3))
    ids, z = sentences(), latents()
    np.testing.assert_array_equal(hidden(ids, z), decoder(ids, z))
    one, two = (hidden(ids, z, training=True) for _ in range(2))
    assert np.abs(one - two).max() > 1e-4


def test_a_row_does_not_depend_on_its_batch(decoder):
    ids, z = sentences(), latents()
    logits = decoder(ids, z)
    for k in range(3):
        alone = decoder(ids[k : k + 1], z[k : k + 1])
        assert_close(alone[0], logits[k])


def test_z_reaches_every_output(decoder):
    ids = sentences(rows=1)
    moved = decoder(ids, latents(1, seed=3)) - decoder(ids, latents(1, seed=4))
    assert np.abs(moved).max(axis=-1).min() > 1e-5


def test_every_weight_gets_a_gradient(decoder):
    with tf.GradientTape() as tape:
        outputs = decoder.teacher_forced(sentences(), latents())
        loss = sum(tf.reduce_sum(tf.sin(x)) for x in tf.nest.flatten(outputs))
    gradients = tape.gradient(loss, decoder.trainable_variables)
    for weight, gradient in zip(decoder.trainable_variables, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.path


def test_unknown_batch_and_time_in_a_graph(decoder):
    specs = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, D])]
    graph = tf.function(lambda ids, z: decoder(ids, z), input_signature=specs)
    for rows, time in ((3, 5), (1, LENGTH)):
        ids, z = sentences(rows, time), latents(rows)
        assert_close(graph(ids, z), decoder(ids, z))


def test_configuration_round_trip(builder):
    original = trained(builder(keep_rate=0.5, initializer="random_normal"))
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(original)
    )
    ids, z = sentences(), latents()
    copy(ids, z)
    copy.set_weights(original.get_weights())
    assert copy.get_config() == original.get_config()
    np.testing.assert_array_equal(copy(ids, z), original(ids, z))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_stays_close_to_float32(builder, decoder, policy):
    mixed = copy_of(decoder, builder(dtype=policy))
    ids, z = sentences(), latents()
    logits = mixed(ids, z)
    assert keras.backend.standardize_dtype(logits.dtype) == policy[6:]
    expected = decoder(ids, z)
    tolerance = 0.05 * np.abs(expected).max()
    logits = tf.cast(logits, tf.float32)
    np.testing.assert_allclose(logits, expected, atol=tolerance)
    steps = repeated_step(mixed, ids, z).astype("float32")
    np.testing.assert_allclose(steps, logits, atol=tolerance)


def test_one_initializer_draws_other_numbers_for_each_weight(builder):
    decoder = builder(initializer=keras.initializers.RandomUniform(-1, 1))
    decoder.build((None, None), (None, D))
    # What is all zeros or all ones belongs to a normalisation.
    weights = [w for w in decoder.get_weights() if np.ptp(w) > 0]
    assert len({w.ravel()[0] for w in weights}) == len(weights)
    assert max(np.abs(w).max() for w in weights) <= 1.0
