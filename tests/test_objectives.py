"""Objectives against NumPy, and the bound on every way to it.

B: batch size. V: vocabulary size. D: latent size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import TextSpace, zoo
from keras_textvae.evaluation import importance_weighted_nll
from keras_textvae.losses import sentence_nll
from keras_textvae.objectives import FreeBits, Objective, Terms, TotalKL, bound
from keras_textvae.tokenizers import Codec, WordTokenizer

RNG = np.random.default_rng(0)
NLL, AUXILIARY = RNG.uniform(5.0, 9.0, (2, 6)).astype("float32")
KL = RNG.uniform(0.0, 2.0, (6, 3)).astype("float32")


@pytest.mark.parametrize("kl", [KL, KL[:, 0]], ids=["[B, D]", "[B]"])
def test_the_bound_is_the_sum_of_its_parts(kl):
    total = kl if kl.ndim == 1 else kl.sum(axis=1)
    np.testing.assert_allclose(bound(NLL, kl), NLL + total, rtol=1e-6)
    terms = Terms(NLL, kl)
    np.testing.assert_array_equal(Objective()(terms), bound(NLL, kl))


@pytest.mark.parametrize("kl", [KL, KL[:, 0]], ids=["[B, D]", "[B]"])
def test_an_objective_weighs_its_terms(kl):
    total = kl if kl.ndim == 1 else kl.sum(axis=1)
    objective = Objective(beta=0.5, alpha=0.2)
    found = objective(Terms(NLL, kl, AUXILIARY), kl_weight=0.3)
    expected = NLL + 0.15 * total + 0.2 * AUXILIARY
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(objective(Terms(NLL, kl)), NLL + 0.5 * total, rtol=1e-6)


TOTALS = KL.sum(axis=1)
FREE = {
    "dimension": (2.1, np.maximum(KL, 0.7).sum(axis=1)),
    "sentence": (3.0, np.maximum(TOTALS, 3.0)),
    "batch below": (2.0, TOTALS),
    "batch above": (4.0, np.full(6, 4.0)),
}


@pytest.mark.parametrize("case", FREE)
def test_the_first_nats_of_the_kl_are_free(case):
    nats, expected = FREE[case]
    assert 2.0 < np.mean(TOTALS) < 4.0
    assert np.min(TOTALS) < 3.0 < np.max(TOTALS) and np.min(KL) < 0.7 < np.max(KL)
    rule = FreeBits(nats, case.split()[0])
    np.testing.assert_allclose(rule(KL), expected, rtol=1e-6)
    found = Objective(2.0, rule)(Terms(NLL, KL), kl_weight=0.5)
    np.testing.assert_allclose(found, NLL + expected, rtol=1e-6)
    if case != "dimension":
        np.testing.assert_allclose(rule(TOTALS), expected, rtol=1e-6)


def test_free_bits_leave_the_gradient_of_what_exceeds_them():
    for case, (nats, _) in FREE.items():
        kl, rule = tf.Variable(KL), FreeBits(nats, case.split()[0])
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(rule(kl))
        exceeds = {
            "dimension": KL > 0.7,
            "sentence": np.broadcast_to(TOTALS[:, None] > 3.0, KL.shape),
            "batch below": np.ones_like(KL),
            "batch above": np.zeros_like(KL),
        }
        gradient = tape.gradient(loss, kl)
        gradient = np.zeros_like(KL) if gradient is None else gradient
        np.testing.assert_array_equal(gradient, exceeds[case])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0,), "must be positive nats. Received: nats=0.0"),
        ((-1.0,), "must be positive nats. Received: nats=-1.0"),
        ((float("nan"),), "must be positive nats. Received: nats=nan"),
        ((1.0, "word"), "one of dimension, sentence, batch. Received: over='word'"),
    ],
)
def test_bad_free_bits_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        FreeBits(*arguments)


def test_free_bits_of_each_dimension_need_a_kl_of_each():
    options = {"posterior": "planar", "objective": Objective(kl=FreeBits(1.0))}
    with pytest.raises(ValueError, match="need a posterior with a KL of each"):
        zoo.lstm_vae(9, 4, 4, 2, **options)
    options["objective"] = Objective(kl=FreeBits(1.0, "sentence"))
    assert zoo.lstm_vae(9, 4, 4, 2, **options).built


@pytest.mark.usefixtures("eagerly")
def test_free_bits_keep_z_in_use_and_the_bound_true():
    """From a KL of 6 nats, in a decoder that needs none of them."""
    keras.utils.set_random_seed(0)
    ids = np.full((16, 3), 4, "int32")  # one sentence: nothing to tell apart
    ids[:, 0], ids[:, -1] = 1, 2
    figures = {}
    for nats in (0.0, 3.0):
        rule = FreeBits(nats) if nats else TotalKL()
        model = zoo.lstm_vae(9, 4, 8, 3, objective=Objective(kl=rule))
        model.posterior.projection.bias.assign([2.0] * 3 + [0.0] * 3)
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(ids, epochs=20, batch_size=16, verbose=0)
        figures[nats] = model.evaluate(ids, verbose=0, return_dict=True)
    assert figures[0.0]["kl"] < 1.0
    assert figures[3.0]["kl"] == pytest.approx(3.0, abs=0.5)
    free = figures[3.0]
    bound = free["reconstruction"] + free["kl"]
    assert free["loss"] == pytest.approx(bound, rel=1e-5)


def test_what_is_read_of_a_model_s_outputs():
    targets = np.array([[4, 2, 0], [5, 6, 2]], "int32")
    logits, others = RNG.normal(size=(2, 2, 3, 8)).astype("float32")
    outputs = {"kl": KL[:2], "logits": logits, "auxiliary_logits": others}
    terms = Objective().terms(targets, outputs)
    assert terms.auxiliary is None
    np.testing.assert_array_equal(terms.kl, KL[:2])
    nll = sentence_nll(targets, logits)
    np.testing.assert_array_equal(terms.reconstruction, nll)
    terms = Objective(alpha=0.1).terms(targets, outputs)
    np.testing.assert_array_equal(terms.reconstruction, nll)
    np.testing.assert_array_equal(terms.auxiliary, sentence_nll(targets, others))


@pytest.mark.parametrize(
    "objective",
    [Objective(), Objective(0.5, TotalKL(), 0.2), Objective(kl=FreeBits(0.1, "batch"))],
)
def test_configuration_round_trip(objective):
    config = keras.saving.serialize_keras_object(objective)
    copy = keras.saving.deserialize_keras_object(config)
    assert copy.get_config() == objective.get_config()
    terms = Terms(NLL, KL, AUXILIARY)
    np.testing.assert_array_equal(copy(terms, 0.3), objective(terms, 0.3))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beta": -1.0}, "`beta` .* Received: beta=-1.0"),
        ({"beta": float("nan")}, "`beta` .* Received: beta=nan"),
        ({"alpha": -0.5}, "`alpha` .* Received: alpha=-0.5"),
    ],
)
def test_a_weight_that_is_negative_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Objective(**arguments)


def test_the_bound_is_the_same_by_every_way_to_it():
    """Of an evaluation, of `score`, and of one importance weight, with one noise."""
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer(["a", "cat", "sees", "dog"])
    objective = Objective(beta=0.4)
    model = zoo.lstm_vae(tokenizer.vocabulary_size, 6, 8, 3, objective=objective)
    text = "a cat sees a dog"
    ids = tokenizer.encode([text]).numpy()
    model(ids)
    space = TextSpace(model, Codec(tokenizer, 5))
    score = space.score([text], seed=5)
    noise = space.graph._noise(5, 1)
    outputs = model.infer(ids, noise)
    outputs |= model.decoder.teacher_forced(ids[:, :-1], outputs["z"])
    model.kl_weight.assign(0.2)
    loss = float(model.compute_loss(ids, None, outputs, training=False))
    assert loss == pytest.approx(score.bound[0], rel=1e-6)

    found = importance_weighted_nll(model, ids, samples=1, seed=5)
    noise = np.random.default_rng([5, 0]).standard_normal((1, 3), "float32")
    outputs = model.infer(ids, noise)
    nll = sentence_nll(ids[:, 1:], model.decoder(ids[:, :-1], outputs["z"]))
    expected = bound(nll, outputs["log_ratio"])
    assert found.bound == pytest.approx(float(expected[0]), rel=1e-6)
    # The log-ratio is an estimate of the KL from that z.
    z, mean, log_var = (np.asarray(outputs[n])[0] for n in ("z", "mean", "log_var"))
    ratio = (z**2 - (z - mean) ** 2 / np.exp(log_var) - log_var) / 2
    expected = float(nll[0]) + np.sum(ratio)
    assert found.bound == pytest.approx(expected, rel=1e-5)
