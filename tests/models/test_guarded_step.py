"""The training step against gradients computed by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.objectives import Objective
from keras_textvae.tokens import BOS, EOS, FIRST_WORD

V = 12
# Ids repeat, within a sentence and between sentences.
IDS = np.random.default_rng(0).integers(FIRST_WORD, V, (9, 7)).astype("int32")
IDS[:, 0], IDS[:, -1] = BOS, EOS


def hybrid(alpha=0.2):
    return zoo.hybrid_vae(
        V,
        6,
        2,
        units=6,
        channels=(4, 6),
        features=5,
        objective=Objective(alpha=alpha),
    )


def compiled(model, eagerly=True):
    """The graph takes seconds to trace; most of these tests need none."""
    keras.utils.set_random_seed(0)
    model(IDS)
    optimizer = keras.optimizers.Adam(0.01, global_clipnorm=0.01)
    model.compile(optimizer, run_eagerly=eagerly)
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.fixture
def lstm_model():
    return compiled(zoo.lstm_vae(V, 4, 6, 2))


@pytest.fixture(scope="module")
def hybrid_model():
    return compiled(hybrid(), eagerly=False)


@pytest.fixture
def mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


def step(model):
    return model.train_on_batch(IDS, return_dict=True)


def values(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def state(model):
    return values([*model.weights, *model.optimizer.variables])


def norms_by_hand(model):
    """The gradients' global norm, summed by id and with an id's slices apart."""
    noise = model.posterior.noise.state
    start = keras.ops.convert_to_numpy(noise)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=IDS, y_pred=model(IDS, training=True))
    noise.assign(start)
    squares = sliced_squares = 0.0
    variables = model.trainable_variables
    for weight, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        dense = np.zeros(weight.shape)
        if isinstance(gradient, tf.IndexedSlices):
            np.add.at(dense, gradient.indices.numpy(), gradient.values.numpy())
            sliced_squares += np.sum(gradient.values.numpy() ** 2)
        else:
            dense[...] = gradient
            sliced_squares += np.sum(dense**2)
        squares += np.sum(dense**2)
    return np.sqrt(squares), np.sqrt(sliced_squares)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


class Poison:
    """Puts a NaN into a weight for as long as the block lasts."""

    def __init__(self, weight):
        self.weight = weight

    def __enter__(self):
        self.value = keras.ops.convert_to_numpy(self.weight)
        self.weight.assign(np.full(self.weight.shape, np.nan))

    def __exit__(self, *_):
        self.weight.assign(self.value)


def test_the_norm_is_that_of_the_gradients_before_clipping(lstm_model):
    expected, of_slices = norms_by_hand(lstm_model)
    assert of_slices != pytest.approx(expected, rel=1e-3)
    found = step(lstm_model)["gradient_norm"]
    assert found == pytest.approx(expected, rel=1e-5)
    assert found > 0.01


def test_a_finite_step_changes_weights_and_is_not_counted(hybrid_model):
    before = state(hybrid_model)
    assert step(hybrid_model)["skipped_steps"] == 0.0
    assert not all(map(np.array_equal, state(hybrid_model), before))


def test_a_step_with_nan_gradients_changes_nothing_and_is_counted(hybrid_model):
    iterations = int(hybrid_model.optimizer.iterations)
    # What flows through the normalisations is not finite either.
    with Poison(hybrid_model.decoder.deconvolution.convolutions[0].bias):
        before = state(hybrid_model)
        figures = step(hybrid_model)
        assert_same(state(hybrid_model), before)
    assert figures["skipped_steps"] == 1.0
    assert int(hybrid_model.optimizer.iterations) == iterations
    assert np.isfinite(step(hybrid_model)["loss"])


def test_skipped_steps_do_not_count_into_the_mean_norm(lstm_model):
    poison = Poison(lstm_model.decoder.logits.projection.bias)
    expected = []

    class Cure(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                poison.__exit__()
                expected.append(norms_by_hand(self.model)[0])

    with poison:
        twice = np.concatenate([IDS, IDS])
        options = {"batch_size": len(IDS), "shuffle": False, "verbose": 0}
        history = lstm_model.fit(twice, callbacks=[Cure()], **options).history
    assert history["skipped_steps"] == [1.0]
    assert history["gradient_norm"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.usefixtures("mixed_float16")
def test_mixed_float16_scales_the_loss_but_not_the_norm():
    model = compiled(zoo.lstm_vae(V, 4, 6, 2))
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    expected, _ = norms_by_hand(model)
    before = values(model.trainable_variables)
    figures = step(model)
    assert figures["gradient_norm"] == pytest.approx(expected, rel=1e-2)
    assert figures["skipped_steps"] == 0.0
    assert not all(map(np.array_equal, values(model.trainable_variables), before))
    scale = float(model.optimizer.dynamic_scale)
    with Poison(model.decoder.logits.projection.bias):
        before = values(model.weights)
        assert step(model)["skipped_steps"] == 1.0
        assert_same(values(model.weights), before)
    assert float(model.optimizer.dynamic_scale) == scale / 2
    assert int(model.optimizer.iterations) == 1


def test_a_compiled_update_is_the_eager_one():
    models = [compiled(zoo.lstm_vae(V, 4, 6, 2), eagerly) for eagerly in (True, False)]
    start = models[0].get_weights()
    for model in models:
        model.set_weights(start)
        model.posterior.noise.state.assign(np.zeros(2))
        figures = [step(model) for _ in range(3)]
        assert figures[-1]["skipped_steps"] == 0.0
    for eager, graph in zip(*map(state, models), strict=True):
        np.testing.assert_allclose(eager, graph, rtol=1e-4, atol=1e-6)


def test_evaluation_does_not_report_what_belongs_to_training(lstm_model):
    figures = lstm_model.evaluate(IDS, verbose=0, return_dict=True)
    assert set(figures) == {"loss", "objective", "reconstruction", "kl", "tokens"}


def test_a_weight_that_the_loss_ignores_gets_no_update():
    model = compiled(hybrid(alpha=0.0))
    unused = model.decoder.historyless_logits.projection.kernel
    before = values([unused])
    assert step(model)["skipped_steps"] == 0.0
    assert_same(values([unused]), before)


def test_a_model_that_was_never_called_trains():
    model = hybrid()
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    history = model.fit(IDS, batch_size=4, epochs=1, verbose=0).history
    assert history["skipped_steps"] == [0.0]
    assert np.all(np.isfinite(history["gradient_norm"]))
    assert np.any(model.encoder.norms[0].moving_mean.value)
