"""Serves an exported model over gRPC, with TensorFlow Serving's own protocol.

    python serving/server.py --model_base_path=exported/textvae --port=8500

The newest version under the base path is loaded, then one line says that the server is
ready. SIGTERM and SIGINT let the calls in flight finish, then stop it.
"""

import os
import pathlib
import signal
import socket
import sys
import threading
from concurrent import futures

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import grpc
from absl import flags
from google.protobuf.message import DecodeError

from serving.command_line import quiet_imports, run

with quiet_imports():
    from tensorflow_serving.apis import (
        model_service_pb2_grpc,
        prediction_service_pb2_grpc,
    )

    from serving.model_versions import ModelVersions
    from serving.servicer import Servicer

GRACE = 20.0  # seconds; Kubernetes kills after 30
# Threads beyond the calls in flight, so that a refusal or a status never waits.
SPARE_THREADS = 4


class RequestParser(grpc.ServerInterceptor):
    """Parses the requests, so that grpcio need not.

    A request that grpcio itself cannot parse costs it 20 kB for ever.
    """

    def intercept_service(self, continuation, handler_call_details):
        handler = continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler

        def answer(data, context):
            try:
                request = handler.request_deserializer(data)
            except DecodeError:
                context.abort(grpc.StatusCode.INTERNAL, "Malformed request")
            return handler.unary_unary(request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, response_serializer=handler.response_serializer
        )


class Server:
    """A model behind gRPC; also a context manager that starts and stops it.

    Args:
        model_base_path: directory that holds the version directories.
        model_name: the name by which clients ask for the model.
        host: the address to listen on.
        port: the port to listen on; 0 picks a free one.
        grpc_max_message_mib: the largest request, in MiB.
        max_calls_in_flight: Predict calls that may run at the same time.
    """

    def __init__(
        self,
        model_base_path: str | os.PathLike,
        model_name: str = "textvae",
        host: str = "127.0.0.1",
        port: int = 0,
        grpc_max_message_mib: int = 16,
        max_calls_in_flight: int = 64,
    ):
        self.model_name = model_name
        self.version = None
        self.address = None
        self._host = f"[{host}]" if ":" in host else host
        self._port = port
        self._versions = ModelVersions(model_base_path)
        servicer = Servicer({model_name: self._versions}, max_calls_in_flight)
        self._server = grpc.server(
            futures.ThreadPoolExecutor(max_calls_in_flight + SPARE_THREADS),
            interceptors=[RequestParser()],
            options=[
                ("grpc.max_receive_message_length", grpc_max_message_mib * 2**20),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),  # a port in use is an error
            ],
        )
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            servicer, self._server
        )
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(
            servicer, self._server
        )

    def start(self) -> "Server":
        """Loads the newest version, then listens; sets `version` and `address`.

        Raises:
            FileNotFoundError: if there is no version to serve.
            ValueError: if the newest version cannot be loaded.
            OSError: if the address cannot be listened on.
        """
        self.version = self._versions.load_newest()
        self._check_address()
        port = self._server.add_insecure_port(f"{self._host}:{self._port}")
        self.address = f"{self._host}:{port}"
        self._server.start()
        return self

    def _check_address(self) -> None:
        """Raises OSError with the reason, which gRPC only writes to stderr."""
        host = self._host.strip("[]")
        try:
            family, *_, address = socket.getaddrinfo(host, self._port)[0]
            socket.create_server(address[:2], family=family).close()
        except OSError as error:
            reason = error.strerror.partition(" (")[0]
            raise OSError(f"{self._host}:{self._port}: {reason}") from None

    def stop(self, grace: float = GRACE) -> None:
        """Refuses new calls, gives those in flight `grace` seconds, then stops."""
        self._server.stop(grace).wait()
        self._versions.close()

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()


def define_flags() -> None:
    # In a function, so that importing this module leaves a program's flags alone.
    flags.DEFINE_string(
        "model_base_path",
        None,
        "Directory of the versions; must be given.",
        required=True,
    )
    flags.DEFINE_string("model_name", "textvae", "The name that clients ask for.")
    flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
    flags.DEFINE_integer(
        "port", 8500, "Port to listen on; 0 is any free one.", 0, 65535
    )
    flags.DEFINE_integer("grpc_max_message_mib", 16, "Largest request, MiB.", 1, 2047)
    flags.DEFINE_integer(
        "max_calls_in_flight", 64, "Predict calls that may run at the same time.", 1
    )


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise ValueError(f"unexpected argument {argv[1]!r}")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    values = flags.FLAGS
    server = Server(
        values.model_base_path,
        values.model_name,
        values.host,
        values.port,
        values.grpc_max_message_mib,
        values.max_calls_in_flight,
    )
    server.start()
    print(
        f"serving {server.model_name} version {server.version} on {server.address}",
        flush=True,
    )
    stopping.wait()
    server.stop()


if __name__ == "__main__":
    run(main, define_flags)
