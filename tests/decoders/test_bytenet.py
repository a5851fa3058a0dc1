"""The masked-convolution decoder: its receptive field and its arguments.

V: vocabulary size. D: latent size.
"""

import numpy as np
import pytest
import tensorflow as tf

from keras_textvae.decoders import ByteNetDecoder
from keras_textvae.generation import generate
from keras_textvae.tokens import BOS, EOS, FIRST_WORD

V, D, LENGTH = 11, 3, 16


def decoder(layers=2, **kwargs):
    kwargs = {"hidden": 16, "channels": (2, 3), "features": 4} | kwargs
    decoder = ByteNetDecoder(V, LENGTH, layers, **kwargs)
    decoder.build((None, None), (None, D))
    return decoder


def sentences(rows=2, time=LENGTH, seed=0):
    ids = np.random.default_rng(seed).integers(FIRST_WORD, V, (rows, time))
    ids[:, 0] = BOS
    return ids.astype("int32")


def latents(rows=2, seed=1):
    return np.random.default_rng(seed).normal(size=(rows, D)).astype("float32")


FIELDS = {
    "one layer": ({"layers": 1}, 2),
    "five layers": ({"layers": 5}, 6),
    "highway": ({"layers": 3, "block": "highway"}, 4),
    "width 3": ({"layers": 2, "width": 3}, 5),
    "dilated": ({"layers": 3, "dilations": (1, 2)}, 5),
    "dilated width 3": ({"layers": 2, "width": 3, "dilations": (2, 3)}, 11),
}


@pytest.mark.parametrize("name", FIELDS)
def test_an_input_reaches_as_many_outputs_as_the_receptive_field(name):
    arguments, expected = FIELDS[name]
    model = decoder(**arguments)
    assert model.receptive_field == expected
    ids, z = sentences(rows=64), latents(rows=64)
    other = ids.copy()
    other[:, 2] = FIRST_WORD + (other[:, 2] - FIRST_WORD + 1) % (V - FIRST_WORD)
    changed = np.abs(model(other, z) - model(ids, z)).max(axis=(0, 2)) > 0
    first, last = np.flatnonzero(changed)[[0, -1]]
    assert (first, last) == (2, 2 + expected - 1)


@pytest.mark.parametrize("block", ["bytenet", "highway"])
def test_no_gradient_reaches_an_earlier_output_from_a_later_input(block):
    model = decoder(layers=3, block=block)
    ids, z = sentences(rows=1, time=8), latents(rows=1)
    history = tf.Variable(model.history(ids.T))
    features = model.expand(ids, z, training=False)

    def outputs():
        x = model.input_norm(model.input_projection(features) + history)
        a, b = tf.split(x, 2, axis=-1)
        x = tf.tanh(a) * tf.sigmoid(b)
        for layer in model.blocks:
            x = layer(x, training=True)
        return tf.reduce_sum(tf.sin(x), axis=-1)[0]  # [T]

    with tf.GradientTape() as tape:
        summed = outputs()
    jacobian = tape.jacobian(summed, history)[:, 0]  # [T, T, 2C]
    reached = np.abs(jacobian).max(axis=-1)
    np.testing.assert_array_equal(np.triu(reached, k=1), 0.0)
    assert np.diagonal(reached).min() > 0.0


def test_greedy_decoding_is_teacher_forcing_of_its_own_output():
    model = decoder(layers=3, width=3, dilations=(1, 2, 4))
    z = latents(rows=4)
    ids = generate(model, z, LENGTH, forbidden=(EOS,))
    history = np.concatenate([np.full((4, 1), BOS), ids[:, :-1]], axis=1)
    logits = model(history.astype("int32"), z).numpy()
    logits[:, :, : EOS + 1] = -np.inf
    np.testing.assert_array_equal(np.argmax(logits, axis=-1), ids)


def test_unknown_rows_in_a_graph():
    model = decoder(layers=2, width=3)
    spec = [tf.TensorSpec([None, D], tf.float32)]
    graph = tf.function(lambda z: generate(model, z, LENGTH), input_signature=spec)
    for rows in (1, 3):
        z = latents(rows)
        np.testing.assert_array_equal(graph(z), generate(model, z, LENGTH))


def test_auxiliary_logits_are_the_feed_forward_decoder_s():
    model = decoder()
    ids, z = sentences(), latents()
    logits, auxiliary = model(ids, z, auxiliary=True)
    np.testing.assert_array_equal(logits, model(ids, z))
    features = model.expand(ids, z, training=False)
    np.testing.assert_array_equal(auxiliary, model.historyless_logits(features))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "`layers` must be positive. Received: layers=0"),
        ({"block": "resnet"}, "bytenet, highway. Received: block='resnet'"),
        ({"dilations": ()}, "`dilations` needs at least one"),
        ({"norm": "group"}, "layer, batch. Received: 'group'"),
        ({"length": 0}, "`length` must be positive. Received: length=0"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        ByteNetDecoder(**{"vocabulary_size": V, "length": 4} | changes)
