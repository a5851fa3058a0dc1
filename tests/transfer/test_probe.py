"""The linear probe on features whose labels are known to be linear, or none at all."""

import numpy as np
import pytest

from keras_textvae.transfer import linear_probe

TEXTS = [f"text {i}" for i in range(120)]
LABELS = ["a", "b", "c"] * 40


class Space:
    """Features that are the label's own direction, or noise."""

    def __init__(self, tells):
        rng = np.random.default_rng(0)
        direction = np.array([ord(label) - ord("b") for label in LABELS])
        noise = rng.normal(size=(len(LABELS), 4)).astype("float32")
        self._features = noise + 20.0 * tells * direction[:, None]

    def features(self, texts, kind):
        assert texts == TEXTS
        return self._features[:, :2] if kind == "mean" else self._features


@pytest.mark.parametrize("features", ["mean", "both"])
def test_what_is_linear_is_found_on_every_fold(features):
    found = linear_probe(Space(True), TEXTS, LABELS, features, folds=4)
    np.testing.assert_array_equal(found.accuracy, np.ones(4))
    np.testing.assert_array_equal(found.macro_f1, np.ones(4))


def test_noise_is_worth_a_guess():
    found = linear_probe(Space(False), TEXTS, LABELS)
    assert np.mean(found.accuracy) == pytest.approx(1 / 3, abs=0.15)


def test_folds_depend_on_the_seed_alone():
    found = [
        linear_probe(Space(False), TEXTS, LABELS, seed=s).accuracy for s in (1, 1, 2)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert np.any(found[0] != found[2])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS[:-1], "a label for each text"),
        (["a"] * 120, "120 of a"),
        (["b"] * 117 + ["a"] * 3, "5 texts at least .* 3 of a, 117 of b"),
    ],
)
def test_labels_are_checked(labels, message):
    with pytest.raises(ValueError, match=message):
        linear_probe(Space(True), TEXTS, labels)
