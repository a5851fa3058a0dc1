"""Small servers that answer as they are told, and the program as a process."""

import os
import socket
import subprocess
import sys
import time
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

ROOT = Path(__file__).resolve().parents[3]


class Echo(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers the inputs as outputs, after one failure for each of `codes`.

    `requests` and `metadata` are those of every call, in order.
    """

    def __init__(self, codes=(), seconds: float = 0.0):
        self._codes = iter(codes)
        self._seconds = seconds
        self.requests = []
        self.metadata = []

    def Predict(self, request, context):
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        time.sleep(self._seconds)
        code = next(self._codes, None)
        if code is not None:
            context.abort(code, "as\n\ttold")
        return predict_pb2.PredictResponse(outputs=request.inputs)


@pytest.fixture
def serve():
    """Servicer, perhaps with credentials or a port -> the address; stopped at the end.

    A port may be one that a socket holds without listening.
    """
    servers = []

    def serve(servicer, credentials=None, port: int = 0) -> str:
        server = grpc.server(futures.ThreadPoolExecutor(2))
        servers.append(server)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            servicer, server
        )
        if credentials is None:
            port = server.add_insecure_port(f"127.0.0.1:{port}")
        else:
            port = server.add_secure_port(f"127.0.0.1:{port}", credentials)
        server.start()
        return f"127.0.0.1:{port}"

    yield serve
    for server in servers:
        server.stop(0).wait()


@pytest.fixture(scope="session")
def echo():
    return Echo


@pytest.fixture
def quiet_port():
    """A port where nobody listens, kept from anyone but a server of these tests."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture(scope="session")
def start_program():
    """Arguments -> the program as a process, with pipes."""
    # A user's output is buffered.
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}

    def start_program(*arguments: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "serving/client", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start_program


@pytest.fixture(scope="session")
def program(start_program):
    """Arguments and standard input -> exit code, standard output, standard error."""

    def program(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        with start_program(*arguments) as process:
            output = process.communicate(stdin, timeout=60)
        return process.returncode, *output

    return program
