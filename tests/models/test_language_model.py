"""The language model: its likelihood in NumPy, its training, its decoding."""

import keras
import numpy as np
import pytest

from keras_textvae import zoo
from keras_textvae.evaluation import evaluate_bound
from keras_textvae.generation import generate
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD

V = 13
IDS = np.array(
    [[BOS, 4, 5, 6, EOS], [BOS, 7, 8, EOS, PAD], [BOS, 9, EOS, PAD, PAD]], "int32"
)


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    model = zoo.rnnlm(V, 6, 6, keep_rate=0.5, dropout=0.3, tied=True)
    return model


def nll(model, ids):
    """Nats of one sentence, step by step through the decoder, in float64."""
    features, state = model.decoder.initial_state(np.zeros((1, 0), "float32"))
    total = 0.0
    for before, after in zip(ids[:-1], ids[1:], strict=True):
        logits, state = model.decoder.step(np.array([before], "int32"), features, state)
        logits = np.asarray(logits, "float64")[0]
        total += np.log(np.sum(np.exp(logits))) - logits[after]
        if after == EOS:
            return total


def test_its_loss_is_the_likelihood_of_the_chain_rule(model):
    model.compile(run_eagerly=True)
    found = evaluate_bound(model, IDS)
    expected = np.mean([nll(model, row) for row in IDS])
    assert found.bound == pytest.approx(expected, rel=1e-5)
    assert (found.reconstruction, found.kl, found.tokens) == (found.bound, 0.0, 3.0)


def test_it_learns_and_generates_what_it_learned():
    keras.utils.set_random_seed(1)
    model = zoo.rnnlm(V, 8, 8)
    model.compile(keras.optimizers.Adam(0.05))
    history = model.fit(IDS, epochs=60, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    ids = np.asarray(generate(model.decoder, np.zeros((1, 0), "float32"), 4))
    assert ids[0].tolist() in [[*row[1:]] for row in IDS.tolist()]


def test_without_history_it_knows_positions_alone():
    model = zoo.rnnlm(V, 6, 6, keep_rate=0.0)
    other = np.where(IDS >= FIRST_WORD, FIRST_WORD, IDS)
    np.testing.assert_array_equal(model(IDS)["logits"], model(other)["logits"])


def test_save_and_load(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    copy = keras.saving.load_model(path)
    np.testing.assert_array_equal(copy(IDS)["logits"], model(IDS)["logits"])
