"""The objective against NumPy, from the model's own outputs.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.decoders import LSTMDecoder
from keras_textvae.encoders import LSTMEncoder
from keras_textvae.models import TextVAE
from keras_textvae.objectives import Objective, Rule
from keras_textvae.posteriors import DiagonalGaussian
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD

V = 13
LENGTH = 8
ALPHA, BETA = 0.25, 0.5


def lstm():
    return zoo.lstm_vae(V, 6, 8, 3, keep_rate=0.5, z_every_step=True, dropout=0.3)


def beta():
    return zoo.lstm_vae(V, 6, 8, 3, keep_rate=0.5, objective=Objective(beta=BETA))


def hybrid():
    return zoo.hybrid_vae(
        V,
        LENGTH,
        3,
        units=8,
        channels=(6, 8),
        features=5,
        keep_rate=0.5,
        objective=Objective(alpha=ALPHA),
    )


@pytest.fixture(scope="module", params=[lstm, beta, hybrid])
def model(request):
    keras.utils.set_random_seed(1)
    model = request.param()
    model(sentences(2))
    # Far from the prior, so that each part of the loss is seen.
    projection = model.posterior.projection
    projection.bias.assign(keras.random.normal(projection.bias.shape, seed=1))
    return model


def sentences(count, seed=0):
    """Ids [B, T] of sentences of every length up to the longest."""
    rng = np.random.default_rng(seed)
    ids = np.full((count, LENGTH + 1), PAD, "int32")
    ids[:, 0] = BOS
    for row, words in enumerate(rng.integers(1, LENGTH, count)):
        ids[row, 1 : words + 1] = rng.integers(FIRST_WORD, V, words)
        ids[row, words + 1] = EOS
    return ids


def nll(ids, logits):
    """Nats per sentence [B], in float64."""
    logits = np.asarray(logits, "float64")
    log_probs = logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    targets = ids[:, 1:]
    picked = np.take_along_axis(log_probs, targets[:, :, None], axis=-1)[:, :, 0]
    return -np.sum(picked * (targets != PAD), axis=-1)


def kl(outputs):
    """KL(N(mean, exp(log_var)) || N(0, I)) [B], in float64."""
    mean, log_var = (np.asarray(outputs[n], "float64") for n in ("mean", "log_var"))
    return 0.5 * np.sum(np.exp(log_var) + mean**2 - 1.0 - log_var, axis=-1)


def compute_loss(model, ids, outputs, training):
    return float(model.compute_loss(x=ids, y_pred=outputs, training=training))


def test_the_training_loss_weighs_its_parts(model):
    ids = sentences(11)
    model.kl_weight.assign(0.3)
    outputs = model(ids, training=True)
    weight = 0.3 * model.objective.beta
    parts = nll(ids, outputs["logits"]) + weight * kl(outputs)
    if model.objective.alpha:
        parts += ALPHA * nll(ids, outputs["auxiliary_logits"])
    found = compute_loss(model, ids, outputs, training=True)
    np.testing.assert_allclose(found, np.mean(parts), rtol=1e-5)


@pytest.mark.parametrize("kl_weight", [0.0, 0.3, 1.0])
def test_the_evaluation_loss_is_the_bound(model, kl_weight):
    ids = sentences(11)
    model.kl_weight.assign(kl_weight)
    outputs = model(ids, training=False)
    bound = np.mean(nll(ids, outputs["logits"]) + kl(outputs))
    found = compute_loss(model, ids, outputs, training=False)
    np.testing.assert_allclose(found, bound, rtol=1e-5)


def test_metrics_are_means_over_sentences_not_over_batches(model):
    ids = sentences(13)
    batches = [ids[:8], ids[8:]]
    noise = model.posterior.noise.state
    start = keras.ops.convert_to_numpy(noise)
    model.compile(run_eagerly=True)
    found = model.evaluate(ids, batch_size=8, verbose=0, return_dict=True)
    noise.assign(start)
    outputs = [model(batch, training=False) for batch in batches]
    pairs = list(zip(batches, outputs, strict=True))
    expected = {
        "reconstruction": np.concatenate([nll(i, o["logits"]) for i, o in pairs]),
        "kl": np.concatenate([kl(o) for o in outputs]),
    }
    expected["loss"] = expected["reconstruction"] + expected["kl"]
    weighted = model.objective.beta * expected["kl"]
    expected["objective"] = expected["reconstruction"] + weighted
    if model.objective.alpha:
        parts = [nll(i, o["auxiliary_logits"]) for i, o in pairs]
        expected["auxiliary"] = np.concatenate(parts)
    tokens = found.pop("tokens")
    assert tokens == np.float32(np.sum(ids[:, 1:] != PAD) / 13)
    assert found == pytest.approx({k: np.mean(v) for k, v in expected.items()}, 1e-5)


def test_evaluation_samples_z_but_drops_no_words(model):
    ids = sentences(5)
    choice = model.decoder.history.word_dropout.choice.state
    state = keras.ops.convert_to_numpy(choice)
    first, second = (model(ids, training=False) for _ in range(2))
    assert not np.array_equal(first["z"], second["z"])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(choice), state)


def test_gradients_reach_every_trainable_weight(model):
    ids = sentences(16)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=ids, y_pred=model(ids, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    for weight, gradient in zip(model.trainable_variables, gradients, strict=True):
        assert gradient is not None, weight.path
        assert np.any(tf.convert_to_tensor(gradient)), weight.path


def test_the_kl_weight_is_a_weight_that_no_gradient_moves(model):
    names = [weight.name for weight in model.non_trainable_weights]
    assert "kl_weight" in names


def test_padding_a_batch_further_does_not_change_the_bound(model):
    ids = sentences(6)[:, :-2]
    ids = ids[np.any(ids == EOS, axis=1)]
    noise = model.posterior.noise.state
    start = keras.ops.convert_to_numpy(noise)
    losses = []
    for width in (0, 2):
        noise.assign(start)
        padded = np.pad(ids, ((0, 0), (0, width)))
        losses.append(compute_loss(model, padded, model(padded), training=False))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def parts():
    return LSTMEncoder(V, 4, 4), DiagonalGaussian(2), LSTMDecoder(V, 4, 4)


def test_without_an_objective_it_is_trained_for_the_bound():
    assert TextVAE(*parts()).objective.get_config() == Objective().get_config()


def test_an_auxiliary_loss_needs_a_decoder_that_has_one():
    with pytest.raises(ValueError, match="gives no auxiliary_logits.*alpha=0.5"):
        TextVAE(*parts(), Objective(alpha=0.5))


@keras.saving.register_keras_serializable("test_text_vae")
class Capped(Rule):
    """A rule that counts no dimension for more than `most` nats."""

    def __init__(self, most):
        self.most = most

    def __call__(self, kl):
        return keras.ops.sum(keras.ops.minimum(kl, self.most), axis=-1)

    def get_config(self):
        return {"most": self.most}


def test_a_model_is_saved_with_its_objective(tmp_path):
    model, ids = TextVAE(*parts(), Objective(0.5, Capped(0.25))), sentences(7)
    outputs = model(ids)
    model.posterior.projection.bias.assign([1.0, 0.1, 0.0, 0.0])
    model.kl_weight.assign(0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.objective.get_config() == model.objective.get_config()
    outputs = model(ids, training=False)
    found = compute_loss(loaded, ids, outputs, training=True)
    assert found == compute_loss(model, ids, outputs, training=True)
    mean, log_var = (np.asarray(outputs[n], "float64") for n in ("mean", "log_var"))
    capped = np.minimum(0.25, (np.exp(log_var) + mean**2 - 1.0 - log_var) / 2)
    assert capped.max() == 0.25 > capped.min()
    expected = nll(ids, outputs["logits"]) + 0.25 * np.sum(capped, axis=-1)
    assert found == pytest.approx(np.mean(expected), rel=1e-5)


def test_a_part_of_a_class_that_keras_does_not_know_is_made_again():
    class OwnEncoder(LSTMEncoder):
        pass

    encoder, decoder = OwnEncoder(V, 6, 8), LSTMDecoder(V, 6, 8)
    config = TextVAE(encoder, DiagonalGaussian(3), decoder).get_config()
    model = TextVAE.from_config(config, {"OwnEncoder": OwnEncoder})
    assert type(model.encoder) is OwnEncoder
