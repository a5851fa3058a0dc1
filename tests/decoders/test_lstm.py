"""The LSTM decoder: that its parts do what its arguments ask.

V: vocabulary size. D: latent size. H: hidden size.
"""

import numpy as np
import pytest

from keras_textvae.decoders import LSTMDecoder

V, D, UNITS = 11, 3, 5
IDS = np.array([[1, 4, 9, 5, 2], [1, 10, 2, 0, 0]], "int32")


def latents(seed=1):
    return np.random.default_rng(seed).normal(size=(2, D)).astype("float32")


def build(embedding_dim=4, **kwargs):
    decoder = LSTMDecoder(V, embedding_dim, UNITS, **kwargs)
    decoder.build((None, None), (None, D))
    return decoder


@pytest.mark.parametrize("every_step", [False, True])
def test_z_enters_later_steps_only_if_asked(every_step):
    decoder = build(z_every_step=every_step)
    # With a constant initial state, z can enter through the steps alone.
    decoder.latent.initial.kernel.assign(np.zeros((D, 2 * UNITS)))
    moved = np.abs(decoder(IDS, latents(1)) - decoder(IDS, latents(2)))
    assert (moved.max() > 1e-4) == every_step


def test_dropout_is_of_training_and_on_outputs_too():
    decoder = build(dropout=0.5)
    z = latents()
    np.testing.assert_array_equal(decoder(IDS, z), decoder(IDS, z))
    # With nothing but zeros for embeddings, only the outputs are left to drop.
    decoder.history.embedding.embeddings.assign(np.zeros((V, 4)))
    trained = decoder(IDS, z, training=True)
    assert np.abs(trained - decoder(IDS, z)).max() > 1e-4


@pytest.mark.parametrize("dropped", ["embeddings", "outputs"])
def test_embeddings_and_outputs_have_rates_of_their_own(dropped):
    rates = {"dropout": 0.5, "output_dropout": 0.0}
    if dropped == "outputs":
        rates = {"dropout": 0.0, "output_dropout": 0.5}
    decoder, z = build(**rates), latents()
    # With zeros for embeddings, there are only outputs to drop.
    decoder.history.embedding.embeddings.assign(np.zeros((V, 4)))
    change = np.abs(decoder(IDS, z, training=True) - decoder(IDS, z)).max()
    assert (change > 1e-4) == (dropped == "outputs")
    decoder.history.embedding.embeddings.assign(np.ones((V, 4)))
    change = np.abs(decoder(IDS, z, training=True) - decoder(IDS, z)).max()
    assert change > 1e-4


def test_a_tied_decoder_projects_by_its_embedding():
    decoder, z = build(embedding_dim=UNITS, tied=True), latents()
    decoder.logits.bias.assign(np.arange(V))
    assert len(decoder.weights) == len(build(embedding_dim=UNITS).weights) - 1
    features, state = decoder.initial_state(z)
    logits, (h, _) = decoder.step(IDS[:, 0], features, state)
    (table,) = decoder.history.embedding.get_weights()
    np.testing.assert_allclose(logits, h @ table.T + np.arange(V), rtol=1e-5)


def test_one_hot_ids_are_an_embedding_that_is_the_identity():
    one_hot, embedded = build(None), build(V + 1)
    z = latents()
    embedded.history.embedding.embeddings.assign(np.eye(V, V + 1))
    names = ("latent", "lstm", "logits")
    for name in names:
        getattr(embedded, name).set_weights(getattr(one_hot, name).get_weights())
    np.testing.assert_allclose(one_hot(IDS, z), embedded(IDS, z), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tied": True, "embedding_dim": None}, "Received: embedding_dim=None"),
        ({"units": 0}, "positive"),
        ({"keep_rate": -0.5}, "`keep_rate` must lie in"),
        ({"vocabulary_size": 0}, "positive"),
    ],
)
def test_arguments_are_checked(changes, message):
    arguments = {"vocabulary_size": V, "embedding_dim": 4, "units": 5}
    with pytest.raises(ValueError, match=message):
        LSTMDecoder(**arguments | changes)


@pytest.mark.parametrize("rate", ["dropout", "recurrent_dropout"])
def test_shared_and_recurrent_dropout_are_of_training_alone(rate):
    kwargs = {"shared_dropout": True, rate: 0.5}
    decoder, plain, z = build(**kwargs), build(), latents()
    plain.set_weights(decoder.get_weights()[: len(plain.weights)])
    np.testing.assert_array_equal(decoder(IDS, z), plain(IDS, z))
    assert np.abs(decoder(IDS, z, training=True) - plain(IDS, z)).max() > 1e-4
    again = LSTMDecoder.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config()
