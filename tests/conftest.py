"""What every test relies on: the CPU and its kernels, quiet logs, and one seed."""

import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as in programs

import keras
import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Keeps what is downloaded, written or prepared out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("KERAS_TEXTVAE_CACHE", str(folder))
        yield


@pytest.fixture(autouse=True)
def seed():
    """Starts each test from the same random state, whatever ran before it."""
    keras.utils.set_random_seed(0)


@pytest.fixture
def eagerly():
    """Runs functions as they are, where to trace their graphs would take far longer."""
    from tests.step_by_step import step_by_step

    with step_by_step():
        yield
