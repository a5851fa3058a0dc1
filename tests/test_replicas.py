"""Training on replicas against the same training without them."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def histories():
    """Case -> number of replicas, "0" without a strategy -> what a fit came to."""
    command = [sys.executable, "-m", "tests.replicated_fit"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("case", "replicas", "tolerance"),
    [
        ("lstm", "1", 1e-6),
        ("lstm", "2", 1e-4),
        ("lstm in mixed_float16", "2", 1e-2),
        ("hybrid", "2", 1e-3),
    ],
)
def test_replicas_train_as_one_device(histories, case, replicas, tolerance):
    """The same noise, losses, norms before clipping, metrics, bound and weights."""
    expected, found = (histories[case][number] for number in ("0", replicas))
    assert found.keys() == expected.keys() >= {"gradient_norm", "val_loss"}
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=tolerance, abs=1e-5), name
    assert "val_gradient_norm" not in found


def test_steps_without_finite_gradients_change_no_weight_of_any_replica(histories):
    for history in (fit for case in histories.values() for fit in case.values()):
        assert history["skipped_steps"] == [0.0, 0.0] and history["moved"][0] > 0.1
        assert history["skipped"] == [3.0]
        assert history["changed by skipped steps"] == [0]
