"""What every posterior family promises, over every family.

B: batch size. H: feature size. D: latent size.
"""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import posteriors, zoo
from keras_textvae.posteriors import (
    BatchNormalizedGaussian,
    Deterministic,
    DiagonalGaussian,
    MultiStep,
    NormalizingFlow,
)
from keras_textvae.zoo import named_posteriors

B, H, D = 3, 5, 4

BUILDERS = {
    "gaussian": DiagonalGaussian,
    "softplus": lambda size, **kw: DiagonalGaussian(size, variance="softplus", **kw),
    "batch-normalized": BatchNormalizedGaussian,
    "deterministic": Deterministic,
    "planar": lambda size, **kw: NormalizingFlow(size, 3, "planar", **kw),
    "autoregressive": lambda size, **kw: NormalizingFlow(
        size, 3, "autoregressive", **kw
    ),
    "multi-step": lambda size, **kw: MultiStep(size, units=6, **kw),
    "multi-step, pairs": lambda size, **kw: MultiStep(size, size // 2 or 1, 6, **kw),
}
CLOSED_FORMS = "gaussian", "softplus", "batch-normalized"


@pytest.fixture(params=BUILDERS)
def builder(request):
    return BUILDERS[request.param]


@pytest.fixture
def posterior(builder):
    return trained(builder)


@pytest.fixture(params=[name for name in BUILDERS if name != "deterministic"])
def density(request):
    """The name of a family whose z has a density."""
    return request.param


def trained(builder, size=D, **kwargs):
    """Returns a layer whose weights have moved; the gates of flows are still open."""
    layer = builder(size, initializer="zeros", **kwargs)
    layer.build((None, H))
    rng = np.random.default_rng(3)
    for weight in layer.trainable_weights:
        weight.assign(weight + rng.normal(size=weight.shape, scale=0.4))
    return layer


def features(rows=B, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, H)).astype("float32")


def noise(rows=B, size=D, seed=2):
    return np.random.default_rng(seed).normal(size=(rows, size)).astype("float32")


def samples(name, rows, size=D):
    """Outputs for so many samples of one q(z|x)."""
    one = np.repeat(features(1), rows, axis=0)
    return trained(BUILDERS[name], size).draw(one, noise(rows, size))


def test_shapes_and_the_noise_that_a_call_draws(posterior):
    outputs = posterior(features())
    shapes = {name: tuple(tensor.shape) for name, tensor in outputs.items()}
    estimated = isinstance(posterior, NormalizingFlow)
    expected = {"z": (B, D), "mean": (B, D), "kl": (B,) if estimated else (B, D)}
    if not isinstance(posterior, Deterministic):
        expected["log_ratio"] = (B,)
    if isinstance(posterior, DiagonalGaussian):
        expected["log_var"] = (B, D)
    assert shapes == expected
    if isinstance(posterior, Deterministic):
        return
    assert np.abs(posterior(features())["z"] - outputs["z"]).min() > 0
    for _ in range(2):
        posterior.noise.state.assign([7, 0])
        seeded = posterior(features())["z"]
        posterior.noise.state.assign([7, 0])
        np.testing.assert_array_equal(posterior(features())["z"], seeded)


def test_the_same_noise_gives_the_same_sample(posterior):
    first, second = (posterior.draw(features(), noise()) for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_the_mode_is_drawn_without_noise_and_reported_as_the_mean(posterior):
    mode = posterior.mode(features())
    drawn = posterior.draw(features(), np.zeros((B, D), "float32"))
    np.testing.assert_allclose(mode, drawn["z"], atol=1e-6)
    np.testing.assert_array_equal(mode, posterior.draw(features(), noise())["mean"])


def test_rows_never_couple(posterior):
    outputs = posterior.draw(features(), noise())
    x, e = features(seed=8), noise(seed=9)
    x[1], e[1] = features()[1], noise()[1]
    others = posterior.draw(x, e)
    alone = posterior.draw(x[1:2], e[1:2])
    for name in outputs:
        np.testing.assert_allclose(others[name][1], outputs[name][1], atol=1e-5)
        np.testing.assert_allclose(alone[name][0], outputs[name][1], atol=1e-5)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_answers_in_float32_and_close_to_it(builder, policy):
    layer, exact = trained(builder, dtype=policy), trained(builder)
    expected = exact.draw(features(), noise())
    for name, tensor in layer.draw(features(), noise()).items():
        assert tensor.dtype == tf.float32
        np.testing.assert_allclose(tensor, expected[name], atol=0.2)
    assert {tensor.dtype for tensor in layer(features()).values()} == {tf.float32}


def test_every_weight_gets_a_gradient(posterior):
    with tf.GradientTape() as tape:
        outputs = posterior.draw(features(), noise())
        loss = tf.reduce_sum(tf.sin(outputs["z"])) + tf.reduce_sum(outputs["kl"])
    gradients = tape.gradient(loss, posterior.trainable_variables)
    for weight, gradient in zip(posterior.trainable_variables, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.abs(gradient).max() > 0, weight.path


@pytest.mark.parametrize("scale", [1e3, 1e6])
def test_extreme_features_stay_finite_in_value_and_gradient(posterior, scale):
    with tf.GradientTape() as tape:
        outputs = posterior.draw(scale * features(), noise())
        loss = tf.reduce_sum(outputs["z"]) + tf.reduce_sum(outputs["kl"])
    gradients = tape.gradient(loss, posterior.trainable_variables)
    for tensor in [*outputs.values(), *gradients]:
        assert np.isfinite(tensor).all()


def test_unknown_batch_in_a_graph_and_no_rows(posterior):
    specs = [tf.TensorSpec([None, H]), tf.TensorSpec([None, D])]
    draw = tf.function(posterior.draw, input_signature=specs)
    for rows in (B, 1, 0):
        expected = posterior.draw(features(rows), noise(rows))
        for name, tensor in draw(features(rows), noise(rows)).items():
            assert tensor.shape[0] == rows
            np.testing.assert_allclose(tensor, expected[name], atol=1e-5)
    call = tf.function(lambda x: posterior(x), input_signature=specs[:1])
    assert call(features())["z"].shape == (B, D)
    assert call(features(0))["z"].shape == (0, D)


def test_configuration_round_trip(builder):
    layer = trained(builder)
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    copy.set_weights(layer.get_weights())
    assert copy.get_config() == layer.get_config()
    expected = layer.draw(features(), noise())
    for name, tensor in copy.draw(features(), noise()).items():
        np.testing.assert_array_equal(tensor, expected[name])


def test_one_initializer_draws_other_numbers_for_each_weight(builder):
    layer = builder(D, initializer=keras.initializers.RandomUniform(-1, 1))
    layer.build((None, H))
    # The gates of flows have a bias of their own, of zeros and twos.
    kernels = [w for w in layer.get_weights() if not np.isin(w, (0, 1, 2)).all()]
    assert len({kernel.ravel()[0] for kernel in kernels}) == len(kernels)
    assert max(np.abs(kernel).max() for kernel in kernels) <= 1.0


def test_log_ratios_average_to_the_kl(density):
    outputs = samples(density, 20_000)
    ratio = outputs["log_ratio"].numpy().astype("float64")
    kl = posteriors.total_kl(outputs["kl"]).numpy().astype("float64")
    if density in CLOSED_FORMS:
        assert np.ptp(kl) < 1e-5 * kl[0]
    error = np.std(ratio - kl) / np.sqrt(len(ratio))
    assert abs(np.mean(ratio - kl)) <= 4 * error
    assert error < 0.02 * np.mean(kl)  # or the comparison says nothing


def test_the_density_of_samples_is_normalised(density):
    """E_q[r(z) / q(z)] = 1; r is a Gaussian in the midst of the samples."""
    outputs = samples(density, 20_000)
    z = outputs["z"].numpy().astype("float64")
    log_q = outputs["log_ratio"] + log_normal(z, np.zeros(D), np.eye(D))
    log_r = log_normal(z, z.mean(axis=0), np.cov(z.T) / 2)
    weights = np.exp(log_r - log_q)
    error = np.std(weights) / np.sqrt(len(weights))
    assert abs(np.mean(weights) - 1) < 4 * error
    assert error < 0.02


def log_normal(z, mean, covariance):
    deviation = np.sum((z - mean) @ np.linalg.inv(covariance) * (z - mean), axis=-1)
    return -0.5 * (deviation + np.linalg.slogdet(2 * np.pi * covariance)[1])


@pytest.mark.parametrize("size", [1, 2])
def test_log_ratio_is_of_the_density_that_samples_have(density, size):
    """q is the noise's density over how much z moves with it, on a grid of noise."""
    axis = np.linspace(-5, 5, 401 if size == 1 else 161).astype("float32")
    grid = np.stack(np.meshgrid(*[axis] * size, indexing="ij"), axis=-1)
    e = grid.reshape(-1, size)
    layer = trained(BUILDERS[density], size)
    outputs = layer.draw(np.repeat(features(1), len(e), axis=0), e)
    z = outputs["z"].numpy().astype("float64").reshape(grid.shape)
    slopes = [np.gradient(z, axis, axis=k) for k in range(size)]
    volume = np.abs(np.linalg.det(np.stack(slopes, axis=-1)))
    normal = functools.partial(log_normal, mean=np.zeros(size), covariance=np.eye(size))
    log_q = normal(grid) - np.log(volume)
    expected = log_q - normal(z)
    inner = (slice(2, -2),) * size
    ratio = outputs["log_ratio"].numpy().reshape(expected.shape)
    np.testing.assert_allclose(ratio[inner], expected[inner], atol=0.05)
    # The KL divergence, as an integral over z.
    cells = volume * (axis[1] - axis[0]) ** size
    integral = np.sum(np.exp(log_q) * expected * cells)
    drawn = samples(density, 20_000, size)["log_ratio"].numpy()
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - integral) < 4 * error + 1e-3


def test_softplus_is_the_variance_itself():
    layer = DiagonalGaussian(2, variance="softplus")
    layer.build((None, H))
    layer.projection.kernel.assign(np.zeros((H, 4)))
    for raw in (-10.0, -1.0, 0.0, 1.0, 10.0):
        layer.projection.bias.assign([0.0, 0.0, raw, raw])
        variance = np.exp(layer(features())["log_var"])
        np.testing.assert_allclose(variance, np.log1p(np.exp(raw)), rtol=1e-5)


@pytest.mark.parametrize("raw", [-1e6, 1e6])
def test_extreme_softplus_variances_stay_finite_in_value_and_gradient(raw):
    layer = DiagonalGaussian(D, variance="softplus")
    layer.build((None, H))
    layer.projection.bias.assign([0.0] * D + [raw] * D)
    with tf.GradientTape() as tape:
        outputs = layer(features())
        loss = tf.reduce_sum(outputs["kl"]) + tf.reduce_sum(outputs["z"])
    for tensor in [*outputs.values(), *tape.gradient(loss, layer.trainable_variables)]:
        assert np.isfinite(tensor).all()
    bound = posteriors.MAX_LOG_VAR
    assert np.abs(outputs["log_var"]).max() <= bound
    expected = -bound if raw < 0 else np.log(raw)
    np.testing.assert_allclose(outputs["log_var"], expected, rtol=1e-3)


def test_a_variance_is_a_logarithm_or_a_softplus():
    with pytest.raises(ValueError, match="Received: variance='exp'"):
        DiagonalGaussian(D, variance="exp")


@pytest.mark.parametrize("name", named_posteriors.POSTERIORS)
def test_the_lstm_vae_trains_with_each_and_is_restored(name, tmp_path):
    model = zoo.lstm_vae(11, 4, 5, D, initial_range=0.1, highways=1, posterior=name)
    ids = np.array([[1, 5, 6, 2], [1, 7, 2, 0]], "int32")
    model.compile("sgd", run_eagerly=True)
    untrained = model(ids)["mean"]
    assert np.isfinite(model.fit(ids, epochs=1, verbose=0).history["loss"]).all()
    assert np.abs(model.mode(ids) - untrained).max() > 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.mode(ids), model.mode(ids))
    expected = model.infer(ids, noise(2))
    for key, tensor in loaded.infer(ids, noise(2)).items():
        np.testing.assert_array_equal(tensor, expected[key])
    kl = expected["kl"].numpy()
    assert (kl == 0).all() if name == "deterministic" else (kl != 0).all()


def test_an_unknown_posterior_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="Received: posterior='nope'") as error:
        zoo.lstm_vae(11, 4, 5, D, posterior="nope")
    for name in named_posteriors.POSTERIORS:
        assert name in str(error.value)
