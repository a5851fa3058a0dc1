"""How logits leave: the formula, dropout, and the embedding that is a projection too.

B: batch size. T: time. V: vocabulary size. H: hidden size.
"""

import keras
import numpy as np
import pytest

from keras_textvae.layers import DenseLogits, EmbeddedIds, TiedLogits

V, H = 50, 4
KINDS = {
    "dense": lambda **kw: DenseLogits(V, **kw),
    "tied": lambda dtype=None, **kw: TiedLogits(embedding(H, dtype), dtype=dtype, **kw),
    "tied, projected": lambda dtype=None, **kw: TiedLogits(
        embedding(H - 1, dtype), dtype=dtype, **kw
    ),
}


def embedding(size, dtype=None):
    part = EmbeddedIds(V, size, dtype=dtype)
    part.build((None, None))
    return part.embedding


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def outputs(shape=(2, 5, H)):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def kernel_and_bias(logits):
    if isinstance(logits, TiedLogits):
        kernel = logits.embedding.get_weights()[0].T
        if logits.projection is not None:
            kernel = logits.projection.get_weights()[0] @ kernel
        return kernel, logits.bias.numpy()
    return logits.get_weights()


@pytest.mark.parametrize("shape", [(2, 5, H), (3, H)])
def test_logits_are_a_product_and_a_bias_of_a_sentence_or_a_step(kind, shape):
    logits, x = kind(initializer="random_normal"), outputs(shape)
    found = logits(x)
    kernel, bias = kernel_and_bias(logits)
    assert np.any(bias)
    np.testing.assert_allclose(found, x @ kernel + bias, atol=1e-6)


def test_tied_logits_have_no_weights_of_their_own_but_a_bias():
    logits = KINDS["tied"]()
    logits.build((None, H))
    assert [weight.shape for weight in logits.weights] == [(V,), (V, H)]


def test_a_projection_stands_where_the_sizes_differ():
    logits = KINDS["tied, projected"]()
    logits.build((None, H))
    assert logits.projection.kernel.shape == (H, H - 1)
    assert len(logits.weights) == 3


@pytest.mark.parametrize("shared", [False, True])
def test_outputs_are_dropped_at_each_step_or_at_all_steps_of_a_sentence(kind, shared):
    logits = kind(dropout=0.5, shared_dropout=shared)
    x = np.repeat(outputs((20, 1, H)), 5, axis=1)
    np.testing.assert_allclose(logits(x)[:, 1:], logits(x)[:, :-1], atol=1e-6)
    dropped = np.array(logits(x, training=True))
    assert np.abs(dropped - logits(x)).max() > 1e-4
    assert np.allclose(dropped, dropped[:, :1], atol=1e-6) == shared


def test_a_dropped_unit_is_zero_and_a_kept_one_as_much_larger():
    logits = DenseLogits(H, dropout=0.75)
    logits.build((None, H))
    logits.projection.kernel.assign(np.eye(H))
    ratio = np.array(logits(outputs((50, 5, H)), training=True)) / outputs((50, 5, H))
    assert set(np.round(ratio.ravel(), 4)) == {0.0, 4.0}


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_logits_have_the_policy_s_precision(kind, policy):
    logits = kind(dtype=policy)
    assert keras.backend.standardize_dtype(logits(outputs()).dtype) == policy[6:]


def test_configuration_round_trip(kind):
    logits = kind(dropout=0.25, shared_dropout=True, initializer="ones")
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(logits)
    )
    assert copy.get_config() == logits.get_config()


def test_tied_logits_need_an_embedding():
    with pytest.raises(ValueError, match="embedding. Received: embedding_dim=None"):
        TiedLogits(None)
