"""A toy SavedModel with the signatures of an exported text VAE, served once.

Its endpoints have no guards of their own, so that what is refused is refused by the
server. B: batch size. D: latent size. S: steps of an interpolation.
"""

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

import grpc
import keras
import pytest
import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_serving.apis import (
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.server import Server

ROOT = Path(__file__).resolve().parents[2]
LATENT_SIZE = 3

TEXT = tf.TensorSpec([None], tf.string, name="text")
SEED = tf.TensorSpec([None], tf.int64, name="seed")
Z = tf.TensorSpec([None, LATENT_SIZE], tf.float32, name="z")


def scalar(dtype, name: str) -> tf.TensorSpec:
    return tf.TensorSpec([], dtype, name=name)


def join(numbers):  # [B, D] -> [B]
    return tf.strings.reduce_join(tf.strings.as_string(numbers), -1, separator=" ")


def sample(
    seed,
    temperature=tf.constant(1.0),  # noqa: B008  (how a default gets into a signature)
    top_k=tf.constant(0),  # noqa: B008
    top_p=tf.constant(1.0),  # noqa: B008
):
    noise = tf.map_fn(
        lambda row: tf.random.stateless_normal([LATENT_SIZE], tf.stack([row, 0])),
        seed,
        fn_output_signature=tf.float32,
    )
    return {"text": join(noise * temperature * top_p + tf.cast(top_k, tf.float32))}


def interpolate(start, end, steps=tf.constant(8)):  # noqa: B008
    ends = tf.stack([start, end], axis=1)
    middle = tf.fill([tf.shape(start)[0], steps - 2], "between")
    return {"text": tf.concat([ends[:, :1], middle, ends[:, 1:]], axis=1)}  # [B, S]


def reconstruct(text):
    words = tf_text.WhitespaceTokenizer().tokenize(text)
    return {"text": tf.strings.reduce_join(words, axis=-1, separator=" ")}


def encode(text):
    length = tf.cast(tf.strings.length(text), tf.float32)
    mean = length[:, None] * tf.range(1.0, LATENT_SIZE + 1)
    unknown = tf.cast(tf.strings.regex_full_match(text, "[^a]*"), tf.int32)
    return {"mean": mean, "log_var": -mean, "kl": length, "unknown": unknown}


def score(text, seed=tf.constant(0, tf.int64)):  # noqa: B008
    encoded = encode(text)
    kl = encoded["kl"]
    reconstruction = kl + tf.cast(seed, tf.float32)
    return {
        "bound": reconstruction + kl,
        "reconstruction": reconstruction,
        "kl": kl,
        "unknown": encoded["unknown"],
    }


def spin(steps):
    """Keeps a core busy: about 5 microseconds a step."""
    x = tf.linalg.eye(8)
    _, x = tf.while_loop(
        lambda i, x: i < steps, lambda i, x: (i + 1, x @ x), (tf.constant(0), x)
    )
    return {"trace": tf.linalg.trace(x)}


def fail(text):
    wrong = tf.debugging.Assert(tf.constant(False), ["always fails", text])
    with tf.control_dependencies([wrong]):
        return {"text": tf.identity(text)}


@pytest.fixture(scope="session")
def base_path(tmp_path_factory):
    """Version 7; an older one that is broken; and names that are no versions."""
    base_path = tmp_path_factory.mktemp("toy")
    archive = keras.export.ExportArchive()
    steps = scalar(tf.int32, "steps")
    options = [
        scalar(tf.float32, "temperature"),
        scalar(tf.int32, "top_k"),
        scalar(tf.float32, "top_p"),
    ]
    start_and_end = [
        tf.TensorSpec([None], tf.string, name="start"),
        tf.TensorSpec([None], tf.string, name="end"),
    ]
    archive.add_endpoint("sample", sample, [SEED, *options])
    archive.add_endpoint("interpolate", interpolate, [*start_and_end, steps])
    archive.add_endpoint("reconstruct", reconstruct, [TEXT])
    archive.add_endpoint("encode", encode, [TEXT])
    archive.add_endpoint("decode", lambda z: {"text": join(z)}, [Z])
    archive.add_endpoint("score", score, [TEXT, scalar(tf.int64, "seed")])
    archive.add_endpoint("spin", spin, [steps])
    archive.add_endpoint("fail", fail, [TEXT])
    archive.write_out(str(base_path / "7"), verbose=False)
    for name in ("3", "80.partial"):
        (base_path / name).mkdir()
    (base_path / "99").write_text("not a directory")
    return base_path


@pytest.fixture(scope="session")
def server(base_path):
    server = Server(base_path, "toy")
    with server:
        yield server


class ServerProcess(NamedTuple):
    """The server as a process of its own.

    Attributes:
        process: `subprocess.Popen`.
        address: where it listens.
        errors: the file of its stderr.
    """

    process: subprocess.Popen
    address: str
    errors: Path


@pytest.fixture
def start_server(tmp_path):
    """Flags -> `ServerProcess`, which is ready; killed at the end if it still runs."""
    processes = []

    def start_server(*flags: str, serving: str = "toy version 7") -> ServerProcess:
        errors = tmp_path / f"stderr-{len(processes)}"
        with open(errors, "wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "serving/server.py", "--port=0", *flags],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
            )
        processes.append(process)
        line = process.stdout.readline()
        match = re.fullmatch(rf"serving {serving} on (127\.0\.0\.1:\d+)\n", line)
        assert match, line + errors.read_text()
        return ServerProcess(process, match[1], errors)

    yield start_server
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


@contextlib.contextmanager
def under_load(call: Callable, clients: int = 4):
    """Calls from so many threads without a pause; yields what has come back so far.

    What a call raised is raised at the end.
    """
    answers = []
    enough = threading.Event()

    def call_until_enough():
        while not enough.is_set():
            answers.append(call())

    with futures.ThreadPoolExecutor(clients) as threads:
        running = [threads.submit(call_until_enough) for _ in range(clients)]
        try:
            yield answers
        finally:
            enough.set()
    for each in running:
        each.result()


class Stubs:
    """TensorFlow Serving's own stubs, as any client of it uses them."""

    def __init__(self, address: str):
        self.channel = grpc.insecure_channel(address)
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(
            self.channel
        )
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, signature: str, timeout: float | None = 20, **inputs):
        """Calls a signature; returns its outputs as arrays."""
        response = self.prediction.Predict(make_request(signature, **inputs), timeout)
        return {
            name: tf.make_ndarray(proto) for name, proto in response.outputs.items()
        }


def make_request(signature: str = "", **inputs) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "toy"
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


@pytest.fixture(name="make_request", scope="session")
def make_request_fixture():
    return make_request


@pytest.fixture(scope="session")
def connect():
    """Address -> `Stubs`; closed at the end."""
    opened = []

    def connect(address: str) -> Stubs:
        opened.append(Stubs(address))
        return opened[-1]

    yield connect
    for stubs in opened:
        stubs.channel.close()


@pytest.fixture(scope="session")
def stubs(server, connect):
    return connect(server.address)
