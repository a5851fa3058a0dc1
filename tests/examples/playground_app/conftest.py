"""A tiny space of subwords that is served in this process, and an explorer of it."""

import pathlib
from typing import NamedTuple

import numpy as np
import pytest

from examples.playground_app.explorer import Explorer
from export.export_saved_model import export
from keras_textvae import TextSpace, transfer
from serving.client import TextVAEClient
from serving.server import Server
from tests.text_space.conftest import DENSITY, space_of_subwords

LABELS = ["fear", "joy", "<i>"]


class Served(NamedTuple):
    """A space, the folder of its export's versions, and the server of it."""

    space: TextSpace
    folder: pathlib.Path
    server: Server


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """A space with every signature and option that the playground shows."""
    space = transfer.semi_supervised(space_of_subwords(), LABELS, features="encoder")
    kernel = space.model.head.layers[-1].kernel  # zeros, which tell no labels apart
    kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
    space = TextSpace(space.model, space.codec, DENSITY)
    folder = tmp_path_factory.mktemp("playground") / "textvae"
    export(space, folder)
    with Server(folder) as server:
        yield Served(space, folder, server)


@pytest.fixture(scope="session")
def explorer(served):
    with TextVAEClient(served.server.address, timeout=60, rows_per_call=3) as client:
        yield Explorer(client)


@pytest.fixture(scope="session")
def texts():
    """Sentences that the space reads, each with another mean."""
    return ["the cat sees a dog", "a big dog likes cats", "dogs like the old cat", "a"]


def close(actual, expected):
    """Asserts that figures over gRPC are those of the space, but for rounding."""
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
