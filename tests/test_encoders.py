"""Encoders: padding never changes features, and the convolutions see what they should.

N: length. C: feature maps.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_textvae.encoders import ConvolutionalEncoder, LSTMEncoder
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, UNK

V = 11
LENGTH = 10

BUILDERS = {
    "lstm": lambda: LSTMEncoder(V, embedding_dim=4, units=5),
    "normalised lstm": lambda: LSTMEncoder(V, 4, 5, layer_norm=True, dropout=0.5),
    "one-hot lstm": lambda: LSTMEncoder(V, None, 5, layer_norm=True),
    "one-hot lstm, words hidden": lambda: LSTMEncoder(V, None, 5, keep_rate=0.5),
    "lstm, highways": lambda: LSTMEncoder(V, 4, 5, highways=2),
    "lstm, mean": lambda: LSTMEncoder(V, 4, 5, pooling="mean", keep_rate=0.5),
    "lstm, max": lambda: LSTMEncoder(V, 4, 5, pooling="max"),
    "convolutional": lambda: ConvolutionalEncoder(V, LENGTH, channels=(16, 8)),
    "convolutional, layer norm": lambda: ConvolutionalEncoder(
        V, LENGTH, channels=(16, 8), norm="layer"
    ),
}


@pytest.fixture(scope="module", params=BUILDERS)
def encoder(request):
    """An encoder whose batch normalisation, if any, has learned something."""
    encoder = BUILDERS[request.param]()
    encoder(sentences([9, 6, 3]), training=True)
    return encoder


def sentences(lengths, width=None, seed=0):
    """Random sentences of so many words, <bos> and <eos> beside them, padded."""
    rng = np.random.default_rng(seed)
    ids = np.full((len(lengths), width or max(lengths) + 2), PAD, "int32")
    for row, length in zip(ids, lengths, strict=True):
        row[1 : length + 1] = rng.integers(FIRST_WORD, V, length)
        row[0], row[length + 1] = BOS, EOS
    return ids


@pytest.mark.parametrize("further", [1, 2, 9])
def test_padding_further_changes_nothing(encoder, further):
    ids = sentences([3, 6, 1])
    padded = np.pad(ids, ((0, 0), (0, further)))
    np.testing.assert_allclose(encoder(padded), encoder(ids), atol=1e-6)


def test_without_a_batch_s_statistics_training_sees_a_row_as_evaluation_does():
    ids = sentences([3, 6, 1])
    for norm, same in (("layer", True), ("batch", False)):
        encoder = ConvolutionalEncoder(V, LENGTH, channels=(16, 8), norm=norm)
        trained = encoder(ids, training=True)
        assert np.allclose(trained, encoder(ids), atol=1e-6) == same


def test_a_row_is_encoded_alone_as_in_its_batch(encoder):
    lengths = [0, 7, 2, 5]
    features = encoder(sentences(lengths))
    for ids, length, expected in zip(
        sentences(lengths), lengths, features, strict=True
    ):
        alone = encoder(ids[None, : length + 2])
        np.testing.assert_allclose(alone[0], expected, atol=1e-6)


def test_the_last_word_and_every_other_reach_the_features(encoder):
    ids = sentences([8])
    features = encoder(ids)
    for position in range(1, 10):
        other = ids.copy()
        other[0, position] = FIRST_WORD + (ids[0, position] - FIRST_WORD + 1) % 7
        assert np.abs(encoder(other) - features).max() > 1e-6


def test_unknown_batch_and_time_in_a_graph(encoder):
    spec = tf.TensorSpec([None, None], tf.int32)
    graph = tf.function(lambda ids: encoder(ids), input_signature=[spec])
    for lengths in ([4, 2], [7]):
        ids = sentences(lengths)
        np.testing.assert_allclose(graph(ids), encoder(ids), atol=1e-6)


def test_configuration_round_trip(encoder):
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(encoder)
    )
    copy.set_weights(encoder.get_weights())
    ids = sentences([4, 2])
    assert copy.get_config() == encoder.get_config()
    np.testing.assert_array_equal(copy(ids), encoder(ids))


def test_lstm_encoder_returns_the_output_at_the_last_word():
    encoder = LSTMEncoder(V, 4, 5)
    ids = sentences([3, 6])
    encoder.build(ids.shape)
    outputs = encoder.lstm(encoder.text.embedding(ids))
    expected = np.stack([outputs[0, 4], outputs[1, 7]])
    np.testing.assert_allclose(encoder(ids), expected, atol=1e-6)


def test_highways_carry_the_last_output_on():
    encoder, plain = LSTMEncoder(V, 4, 5, highways=2), LSTMEncoder(V, 4, 5)
    ids = sentences([3, 6])
    expected = encoder(ids)
    plain.build(ids.shape)
    plain.set_weights(encoder.get_weights()[: len(plain.weights)])
    features = plain(ids)
    for layer in encoder.highway_layers:
        features = layer(features)
    np.testing.assert_allclose(expected, features, atol=1e-6)
    assert np.abs(features - plain(ids)).max() > 1e-3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_features_of_the_lstm_encoder_are_float32(policy):
    encoder = LSTMEncoder(V, 4, 5, highways=1, dtype=policy)
    assert encoder(sentences([3])).dtype == tf.float32


def test_highways_are_counted():
    with pytest.raises(ValueError, match="Received: highways=-1"):
        LSTMEncoder(V, 4, 5, highways=-1)


def test_dropout_of_the_lstm_encoder_is_of_training():
    encoder = LSTMEncoder(V, 4, 5, dropout=0.5)
    ids = sentences([6])
    np.testing.assert_array_equal(encoder(ids), encoder(ids))
    assert np.abs(encoder(ids, training=True) - encoder(ids)).max() > 1e-4


def positive_encoder(length, channels):
    """With weights all positive no ReLU hides that an input reached an output."""
    initializer = keras.initializers.RandomUniform(0.1, 1.0)
    return ConvolutionalEncoder(V, length, channels, initializer)


def outputs_changed_by(encoder, ids, position):
    other = ids.copy()
    other[0, 1 + position] = FIRST_WORD + 1
    moved = ops.convert_to_numpy(encoder(other) - encoder(ids))
    maps = moved.reshape(-1, encoder.channels[-1])  # [N / 2, C]
    return set(np.flatnonzero(np.abs(maps).max(axis=-1)))


@pytest.mark.parametrize("position", range(8))
def test_output_i_sees_inputs_2i_minus_1_to_2i_plus_1(position):
    encoder = positive_encoder(8, (3,))
    ids = np.full((1, 9), FIRST_WORD, "int32")
    seen_by = {i for i in range(4) if position in (2 * i - 1, 2 * i, 2 * i + 1)}
    assert outputs_changed_by(encoder, ids, position) == seen_by


def numpy_encoder(encoder, ids):
    """Strided windows over one-hot vectors, for freshly built batch normalisation."""
    x = np.eye(V)[ids] * (ids != PAD)[..., None]
    lookup = encoder.lookup.get_weights()[0]
    kernels = [lookup.reshape(V, 3, -1).transpose(1, 0, 2)]
    kernels += [layer.get_weights()[0] for layer in encoder.convolutions]
    biases = [0.0] + [layer.get_weights()[1] for layer in encoder.convolutions]
    for kernel, bias in zip(kernels, biases, strict=True):
        x = np.pad(x, ((0, 0), (1, 0), (0, 0)))
        windows = [x[:, start : start + 3] for start in range(0, x.shape[1] - 2, 2)]
        x = np.stack([np.einsum("btc,tcd->bd", w, kernel) for w in windows], axis=1)
        x = np.maximum((x + bias) / np.sqrt(1 + 1e-4), 0.0)
    return x.reshape(len(x), -1)


@pytest.mark.parametrize(
    ("length", "channels", "padded"),
    [(8, (3, 4), 8), (7, (3, 4), 8), (5, (2,), 6), (5, (3, 4, 2), 8), (1, (2,), 2)],
)
def test_features_are_strided_convolutions_of_one_hot_ids(length, channels, padded):
    encoder = ConvolutionalEncoder(V, length, channels)
    ids = np.random.default_rng(0).integers(1, V, (2, 1 + length)).astype("int32")
    ids[1, 1 + length // 2 :] = PAD
    features = encoder(ids)
    beside = np.pad(ids[:, 1:], ((0, 0), (0, padded - length)))
    assert encoder.padded_length == padded
    assert features.shape == (2, padded // 2 ** len(channels) * channels[-1])
    np.testing.assert_allclose(features, numpy_encoder(encoder, beside), atol=1e-5)


def test_ids_beyond_the_length_are_not_seen():
    encoder = ConvolutionalEncoder(V, 5, (3,))
    ids = sentences([9])
    np.testing.assert_array_equal(encoder(ids), encoder(ids[:, :6]))


def test_one_initializer_draws_other_numbers_for_each_weight():
    encoder = ConvolutionalEncoder(
        V, 8, (3, 3, 3), keras.initializers.RandomUniform(-1, 1)
    )
    encoder.build((None, None))
    first, second = (layer.get_weights()[0] for layer in encoder.convolutions)
    assert np.abs(first - second).max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((V, 0), "`length` must be positive. Received: length=0"),
        ((V, 4, ()), "`channels` needs at least one layer. Received: channels="),
    ],
)
def test_sizes_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        ConvolutionalEncoder(*arguments)


@pytest.mark.parametrize(("pooling", "pool"), [("mean", np.mean), ("max", np.max)])
def test_outputs_of_a_sentence_are_pooled_without_its_padding(pooling, pool):
    lengths = [3, 6, 1]
    ids = sentences(lengths, width=12)
    encoder = LSTMEncoder(V, 4, 5, pooling=pooling)
    encoder(ids)
    outputs = encoder.lstm.recur(encoder.lstm.project(encoder.text(ids)))
    rows = zip(np.asarray(outputs), lengths, strict=True)
    expected = [pool(row[: length + 2], axis=0) for row, length in rows]
    np.testing.assert_allclose(encoder(ids), expected, atol=1e-6)


def test_words_are_hidden_from_the_encoder_in_training_alone():
    ids = sentences([8] * 500)
    encoder = LSTMEncoder(V, 4, 5, keep_rate=0.6)
    plain = LSTMEncoder(V, 4, 5)
    plain(ids), encoder(ids)
    plain.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(encoder(ids), plain(ids))
    seen = []
    embedding = plain.text.embedding
    encoder.text.embedding = lambda ids: seen.append(np.asarray(ids)) or embedding(ids)
    encoder(np.pad(ids, ((0, 0), (0, 3))), training=True)
    (hidden,) = seen  # [T, B]
    words = hidden.T[:, 1:9]
    assert np.mean(words == UNK) == pytest.approx(0.4, abs=0.03)
    np.testing.assert_array_equal(words[words != UNK], ids[:, 1:9][words != UNK])
    assert np.all(hidden.T[:, 10:] == PAD)


@pytest.mark.parametrize(
    ("argument", "message"),
    [({"pooling": "sum"}, "last, mean, max"), ({"keep_rate": 0.0}, r"\(0, 1\]")],
)
def test_poolings_and_keep_rates_are_checked(argument, message):
    with pytest.raises(ValueError, match=message):
        LSTMEncoder(V, 4, 5, **argument)
