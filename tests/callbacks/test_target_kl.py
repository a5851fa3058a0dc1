"""The KL is held at a target, on both backends."""

import math
import types

import keras
import numpy as np
import pytest

from keras_textvae import zoo
from keras_textvae.callbacks import TargetKL
from keras_textvae.objectives import FreeBits, Objective
from tests.callbacks.trained import IDS, V, fake_model
from tests.on_jax import run_on_jax

KP, KI = 0.2, 0.03
GAINS = {"proportional": KP, "integral": KI}


def controlled(target, kls, weight=0.0, batches=1):
    """The weight after each batch, as Shao et al. 2020, algorithm 1, has it.

    There the sum of errors stands still while it leads out of [0, 1].
    """
    errors = target - np.array(kls)
    shares = 1.0 / (1.0 + np.exp(errors))
    weights, share = [], shares[0]
    for error, next_share in zip(errors, shares, strict=True):
        weight += KP * (next_share - share) - KI * batches * error
        weight, share = min(max(weight, 0.0), 1.0), next_share
        weights.append(weight)
    return weights


class Control:
    """A `TargetKL` fed with the KL of batches."""

    def __init__(self, target=8.0, weight=0.0):
        self.model = fake_model()
        self.model.optimizer.iterations.assign(7)  # of a run that goes on
        self.model.kl_weight.assign(weight)
        self.kl = keras.metrics.Mean("kl")
        self.model.metrics = [keras.metrics.Mean("loss"), self.kl]
        self.model.posterior = types.SimpleNamespace(least_kl=0.0, most_kl=math.inf)
        self.model.objective = Objective()
        self.callback = TargetKL(target, **GAINS)
        self.callback.set_model(self.model)

    def epoch(self, *kls, sizes=(), ends=None):
        self.kl.reset_state()
        self.callback.on_epoch_begin(0)
        weights = []
        for index, kl in enumerate(kls):
            size = sizes[index] if sizes else 4
            self.kl.update_state(np.full(size, kl))
            self.callback.on_train_batch_end(ends[index] if ends else index)
            weights.append(float(self.model.kl_weight))
        return weights

    def end(self, **logs):
        self.callback.on_epoch_end(0, logs)
        return logs


def test_the_weight_is_that_of_the_paper_s_equation():
    kls = np.array([9.0, 12.0, 8.0, 7.5, 10.0])
    errors = 8.0 - kls
    shares = 1.0 / (1.0 + np.exp(errors))
    expected = KP * (shares - shares[0]) - KI * np.cumsum(errors)
    assert np.all((expected > 0.0) & (expected < 1.0))  # where nothing is lost
    weights = Control().epoch(*kls, sizes=(5, 1, 8, 8, 3))
    np.testing.assert_allclose(weights, expected, rtol=1e-4)


def test_the_weight_does_not_wind_up():
    weights = Control().epoch(*[1.0] * 50, 9.0, 9.0, *[40.0] * 50, 7.0)
    assert weights[49] == 0.0
    assert weights[50] >= KI
    assert weights[101] == 1.0
    assert weights[102] <= 1.0 - KI


def test_a_fresh_training_begins_without_the_kl():
    control = Control(weight=1.0)
    control.model.optimizer.iterations.assign(0)
    assert control.epoch(8.0) == [0.0]


def test_an_epoch_goes_on_from_the_weight_of_the_last():
    control = Control(weight=0.5)
    first = control.epoch(9.0, 7.0)
    assert control.end(kl=8.0)["kl_weight"] == pytest.approx(first[-1])
    second = control.epoch(8.5, 9.0)
    assert second == pytest.approx(controlled(8.0, [8.5, 9.0], first[-1]), rel=1e-5)


def test_an_execution_moves_the_weight_as_far_as_its_batches():
    weights = Control(weight=0.5).epoch(7.0, 9.0, 9.0, ends=[2, 5, 8])
    expected = controlled(8.0, [7.0, 9.0, 9.0], 0.5, batches=3)
    assert weights == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_kl_that_is_not_finite_moves_nothing(bad):
    control = Control(weight=0.5)
    before, *after = control.epoch(9.0, bad, 9.0)
    assert after == [before, before]
    assert control.epoch(9.0) == pytest.approx([before + KI])


def test_batches_without_weight_move_nothing():
    control = Control(weight=0.5)
    assert control.epoch(9.0, 9.0, sizes=(4, 0))[1] == pytest.approx(0.5 + KI)


class Weights(keras.callbacks.Callback):
    """Writes down the KL weight after each batch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def on_train_batch_end(self, batch, logs=None):
        self.found.append(float(self.model.kl_weight))


def adam(accumulated=None):
    # No step changes the model, so that each batch has its KL from the beginning on.
    return keras.optimizers.Adam(0.0, gradient_accumulation_steps=accumulated)


def scaled_adam():
    # Scaled too much: gradients of the first steps are not finite.
    return keras.optimizers.LossScaleOptimizer(adam(3), initial_scale=2.0**127)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (adam, {"run_eagerly": True}),
        (scaled_adam, {"run_eagerly": True}),
        (adam, {"steps_per_execution": 2}),
    ],
    ids=["plain", "accumulated and scaled", "two steps an execution"],
)
def test_a_fit_is_controlled_by_the_kl_of_its_batches(optimizer, options):
    keras.utils.set_random_seed(0)
    # Without dropout, so that a batch has the same KL in an evaluation.
    model = zoo.bag_of_words_vae(V, 3, 4, 2, keep_rate=1.0)
    model.set_weights([8.0 * weight for weight in model.get_weights()])
    model.compile(optimizer(), run_eagerly=True)
    ids, shares = IDS[:12], np.linspace(0.1, 2.0, 12)
    batches = np.split(ids, 4), np.split(shares, 4)
    figures = [
        model.evaluate(x, sample_weight=w, verbose=0, return_dict=True)
        for x, w in zip(*batches, strict=True)
    ]
    kls, counts = [x["kl"] for x in figures], [w.sum() for w in batches[1]]
    together = options.get("steps_per_execution", 1)
    if together > 1:
        pairs = np.reshape(kls, (-1, 2)), np.reshape(counts, (-1, 2))
        kls = np.sum(pairs[0] * pairs[1], axis=1) / np.sum(pairs[1], axis=1)
    target = float(min(kls)) / 2  # so that nothing is lost
    model.compile(optimizer(), **options)
    weights = Weights()
    model.fit(
        ids,
        sample_weight=shares,
        batch_size=3,
        shuffle=False,
        verbose=0,
        callbacks=[TargetKL(target, **GAINS), weights],
    )
    expected = controlled(target, kls, batches=together)
    assert 0.0 < expected[0] < expected[-1] < 1.0
    np.testing.assert_allclose(weights.found, expected, rtol=1e-3)


ON_JAX = """
import keras
import numpy as np
from keras_textvae import zoo
from keras_textvae.callbacks import TargetKL
from keras_textvae.objectives import Objective

class KLWeight(Objective):
    def __call__(self, terms, kl_weight=1.0):
        return 0.0 * terms.reconstruction + kl_weight

ids = np.random.default_rng(0).integers(4, 11, (8, 4)).astype("int32")
ids[:, 0], ids[:, -1] = 1, 2
keras.utils.set_random_seed(0)
model = zoo.bag_of_words_vae(11, 3, 4, 2, keep_rate=1.0)
model.set_weights([8.0 * weight for weight in model.get_weights()])
model.compile(keras.optimizers.Adam(0.0))
kls = [model.evaluate(x, verbose=0, return_dict=True)["kl"] for x in np.split(ids, 4)]
model.objective = KLWeight()
model.compile(keras.optimizers.Adam(0.0))
target = TargetKL(min(kls) / 2, proportional=0.2, integral=0.03)
options = {"batch_size": 2, "shuffle": False, "verbose": 0, "callbacks": [target]}
history = model.fit(ids, **options).history
print(*kls, *history["loss"], *history["kl_weight"])
"""


def test_a_fit_on_jax_is_controlled_by_the_kl_of_its_batches():
    pytest.importorskip("jax")
    ended = run_on_jax(ON_JAX)
    assert ended.returncode == 0, ended.stderr
    *kls, loss, last = map(float, ended.stdout.split())
    weights = controlled(min(kls) / 2, kls)
    assert 0.0 < weights[0] < weights[-1] < 1.0
    assert last == pytest.approx(weights[-1], rel=1e-3)
    # The loss is the mean weight of the steps, the first of which was 0.
    assert loss == pytest.approx(np.mean([0.0, *weights[:-1]]), rel=1e-3)


@pytest.mark.parametrize(
    ("weight", "kl", "lines"),
    [
        (0.0, 3.1, ["the KL stays 4.9 nats below the target of 8 with a weight of 0"]),
        (1.0, 9.0, ["the KL stays 1.0 nats above the target of 8 with a weight of 1"]),
        (0.0, 7.3, []),  # near it
        (0.0, 9.0, []),  # and it will rise
        (1.0, 3.0, []),
        (0.3, 3.0, []),
    ],
)
def test_a_target_out_of_reach_is_told_once(capsys, weight, kl, lines):
    control = Control(weight=weight)
    for _ in range(2):
        control.callback.on_epoch_begin(0)
        control.end(kl=kl, val_kl=8.0)
    printed = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed == lines


def test_an_epoch_that_only_ends_without_the_kl_is_no_word_worth(capsys):
    control = Control(weight=0.5)
    assert control.epoch(*[2.0] * 9)[-1] == 0.0
    control.end(kl=2.0)
    control.model.optimizer.iterations.assign(0)  # nor is the first epoch
    control.epoch(2.0)
    control.end(kl=2.0)
    assert not capsys.readouterr().out


def lstm(**options):
    return zoo.lstm_vae(V, 4, 6, 4, **options)


@pytest.mark.parametrize(
    ("build", "target", "message"),
    [
        (lambda: zoo.rnnlm(V, 4, 6), 8.0, "A LanguageModel has no KL"),
        (
            lambda: lstm(posterior="deterministic"),
            8.0,
            "Deterministic is never above 0 nats. Received: target=8",
        ),
        (
            lambda: lstm(posterior="batch_normalized", mean_scale=2.0),
            8.0,
            "BatchNormalizedGaussian is never below 8 nats. Received: target=8",
        ),
        (
            lambda: lstm(objective=Objective(kl=FreeBits(8.0, "batch"))),
            8.0,
            "8 nats of the KL are free: no weight pushes it below. Received: target=8",
        ),
        (lambda: lstm(objective=Objective(0.5)), 8.0, "must be 1. Received: beta=0.5"),
    ],
)
def test_a_model_whose_kl_cannot_be_held_is_refused(build, target, message):
    model = build()
    model.compile()
    with pytest.raises(ValueError, match=message):
        model.fit(IDS, verbose=0, callbacks=[TargetKL(target)])


def test_a_target_above_what_the_model_has_anyway_is_taken():
    TargetKL(8.1).check(lstm(posterior="batch_normalized", mean_scale=2.0))
    TargetKL(8.1).check(lstm(objective=Objective(kl=FreeBits(8.0, "batch"))))


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["target", "proportional", "integral"])
def test_what_is_not_positive_is_refused(name, value):
    with pytest.raises(
        ValueError, match=f"`{name}` must be positive. Received: {name}"
    ):
        TargetKL(**{"target": 8.0} | {name: value})
