"""The importance-weighted bound against integrals over z, sums and itself."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import posteriors, zoo
from keras_textvae.decoders import LSTMDecoder
from keras_textvae.encoders import LSTMEncoder
from keras_textvae.evaluation import (
    evaluate_bound,
    importance,
    importance_weighted_nll,
)
from keras_textvae.losses import sentence_nll
from keras_textvae.models import TextVAE
from keras_textvae.tokens import BOS, EOS, PAD
from tests.step_by_step import step_by_step

V = 8
IDS = np.array(
    [[BOS, 4, 5, 6, EOS], [BOS, 7, 5, EOS, PAD], [BOS, 6, EOS, PAD, PAD]], "int32"
)


def vae(posterior):
    """A model with weights so large that z matters, and a posterior that is too wide.

    Where q(z|x) is narrower than p(z|x), the weights have no variance to speak of.
    """
    model = TextVAE(
        LSTMEncoder(V, 3, 4), posterior, LSTMDecoder(V, 3, 4, z_every_step=True)
    )
    if not isinstance(posterior, posteriors.Deterministic):
        start = getattr(posterior, "start", posterior)
        start.projection.bias.assign([0.3, 1.0])  # mean, log_var
    rng = np.random.default_rng(1)
    for weight in model.decoder.trainable_variables:
        weight.assign(rng.normal(0.0, 1.0, weight.shape))
    return model


@pytest.fixture
def model():
    return vae(posteriors.DiagonalGaussian(1))


def integrated_nll(model, ids):
    """-log of the integral of p(x|z) p(z) over a z of one dimension, per sentence."""
    z = np.linspace(-9.0, 9.0, 3001)
    prior = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    nll = []
    for row in ids:
        rows = np.repeat(row[None], len(z), axis=0)
        logits = model.decoder(rows[:, :-1], z[:, None].astype("float32"))
        likelihood = np.exp(-np.asarray(sentence_nll(rows[:, 1:], logits), "float64"))
        nll.append(-math.log(np.trapezoid(likelihood * prior, z)))
    return np.array(nll)


@pytest.mark.parametrize(
    ("family", "arguments"),
    [
        (posteriors.DiagonalGaussian, {}),
        (posteriors.NormalizingFlow, {"kind": "autoregressive"}),
        (posteriors.MultiStep, {}),
    ],
    ids=["gaussian", "flow", "multi-step"],
)
def test_many_samples_give_the_integral_over_z(family, arguments):
    model = vae(family(1, **arguments))
    found = importance_weighted_nll(model, [IDS], samples=30_000).bound
    assert found == pytest.approx(np.mean(integrated_nll(model, IDS)), abs=0.01)


def test_it_falls_with_the_number_of_samples_and_stays_above(model):
    exact = np.mean(integrated_nll(model, IDS))
    ids = np.tile(IDS, (1000, 1))  # each with noise of its own
    found = [importance_weighted_nll(model, [ids], s).bound for s in (1, 4, 16, 64)]
    assert found == sorted(found, reverse=True)
    assert found[0] - exact > 0.1  # or there is nothing to gain
    assert 0 < found[-1] - exact < 0.02


@step_by_step()
@pytest.mark.parametrize("chunk", [1, 3, 7, 20, 1000])
def test_chunks_change_nothing_but_rounding(model, chunk):
    batches = [IDS, IDS[::-1]]
    expected = importance_weighted_nll(model, batches, samples=20)
    found = importance_weighted_nll(model, batches, samples=20, chunk=chunk)
    assert found.bound == pytest.approx(expected.bound, rel=1e-6)
    assert found[1:] == expected[1:] == (3.0, 20)


@step_by_step()
def test_one_sample_gives_the_bound_of_that_sample(model):
    noise = np.random.default_rng([7, 0]).standard_normal((3, 1), "float32")
    drawn = model.infer(IDS, noise)
    nll = sentence_nll(IDS[:, 1:], model.decoder(IDS[:, :-1], drawn["z"]))
    expected = np.mean(np.asarray(nll) + np.asarray(drawn["log_ratio"]))
    found = importance_weighted_nll(model, [IDS], samples=1, seed=7)
    assert found.bound == pytest.approx(expected, rel=1e-6)


@step_by_step()
def test_perplexities_are_those_of_the_bound(model):
    found = importance_weighted_nll(model, [IDS], samples=2)
    assert found.perplexity == pytest.approx(math.exp(found.bound / 3))
    assert found.perplexity_without_eos == pytest.approx(math.exp(found.bound / 2))
    assert found.bits_per_token == pytest.approx(found.bound / 3 / math.log(2))


@step_by_step()
def test_seeds_and_batches_have_noise_of_their_own(model):
    first = importance_weighted_nll(model, [IDS], samples=2, seed=1)
    assert importance_weighted_nll(model, [IDS], samples=2, seed=1) == first
    assert importance_weighted_nll(model, [IDS], samples=2, seed=2) != first
    assert importance_weighted_nll(model, [IDS, IDS], samples=2, seed=1) != first


@step_by_step()
def test_batches_come_in_many_forms(model):
    ids = np.tile(IDS, (12, 1))  # 36 rows
    batches = [ids[:32], ids[32:]]
    expected = importance_weighted_nll(model, batches, samples=2)
    dataset = tf.data.Dataset.from_tensor_slices(ids).batch(32)
    for form in (tf.constant(ids, "int64"), iter(batches), dataset):
        assert importance_weighted_nll(model, form, samples=2) == expected


@step_by_step()
def test_batches_of_different_sizes_count_by_sentences(model):
    narrow = IDS[1:, :4]
    found = importance_weighted_nll(model, [IDS[:1], narrow], samples=300)
    exact = np.mean(integrated_nll(model, IDS))
    assert found.bound == pytest.approx(exact, abs=0.05)
    assert found.tokens == 3.0


@step_by_step()
def test_a_language_models_likelihood_is_exact():
    model = zoo.rnnlm(V, 6, 6)
    model.compile()
    found = importance_weighted_nll(model, [IDS], samples=500)
    assert found.bound == pytest.approx(evaluate_bound(model, IDS).bound, rel=1e-6)
    assert found.samples == 1


@step_by_step()
def test_progress_says_how_much_is_left(model, capsys):
    importance_weighted_nll(model, [IDS, IDS], samples=2)
    assert not capsys.readouterr().out
    importance_weighted_nll(model, [IDS, IDS], samples=2, verbose=1)
    assert "2/2" in capsys.readouterr().out


def test_a_posterior_without_a_density_is_refused():
    model = vae(posteriors.Deterministic(1))
    with pytest.raises(ValueError, match="a density. Received: Deterministic$"):
        importance_weighted_nll(model, [IDS])


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "no sentence. Received: 0 sentences$"),
        (IDS[:0], "no sentence. Received: 0 sentences$"),
        ([IDS[0]], r"Received: ndarray of int32, shape \(5,\)$"),
        ([IDS.astype("float32")], r"ndarray of float32, shape \(3, 5\)$"),
    ],
)
def test_what_is_no_batch_of_ids_is_refused(model, batches, message):
    with pytest.raises(ValueError, match=message):
        importance_weighted_nll(model, batches)


@step_by_step()
@pytest.mark.parametrize(("logits", "largest"), [(1, 1), (7 * IDS.size * V, 7)])
def test_no_more_samples_are_decoded_at_once_than_memory_has_room_for(
    model, monkeypatch, logits, largest
):
    decoded, on = [], importance.Compiled.on

    def seen(compiled, ids, noise):
        decoded.append(len(noise))
        return on(compiled, ids, noise)

    monkeypatch.setattr(importance, "LOGITS", logits)
    monkeypatch.setattr(importance.Compiled, "on", seen)
    found = importance_weighted_nll(model, [IDS], samples=20)
    assert sum(decoded) == 20
    assert max(decoded) == largest
    monkeypatch.undo()
    at_once = importance_weighted_nll(model, [IDS], samples=20)
    assert found.bound == pytest.approx(at_once.bound, rel=1e-5)


@pytest.mark.parametrize("name", ["samples", "chunk"])
def test_counts_must_be_positive(model, name):
    with pytest.raises(ValueError, match=f"Received: {name}=0$"):
        importance_weighted_nll(model, [IDS], **{name: 0})


@step_by_step()
def test_the_model_stays_as_it_was(model):
    keras.utils.set_random_seed(0)
    model.compile()
    before = evaluate_bound(model, IDS)
    variables = len(model.variables)
    importance_weighted_nll(model, [IDS], samples=3)
    assert evaluate_bound(model, IDS) == before
    assert len(model.variables) == variables
