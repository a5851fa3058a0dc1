"""The classifier: what its head reads, what it learns, what it refuses.

B: batch size. C: labels.
"""

import keras
import numpy as np
import pytest

from keras_textvae.encoders import ConvolutionalEncoder, LSTMEncoder
from keras_textvae.models import TextClassifier
from keras_textvae.posteriors import DiagonalGaussian
from keras_textvae.tokens import BOS, EOS, PAD

V, H, D = 11, 6, 3
IDS = np.array(
    [[BOS, 4, 5, 6, EOS], [BOS, 7, 8, EOS, PAD], [BOS, 9, EOS, PAD, PAD]], "int32"
)
NUMBERS = np.array([0, 1, 1], "int32")


def build(features="both", head=None, **kwargs):
    model = TextClassifier(
        LSTMEncoder(V, 4, H),
        head or keras.layers.Dense(2),
        ["no", "yes"],
        DiagonalGaussian(D),
        features,
        **kwargs,
    )
    model(IDS)
    return model


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


@pytest.mark.parametrize("features", ["encoder", "mean", "both"])
def test_the_head_reads_what_was_asked(features):
    model = build(features)
    encoded = np.asarray(model.encoder(IDS))
    mean = np.asarray(model.posterior.mode(encoded))
    both = np.concatenate([encoded, mean], axis=-1)
    read = {"encoder": encoded, "mean": mean, "both": both}[features]
    kernel, bias = model.head.get_weights()
    logits = read @ kernel + bias
    np.testing.assert_allclose(model(IDS), logits, atol=1e-6)
    np.testing.assert_allclose(model.classify(IDS), softmax(logits), atol=1e-6)


def test_a_graph_step_is_that_of_the_cross_entropy():
    model = build()
    before = [weight.numpy() for weight in model.trainable_variables]
    logits = np.asarray(model(IDS), "float64")
    expected = -np.mean(np.log(softmax(logits)[np.arange(3), NUMBERS]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    found = model.train_on_batch(IDS, NUMBERS, return_dict=True)
    assert found["loss"] == pytest.approx(expected, rel=1e-5)
    right = np.mean(np.argmax(logits, -1) == NUMBERS)
    assert found["accuracy"] == pytest.approx(right)
    after = [weight.numpy() for weight in model.trainable_variables]
    assert all(np.any(a != b) for a, b in zip(after[-2:], before[-2:], strict=True))


def test_classes_are_weighted_as_by_hand():
    losses = []
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for weights in ({0: 1.0, 1: 0.0}, {0: 0.0, 1: 3.0}):
        model = build()
        expected = np.asarray(softmax(np.asarray(model(IDS), "float64")))
        picked = -np.log(expected[np.arange(3), NUMBERS])
        model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
        history = model.fit(
            IDS, NUMBERS, batch_size=3, class_weight=weights, verbose=0
        ).history
        each = np.array([weights[number] for number in NUMBERS])
        losses.append((history["loss"][0], np.sum(each * picked) / 3))
    for found, wanted in losses:
        assert found == pytest.approx(wanted, rel=1e-5)


def test_weights_of_a_frozen_encoder_are_bit_identical_after_training():
    encoder = ConvolutionalEncoder(V, 4, channels=(4, 6))
    model = TextClassifier(encoder, keras.layers.Dense(2), ["no", "yes"])
    model(IDS)
    encoder(IDS, training=True)  # its averages differ from their first values
    encoder.trainable = False
    before = [value.numpy() for value in encoder.weights]
    head = model.head.get_weights()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.1), loss, run_eagerly=True)
    model.fit(IDS, NUMBERS, epochs=3, verbose=0)
    for value, old in zip(encoder.weights, before, strict=True):
        np.testing.assert_array_equal(value, old)
    assert np.any(model.head.get_weights()[0] != head[0])


@pytest.mark.parametrize("posterior", [True, False])
def test_it_is_saved_with_its_labels(tmp_path, posterior):
    model = TextClassifier(
        LSTMEncoder(V, 4, H, pooling="max", keep_rate=0.5),
        keras.Sequential([keras.layers.Dropout(0.5), keras.layers.Dense(3)]),
        ("a", "b", "c"),
        DiagonalGaussian(D) if posterior else None,
        "both" if posterior else "encoder",
    )
    expected = model(IDS)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert tuple(again.labels) == ("a", "b", "c")
    assert again.latent_dim == (D if posterior else 0)
    np.testing.assert_array_equal(again(IDS), expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": ["one"]}, "two labels"),
        ({"labels": ["one", "one"]}, "two labels"),
        ({"features": "all"}, "encoder, mean, both"),
        ({"posterior": None}, "needs a posterior"),
    ],
)
def test_what_it_is_made_of_is_checked(arguments, message):
    given = {
        "encoder": LSTMEncoder(V, 4, H),
        "head": keras.layers.Dense(2),
        "labels": ["no", "yes"],
        "posterior": DiagonalGaussian(D),
        "features": "mean",
    }
    with pytest.raises(ValueError, match=message):
        TextClassifier(**given | arguments)
