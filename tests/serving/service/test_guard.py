"""What the guard makes of bad bytes and of errors."""

import json
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health_pb2

from serving.service import Guard

TEXT = "what a user wrote"


def fail(request, context):
    raise ValueError(TEXT)


def offer_nothing(request, context):
    raise NotImplementedError(TEXT)


def refuse_once(request, context, asked=[]):  # noqa: B006  (kept between calls)
    if not asked:
        context.set_code(grpc.StatusCode.UNAVAILABLE)
        context.set_details("not yet")
    asked.append(request)
    return request


def count(request, context):
    yield from (request, request)


@pytest.fixture(scope="module")
def channel():
    """To a server whose methods are those above; a request is its own answer."""
    request, codec = health_pb2.HealthCheckRequest, grpc.unary_unary_rpc_method_handler
    coding = request.FromString, request.SerializeToString
    handlers = {
        "Fail": codec(fail, *coding),
        "OfferNothing": codec(offer_nothing, *coding),
        "Echo": codec(lambda request, context: request, *coding),
        "RefuseOnce": codec(refuse_once, *coding),
        "Count": grpc.unary_stream_rpc_method_handler(count, *coding),
    }
    server = grpc.server(futures.ThreadPoolExecutor(2), interceptors=[Guard()])
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("test.Service", handlers)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.address = f"127.0.0.1:{port}"
        yield channel
    server.stop(0).wait()


@pytest.mark.parametrize(
    "method, data, code, line",
    [
        ("Fail", b"", grpc.StatusCode.INTERNAL, "Internal ValueError"),
        (
            "OfferNothing",
            b"",
            grpc.StatusCode.UNIMPLEMENTED,
            "Method not implemented",
        ),
        ("Echo", b"\xff\xff\xff", grpc.StatusCode.INTERNAL, "Malformed request"),
        ("Unknown", b"", grpc.StatusCode.UNIMPLEMENTED, "Method not found!"),
    ],
)
def test_error_is_one_line_and_stays_out_of_the_log(
    channel, method, data, code, line, caplog, capfd
):
    with pytest.raises(grpc.RpcError) as refusal:
        channel.unary_unary(f"/test.Service/{method}")(data, timeout=20)
    assert (refusal.value.code(), refusal.value.details()) == (code, line)
    assert TEXT not in caplog.text + "".join(capfd.readouterr())
    assert channel.unary_unary("/test.Service/Echo")(b"", timeout=20) == b""


def test_internal_error_is_logged_with_its_method(channel, caplog):
    with pytest.raises(grpc.RpcError):
        channel.unary_unary("/test.Service/Fail")(b"", timeout=20)
    assert caplog.messages == ["/test.Service/Fail: Internal ValueError"]


def test_streams_are_parsed_too(channel):
    call = channel.unary_stream("/test.Service/Count")
    assert list(call(b"", timeout=20)) == [b"", b""]
    with pytest.raises(grpc.RpcError) as refusal:
        list(call(b"\xff\xff\xff", timeout=20))
    assert refusal.value.code() == grpc.StatusCode.INTERNAL
    assert refusal.value.details() == "Malformed request"


def test_a_refusal_is_tried_again_by_grpc_itself(channel):
    policy = {
        "maxAttempts": 2,
        "initialBackoff": "0.01s",
        "maxBackoff": "0.01s",
        "backoffMultiplier": 1,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config = {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}
    options = [("grpc.service_config", json.dumps(config))]
    with grpc.insecure_channel(channel.address, options) as retrying:
        assert retrying.unary_unary("/test.Service/RefuseOnce")(b"", timeout=20) == b""
