"""The semi-supervised objective against NumPy, from the model's own outputs."""

import keras
import numpy as np
import pytest

from keras_textvae.decoders import BagOfWordsDecoder, LSTMDecoder
from keras_textvae.encoders import LSTMEncoder
from keras_textvae.losses import sentence_nll
from keras_textvae.models import SemiSupervisedTextVAE
from keras_textvae.posteriors import DiagonalGaussian
from keras_textvae.tokens import BOS, EOS, PAD

V, H, D = 11, 6, 3
IDS = np.array(
    [[BOS, 4, 5, 6, EOS], [BOS, 7, 8, EOS, PAD], [BOS, 9, EOS, PAD, PAD]], "int32"
)
NUMBERS = np.array([1, -1, 0], "int32")
DECODERS = {
    "lstm": lambda: LSTMDecoder(V, 4, H),
    "bag of words": lambda: BagOfWordsDecoder(V),
}


def build(decoder="lstm", **kwargs):
    model = SemiSupervisedTextVAE(
        LSTMEncoder(V, 4, H),
        DiagonalGaussian(D),
        DECODERS[decoder](),
        keras.layers.Dense(3),
        ("a", "b", "c"),
        **kwargs,
    )
    return model


def cross_entropy(outputs, numbers):
    logits = np.asarray(outputs["label_logits"], "float64")
    log_p = logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    rows = np.flatnonzero(numbers >= 0)
    return -np.mean(log_p[rows, numbers[rows]])


@pytest.mark.parametrize("decoder", DECODERS)
def test_the_loss_is_the_bound_of_all_and_the_labels_of_some(decoder):
    model = build(decoder, label_weight=2.0, vae_weight=0.5)
    model.kl_weight.assign(0.25)
    outputs = model(IDS, training=True)
    nll = np.asarray(sentence_nll(IDS[:, 1:], outputs["logits"]))
    vae = np.mean(nll + 0.25 * np.sum(outputs["kl"], axis=1))
    expected = 0.5 * vae + 2.0 * cross_entropy(outputs, NUMBERS)
    found = model.compute_loss(IDS, NUMBERS, outputs, training=True)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(model.label_loss_tracker.result()) == pytest.approx(
        cross_entropy(outputs, NUMBERS), rel=1e-5
    )


def test_penalties_of_weights_belong_to_the_labels_part():
    model = build(label_weight=2.0, vae_weight=0.5)
    outputs = model(IDS)
    without = float(model.compute_loss(IDS, NUMBERS, outputs))
    kernel = model.head.kernel
    kernel.regularizer = keras.regularizers.L2(0.1)
    expected = without + 2.0 * 0.1 * np.sum(np.square(kernel.numpy()))
    assert float(model.compute_loss(IDS, NUMBERS, outputs)) == pytest.approx(expected)


def test_a_batch_without_labels_trains_the_autoencoder_alone():
    model = build()
    outputs = model(IDS)
    none = np.full(3, -1, "int32")
    with_none = model.compute_loss(IDS, none, outputs, training=True)
    without = model.compute_loss(IDS, None, outputs, training=True)
    assert float(with_none) == pytest.approx(float(without), rel=1e-6)
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    head = [weight.numpy() for weight in model.head.trainable_variables]
    model.train_on_batch(IDS, none)
    for weight, before in zip(model.head.trainable_variables, head, strict=True):
        np.testing.assert_array_equal(weight, before)


def test_it_learns_labels_and_text_in_one_fit():
    model = build()
    model.compile(keras.optimizers.Adam(0.05))
    history = model.fit(IDS, NUMBERS, epochs=40, verbose=0).history
    assert history["accuracy"][-1] == 1.0
    assert history["label_loss"][-1] < 0.1 * history["label_loss"][0]
    assert history["reconstruction"][-1] < history["reconstruction"][0]
    np.testing.assert_array_equal(np.argmax(model.classify(IDS), -1)[[0, 2]], [1, 0])


def test_it_is_saved_whole(tmp_path):
    model = build(label_weight=2.0, features="mean")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert (again.label_weight, again.features) == (2.0, "mean")
    assert tuple(again.labels) == ("a", "b", "c")
    np.testing.assert_array_equal(again.classify(IDS), model.classify(IDS))


@pytest.mark.parametrize("weights", [{"label_weight": 0.0}, {"vae_weight": -1.0}])
def test_weights_are_checked(weights):
    with pytest.raises(ValueError, match="label_weight"):
        build(**weights)
