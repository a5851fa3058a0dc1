"""The batch-normalised mean against NumPy, and the least KL that it promises.

B: batch size. H: feature size. D: latent size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.models import TextVAE
from keras_textvae.posteriors import (
    BatchNormalizedGaussian,
    DiagonalGaussian,
    total_kl,
)
from keras_textvae.tokens import BOS, EOS

B, H, D, SCALE = 16, 5, 4, 0.7


def features(seed=0, rows=B):
    return np.random.default_rng(seed).normal(size=(rows, H)).astype("float32")


def posterior(spread=1.0):
    """A layer with random weights, whose projection varies by about `spread`."""
    layer = BatchNormalizedGaussian(D, scale=SCALE)
    layer.build((None, H))
    rng = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(rng.normal(scale=spread, size=weight.shape))
    return layer


class InTraining(keras.Model):
    """Calls a posterior as a model does in training, or not."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, features, training=False):
        return self.layer(features)


def projected(layer, x):
    """The projection's mean and log-variance, float64."""
    kernel, bias = (np.asarray(w, "float64") for w in layer.projection.weights)
    return np.split(x @ kernel + bias, 2, axis=1)


def test_in_training_the_mean_is_that_of_the_batch():
    layer, x = posterior(), features()
    outputs = InTraining(layer)(x, training=True)
    raw, log_var = projected(layer, x.astype("float64"))
    shift = np.asarray(layer.shift)
    mean = SCALE * (raw - raw.mean(0)) / np.sqrt(raw.var(0) + 1e-10) + shift
    np.testing.assert_allclose(outputs["mean"], mean, rtol=1e-4, atol=1e-5)
    kl = 0.5 * (np.exp(log_var) - 1 - log_var + mean**2)
    np.testing.assert_allclose(outputs["kl"], kl, rtol=1e-4, atol=1e-5)


def test_outside_training_it_is_a_function_of_the_sentence_alone():
    layer, x = posterior(), features()
    for _ in range(3):
        InTraining(layer)(x, training=True)
    averages = layer.normalization
    raw, _ = projected(layer, x.astype("float64"))
    centred = raw - np.asarray(averages.moving_mean)
    mean = SCALE * centred / np.sqrt(np.asarray(averages.moving_variance) + 1e-10)
    mean += np.asarray(layer.shift)
    np.testing.assert_allclose(layer.mode(x), mean, rtol=1e-4, atol=1e-5)
    for row in (0, 7):
        np.testing.assert_allclose(layer.mode(x[[row]])[0], mean[row], rtol=1e-4)
        drawn = InTraining(layer)(x[[row]], training=False)["mean"]
        np.testing.assert_allclose(drawn[0], mean[row], rtol=1e-4)


@pytest.mark.parametrize("spread", [1e-4, 1.0, 100.0])
def test_the_kl_of_a_batch_is_never_less_than_promised(spread):
    layer = posterior(spread)
    layer.shift.assign(np.zeros(D))
    kernel, bias = layer.projection.weights
    # The variance of the prior, which costs nothing: only the mean has a KL.
    kernel.assign(np.asarray(kernel) * np.repeat([1.0, 0.0], D))
    bias.assign(np.zeros(2 * D))
    outputs = InTraining(layer)(features(seed=2), training=True)
    kl = float(np.mean(np.sum(outputs["kl"], axis=1)))
    assert layer.least_kl == pytest.approx(D * 0.49 / 2)
    assert kl == pytest.approx(layer.least_kl, rel=1e-2)


def test_training_for_no_kl_leaves_it_where_another_posterior_loses_it():
    """Of features that differ as little as those of an untrained encoder."""
    x = 1e-3 * features(seed=3, rows=64)
    kl = {}
    for kind in (DiagonalGaussian, BatchNormalizedGaussian):
        keras.utils.set_random_seed(0)
        layer = kind(D)
        model, optimizer = InTraining(layer), keras.optimizers.Adam(0.05)
        layer.build((None, H))
        layer.projection.bias.assign(np.ones(2 * D))
        for _ in range(150):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(total_kl(model(x, training=True)["kl"]))
            weights = layer.trainable_variables
            optimizer.apply(tape.gradient(loss, weights), weights)
        kl[kind] = float(loss)
    assert kl[DiagonalGaussian] < 0.1 * layer.least_kl
    assert kl[BatchNormalizedGaussian] > 0.99 * layer.least_kl


@pytest.mark.parametrize(
    "make", [zoo.hybrid_vae, zoo.bytenet_vae, zoo.feedforward_vae, zoo.bag_of_words_vae]
)
def test_every_architecture_takes_it(make, tmp_path):
    sizes = (9, 6, 8, D) if make is zoo.bag_of_words_vae else (9, 6, D)
    model = make(*sizes, posterior="batch_normalized", mean_scale=0.5)
    assert isinstance(model, TextVAE) and model.posterior.scale == 0.5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    ids = np.array([[BOS, 5, 6, EOS]], "int32")
    np.testing.assert_array_equal(loaded.mode(ids), model.mode(ids))


def test_a_scale_is_positive_and_belongs_to_it():
    with pytest.raises(ValueError, match="`scale` must be positive. Received: scale=0"):
        BatchNormalizedGaussian(D, scale=0.0)
    with pytest.raises(ValueError, match="needs posterior='batch_normalized'"):
        zoo.lstm_vae(9, 4, 4, D, mean_scale=0.5)
