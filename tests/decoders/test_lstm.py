"""How z enters the LSTM decoder.

V: vocabulary size. D: latent size. H: hidden size.
"""

import numpy as np
import pytest

from keras_textvae.decoders import LSTMDecoder
from keras_textvae.tokens import UNK

V, D, UNITS = 11, 3, 5
IDS = np.array([[1, 4, 9, 5, 2], [1, 10, 2, 0, 0]], "int32")


def latents(seed=1):
    return np.random.default_rng(seed).normal(size=(2, D)).astype("float32")


def build(embedding_dim=4, **kwargs):
    decoder = LSTMDecoder(V, embedding_dim, UNITS, **kwargs)
    decoder.build((None, None), (None, D))
    return decoder


def test_the_state_starts_at_a_tanh_of_z():
    decoder, z = build(), latents()
    kernel, _ = decoder.initial.get_weights()
    decoder.initial.bias.assign(np.linspace(-1, 1, 2 * UNITS))
    features, (h, c) = decoder.initial_state(z)
    expected = np.tanh(z @ kernel + np.linspace(-1, 1, 2 * UNITS))
    np.testing.assert_allclose(np.concatenate([h, c], -1), expected, atol=1e-6)
    assert features == ()


@pytest.mark.parametrize("every_step", [False, True])
def test_z_enters_later_steps_only_if_asked(every_step):
    decoder = build(z_every_step=every_step)
    # With a constant initial state, z can enter through the steps alone.
    decoder.initial.kernel.assign(np.zeros((D, 2 * UNITS)))
    moved = np.abs(decoder(IDS, latents(1)) - decoder(IDS, latents(2)))
    assert (moved.max() > 1e-4) == every_step


def test_z_adds_one_vector_to_the_gates_of_every_step():
    decoder, z = build(z_every_step=True), latents()
    features, _ = decoder.initial_state(z)
    kernel = decoder.latent.get_weights()[0]
    np.testing.assert_allclose(features, z @ kernel, atol=1e-6)


def test_dropout_is_of_training_and_on_outputs_too():
    decoder = build(dropout=0.5)
    z = latents()
    np.testing.assert_array_equal(decoder(IDS, z), decoder(IDS, z))
    # With nothing but zeros for embeddings, only the outputs are left to drop.
    decoder.embedding.embeddings.assign(np.zeros((V, 4)))
    trained = decoder(IDS, z, training=True)
    assert np.abs(trained - decoder(IDS, z)).max() > 1e-4


@pytest.mark.parametrize("dropped", ["embeddings", "outputs"])
def test_embeddings_and_outputs_have_rates_of_their_own(dropped):
    rates = {"dropout": 0.5, "output_dropout": 0.0}
    if dropped == "outputs":
        rates = {"dropout": 0.0, "output_dropout": 0.5}
    decoder, z = build(**rates), latents()
    # With zeros for embeddings, there are only outputs to drop.
    decoder.embedding.embeddings.assign(np.zeros((V, 4)))
    change = np.abs(decoder(IDS, z, training=True) - decoder(IDS, z)).max()
    assert (change > 1e-4) == (dropped == "outputs")
    decoder.embedding.embeddings.assign(np.ones((V, 4)))
    change = np.abs(decoder(IDS, z, training=True) - decoder(IDS, z)).max()
    assert change > 1e-4


def test_a_constant_vocabulary_of_logits_has_a_bias_for_each_word():
    decoder = build()
    decoder.output_projection.kernel.assign(np.zeros((UNITS, V)))
    decoder.output_projection.bias.assign(np.arange(V))
    expected = np.broadcast_to(np.arange(V), (2, 5, V))
    np.testing.assert_array_equal(decoder(IDS, latents()), expected)


def test_a_tied_decoder_projects_by_its_embedding():
    decoder, z = build(embedding_dim=UNITS, tied=True), latents()
    decoder.output_bias.assign(np.arange(V))
    names = [weight.name for weight in decoder.weights]
    assert len(names) == len(build(embedding_dim=UNITS).weights) - 1
    features, state = decoder.initial_state(z)
    logits, (h, _) = decoder.step(IDS[:, 0], features, state)
    (table,) = decoder.embedding.get_weights()
    np.testing.assert_allclose(logits, h @ table.T + np.arange(V), rtol=1e-5)


def test_one_hot_ids_are_an_embedding_that_is_the_identity():
    one_hot, embedded = build(None), build(V + 1)
    z = latents()
    embedded.embedding.embeddings.assign(np.eye(V, V + 1))
    names = ("initial", "lstm", "output_projection")
    for name in names:
        getattr(embedded, name).set_weights(getattr(one_hot, name).get_weights())
    np.testing.assert_allclose(one_hot(IDS, z), embedded(IDS, z), atol=1e-6)


def test_the_dropped_id_of_one_hot_ids_stands_for_nothing_else():
    assert build(None, keep_rate=0.5).word_dropout.dropped == V
    assert build(4, keep_rate=0.5).word_dropout.dropped == UNK


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tied": True}, "Received: units=5, embedding_dim=4"),
        ({"units": 0}, "positive"),
        ({"keep_rate": -0.5}, "`keep_rate` must lie in"),
        ({"vocabulary_size": 0}, "positive"),
    ],
)
def test_arguments_are_checked(changes, message):
    arguments = {"vocabulary_size": V, "embedding_dim": 4, "units": 5}
    with pytest.raises(ValueError, match=message):
        LSTMDecoder(**arguments | changes)


def test_shared_dropout_drops_the_same_units_at_every_step():
    decoder = LSTMDecoder(V, 40, 40, dropout=0.5, shared_dropout=True)
    decoder.build((None, None), (None, D))
    decoder.embedding.embeddings.assign(np.ones((V, 40)))
    dropped = []
    decoder.lstm.project = lambda x: dropped.append(x) or x[..., :1] * np.ones(160)
    logits = decoder(IDS, latents(), training=True)
    (inputs,) = dropped
    np.testing.assert_array_equal(inputs, np.broadcast_to(inputs[:1], inputs.shape))
    assert set(np.unique(inputs)) == {0.0, 2.0}
    assert np.abs(inputs[0, 0] - inputs[0, 1]).max() > 0  # sentences have their own
    assert logits.shape == (2, 5, V)


def test_shared_dropout_of_outputs_is_shared_over_time():
    decoder = LSTMDecoder(V, 4, 40, dropout=0.5, shared_dropout=True)
    decoder.build((None, None), (None, D))
    decoder.output_projection.kernel.assign(np.eye(40, V))
    decoder.output_projection.bias.assign(np.zeros(V))
    logits = np.array(decoder(IDS, latents(), training=True))  # outputs' first V units
    np.testing.assert_array_equal(logits == 0, (logits == 0)[:, :1].repeat(5, axis=1))
    assert 0 < np.mean(logits == 0) < 1


@pytest.mark.parametrize("rate", ["dropout", "recurrent_dropout"])
def test_shared_and_recurrent_dropout_are_of_training_alone(rate):
    kwargs = {"shared_dropout": True, rate: 0.5}
    decoder, plain, z = build(**kwargs), build(), latents()
    plain.set_weights(decoder.get_weights()[: len(plain.weights)])
    np.testing.assert_array_equal(decoder(IDS, z), plain(IDS, z))
    assert np.abs(decoder(IDS, z, training=True) - plain(IDS, z)).max() > 1e-4
    again = LSTMDecoder.from_config(decoder.get_config())
    assert again.get_config() == decoder.get_config()
