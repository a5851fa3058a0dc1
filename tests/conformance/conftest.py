"""The server that has to conform: `--target`, or the embedded one as a process.

    make conformance                                  the embedded server
    make conformance TARGET=host:8500 MODEL=textvae   any other, TensorFlow Serving too

The model is any export of a text VAE of words or subwords; by default there is a tiny
one of each.
"""

import contextlib
import subprocess
from typing import NamedTuple

import grpc
import keras
import numpy as np
import pytest
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    model_service_pb2_grpc,
    prediction_service_pb2_grpc,
)

from export.export_saved_model import export
from keras_textvae import Codec, TextSpace, WordTokenizer, lstm_vae
from serving.server_process import server_process
from tests.conformance.requests import MODEL, metadata, predict
from tests.text_space.conftest import space_of_subwords, stirred

OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.enable_http_proxy", 0)]


def pytest_addoption(parser):
    parser.addoption("--target", help="host:port of the server; ours by default")
    parser.addoption("--model", default="textvae", help="the name of the model there")
    parser.addoption(
        "--cases", default=200, type=int, help="how many requests are made up at random"
    )
    parser.addoption("--repeat", default=1, type=int, help="how often the rows are run")


def option(config, name, default=None):
    # Options are unknown where this folder is not what pytest was asked to run.
    return config.getoption(name, default) or default


class Target(NamedTuple):
    """A server, and what is known of its model.

    Attributes:
        channel: `grpc.Channel`.
        model: the model's name.
        latent_dim: D.
        level: "words" or "subwords", what it reads.
        process: the server's own process, or None of another's server.
    """

    channel: grpc.Channel
    model: str
    latent_dim: int
    level: str
    process: subprocess.Popen | None

    def ask(self, request, timeout=60.0):
        """Returns the answer to a request; raises `grpc.RpcError`."""
        if request.model_spec.name == MODEL:
            request.model_spec.name = self.model
        predictions = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        models = model_service_pb2_grpc.ModelServiceStub(self.channel)
        method = {
            "PredictRequest": predictions.Predict,
            "GetModelMetadataRequest": predictions.GetModelMetadata,
            "GetModelStatusRequest": models.GetModelStatus,
        }[type(request).__name__]
        return method(request, timeout=timeout)

    def sample(self):
        """Returns the texts of two seeds, by which one sees that it is well."""
        answer = self.ask(predict("sample", seed=np.array([3, 4], np.int64))(0))
        return [*answer.outputs["text"].string_val]


@pytest.fixture(scope="session", params=["words", "subwords"])
def level(request):
    """What the model of the embedded server reads. Another server has one model."""
    if request.param == "subwords" and option(request.config, "--target"):
        pytest.skip("the target has been asked")
    return request.param


@pytest.fixture(scope="session")
def exported(level, tmp_path_factory):
    """The folder of versions of a tiny text VAE, whose texts differ."""
    if level == "subwords":
        space = space_of_subwords()
    else:
        tokenizer = WordTokenizer("the a cat dog sees likes big old".split())
        keras.utils.set_random_seed(0)
        model = lstm_vae(tokenizer.vocabulary_size, 5, 8, 3, z_every_step=True)
        space = TextSpace(stirred(model), Codec(tokenizer, 9))
    folder = tmp_path_factory.mktemp("conformance") / "textvae"
    return export(space, folder).parent


@pytest.fixture(scope="session")
def target(request, level):
    """The server under test."""
    address = option(request.config, "--target")
    model = option(request.config, "--model", "textvae")
    process = None
    with contextlib.ExitStack() as running:
        if address is None:
            base_path = request.getfixturevalue("exported")
            flags = f"--model_base_path={base_path}", "--verify"
            process, address = running.enter_context(server_process(*flags))
        channel = running.enter_context(grpc.insecure_channel(address, OPTIONS))
        yield Target(channel, model, *described(channel, model), process)
    assert process is None or process.returncode == 0


def described(channel, model):
    """Returns D and the level, as the model's metadata have them."""
    request = metadata("signature_def", name=model)(0)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    answer = stub.GetModelMetadata(request, timeout=60)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    z = signatures.signature_def["decode"].inputs["z"]
    inputs = signatures.signature_def["impute"].inputs
    level = "subwords" if "max_pieces" in inputs else "words"
    return z.tensor_shape.dim[1].size, level
