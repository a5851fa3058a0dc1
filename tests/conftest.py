"""What every test relies on: the CPU, quiet logs, and one seed."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pytest


@pytest.fixture(autouse=True)
def seed():
    """Starts each test from the same random state, whatever ran before it."""
    keras.utils.set_random_seed(0)
