"""The states that the health service tells."""

from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.service import Guard
from serving.service.health import LIVE, READY, Health

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Hosted:
    """The service in a server, and a stub for it."""

    def __init__(self):
        self.is_available = True
        self.health = Health(lambda: self.is_available)
        self.server = grpc.server(futures.ThreadPoolExecutor(2), interceptors=[Guard()])
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = health_pb2_grpc.HealthStub(self.channel)

    def check(self, service: str) -> int:
        request = health_pb2.HealthCheckRequest(service=service)
        return self.stub.Check(request, timeout=20).status


@pytest.fixture
def hosted():
    hosted = Hosted()
    hosted.server.start()
    yield hosted
    hosted.channel.close()
    hosted.server.stop(0).wait()


def test_server_is_live_whether_or_not_the_models_are_available(hosted):
    assert (hosted.check(LIVE), hosted.check(READY)) == (SERVING, SERVING)
    hosted.is_available = False
    assert (hosted.check(LIVE), hosted.check(READY)) == (SERVING, NOT_SERVING)
    hosted.is_available = True
    assert hosted.check(READY) == SERVING


def test_stopping_server_is_neither_live_nor_ready(hosted):
    hosted.health.stop()
    assert (hosted.check(LIVE), hosted.check(READY)) == (NOT_SERVING, NOT_SERVING)


def test_unknown_service_is_not_found(hosted):
    with pytest.raises(grpc.RpcError) as refusal:
        hosted.check("tensorflow.serving.Unknown")
    assert refusal.value.code() == grpc.StatusCode.NOT_FOUND
    assert refusal.value.details() == "Unknown service"


def test_watch_and_list_are_unimplemented(hosted):
    with pytest.raises(grpc.RpcError) as refusal:
        hosted.stub.List(health_pb2.HealthListRequest(), timeout=20)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    with pytest.raises(grpc.RpcError) as refusal:
        next(hosted.stub.Watch(health_pb2.HealthCheckRequest(), timeout=20))
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
