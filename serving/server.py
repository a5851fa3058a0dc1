"""Serves exported models over gRPC, with TensorFlow Serving's own protocol.

    python serving/server.py --model_base_path=exported/textvae --port=8500
    python serving/server.py --models_config=models.config --poll_seconds=5

The models are loaded, then one line says that the server is ready. SIGTERM and SIGINT
let the calls in flight finish, then stop it.

The health service, --metrics_port and --reflection come with
`pip install keras_textvae[serving]`; the rest works without.
"""

import importlib
import os
import pathlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent import futures

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import grpc
from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from tensorflow_serving.apis import (
        model_service_pb2_grpc,
        prediction_service_pb2_grpc,
    )

    from serving import server_flags
    from serving.models import ModelConfig, Models
    from serving.observers import CallLog
    from serving.saved_model import gate, manifest
    from serving.server_flags import define_flags
    from serving.service import BearerToken, Certificates, Guard, Servicer

GRACE = 20.0  # seconds; Kubernetes kills after 30
ANSWERING = 1.0  # seconds, for the last answers to get through
# Seconds after which a client with calls is asked whether it is there, and in which it
# must answer. By default a machine that is gone would keep its threads for two hours.
PING_AFTER = 30.0
PING_PATIENCE = 20.0
# Threads beyond the calls in flight, so that a refusal or a status never waits.
SPARE_THREADS = 4
SERVICES = ("tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


class Server:
    """Models behind gRPC; also a context manager that starts and stops it.

    Args:
        models: the directory that holds the versions of one model, or a `ModelConfig`
            for each of several.
        model_name: the name by which clients ask for the one model.
        host: the address to listen on.
        port: the port to listen on; 0 picks a free one.
        grpc_max_message_mib: the largest request, in MiB.
        max_calls_in_flight: Predict calls that may run at the same time.
        poll_seconds: how often to look for new versions; 0 is never.
        verify: whether a version must pass the gate, and have the files of its
            `SHA256SUMS`, before it is loaded.
        certificates: `Certificates`, or None for no TLS.
        token: `BearerToken`, or None to answer everybody.
        reflection: whether clients may list the methods.
        observers: each is called with the `Call` after each Predict.

    Raises:
        ValueError: if the extra `serving` is missing and `reflection` needs it.
    """

    def __init__(
        self,
        models: str | os.PathLike | Iterable[ModelConfig],
        model_name: str = "textvae",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        grpc_max_message_mib: int = 16,
        max_calls_in_flight: int = 64,
        poll_seconds: float = 0.0,
        verify: bool = False,
        certificates: Certificates | None = None,
        token: BearerToken | None = None,
        reflection: bool = False,
        observers: Iterable[Callable] = (),
    ):
        if isinstance(models, str | os.PathLike):
            models = [ModelConfig(model_name, models)]
        self.address = None
        self._host = f"[{host}]" if ":" in host else host
        self._port = port
        self._poll_seconds = poll_seconds
        self._certificates = certificates
        self._observers = list(observers)
        self._models = Models(models, faults if verify else None)
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_calls_in_flight + SPARE_THREADS),
            interceptors=[token, Guard()] if token else [Guard()],
            options=[
                ("grpc.max_receive_message_length", grpc_max_message_mib * 2**20),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # a port in use is an error
                ("grpc.keepalive_time_ms", round(PING_AFTER * 1000)),
                ("grpc.http2.ping_timeout_ms", round(PING_PATIENCE * 1000)),
            ],
        )
        self._servicer = Servicer(self._models, max_calls_in_flight, self._observe)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            self._servicer, self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            self._servicer, self._server
        )
        self._health = self._add_health()
        if reflection:
            self._add_reflection()

    def _observe(self, call) -> None:
        for observe in self._observers:
            observe(call)

    def _add_health(self):
        try:
            from grpc_health.v1 import health_pb2_grpc

            from serving.service.health import Health
        except ImportError:  # the server works without, unless probes ask for health
            return None
        health = Health(lambda: self._models.available)
        health_pb2_grpc.add_HealthServicer_to_server(health, self._server)
        return health

    def _add_reflection(self) -> None:
        reflection = import_extra("grpc_reflection.v1alpha.reflection", "reflection")
        names = (*SERVICES, "grpc.health.v1.Health", reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    @property
    def versions(self) -> dict[str, int]:
        """The newest version that is served, by model."""
        return {name: self._models.find(name)[0] for name in self._models.names}

    @property
    def version(self) -> int:
        """That of the one model, or of the first."""
        return next(iter(self.versions.values()))

    def start(self) -> "Server":
        """Loads the models, then listens; sets `address`.

        Raises:
            FileNotFoundError: if there is no version to serve.
            ValueError: if no version of a model can be loaded.
            OSError: if the address cannot be listened on.
        """
        usable_port(self._host, self._port)
        try:
            self._models.load()
            self.address = f"{self._host}:{self._add_port()}"
        except BaseException:
            self.stop(grace=0)
            raise
        if self._poll_seconds:
            self._models.watch(self._poll_seconds)
        self._server.start()
        return self

    def _add_port(self) -> int:
        address = f"{self._host}:{self._port}"
        if self._certificates is None:
            return self._server.add_insecure_port(address)
        credentials = self._certificates.server_credentials()
        return self._server.add_secure_port(address, credentials)

    def stop(self, grace: float = GRACE) -> None:
        """Drains, then stops. A call that comes meanwhile may be CANCELLED.

        Args:
            grace: seconds after which the calls that still run are stopped.
        """
        self.drain(grace)
        self._server.stop(ANSWERING).wait()
        self._models.close()

    def drain(self, grace: float = GRACE) -> None:
        """Is not ready, answers new calls UNAVAILABLE, waits for those in flight.

        Args:
            grace: seconds to wait at most.
        """
        if self._health:
            self._health.stop()
        self._servicer.drain(grace)

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()


def usable_port(host: str, port: int) -> int:
    """The port, or a free one for 0.

    Raises:
        OSError: if it cannot be listened on, with the reason, which gRPC only writes to
            stderr.
    """
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), port)[0]
        with socket.create_server(address[:2], family=family) as listener:
            return listener.getsockname()[1]
    except OSError as error:
        reason = error.strerror.partition(" (")[0]
        raise OSError(f"{host}:{port}: {reason}") from None


def faults(directory: pathlib.Path) -> list[str]:
    """What is forbidden in a version, or not as it was exported, a line each."""
    return [*gate.faults(directory), *manifest.faults(directory)]


def import_extra(module: str, flag: str):
    """Imports a module of the extra `serving`; ValueError names the flag without it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ValueError(
            f"--{flag} needs: pip install keras_textvae[serving]"
        ) from None


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise ValueError(f"unexpected argument {argv[1]!r}")
    values = flags.FLAGS
    observers = []
    if values.log_calls:
        observers.append(CallLog(sys.stderr).observe)
    if values.metrics_port:
        metrics = import_extra("serving.observers.metrics", "metrics_port").Metrics()
        metrics.serve(values.metrics_port)
        observers.append(metrics.observe)
    server = Server(
        server_flags.models(values),
        host=values.host,
        port=values.port,
        grpc_max_message_mib=values.grpc_max_message_mib,
        max_calls_in_flight=values.max_calls_in_flight,
        poll_seconds=values.poll_seconds,
        verify=values.verify,
        certificates=server_flags.certificates(values),
        token=server_flags.token(values),
        reflection=values.reflection,
        observers=observers,
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    server.start()
    versions = ", ".join(
        f"{name} version {version}" for name, version in server.versions.items()
    )
    print(f"serving {versions} on {server.address}", flush=True)
    stopping.wait()
    server.drain()
    time.sleep(ANSWERING)
    # To stop gRPC would be to cancel the calls that come meanwhile, which no client
    # tries again. To end is to close their connections, which is UNAVAILABLE.
    os._exit(0)


if __name__ == "__main__":
    run(main, define_flags)
