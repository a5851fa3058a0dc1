"""The health service of gRPC, which tells whether a server is live, and ready.

Needs the extra `serving`.

| service | SERVING, until the server stops |
|---|---|
| "" | always (live) |
| `tensorflow.serving.PredictionService` | while every model is available (ready) |

Watch and List are not offered. grpcio-health-checking's own servicer has Watch, but it
sends to watchers under a lock that the end of a stream needs too, and with several
watchers it was seen to hang.
"""

import threading
from collections.abc import Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

LIVE = ""
READY = "tensorflow.serving.PredictionService"


class Health(health_pb2_grpc.HealthServicer):
    """Answers Check.

    Args:
        is_available: says whether every model is.
    """

    def __init__(self, is_available: Callable[[], bool]):
        self._is_available = is_available
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Says NOT_SERVING from now on."""
        self._stopping.set()

    def Check(self, request, context):
        response = health_pb2.HealthCheckResponse
        if request.service not in (LIVE, READY):
            context.set_code(grpc.StatusCode.NOT_FOUND)
            context.set_details("Unknown service")
            return response()
        serves = request.service == LIVE or self._is_available()
        if serves and not self._stopping.is_set():
            return response(status=response.SERVING)
        return response(status=response.NOT_SERVING)
