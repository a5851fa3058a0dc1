"""What Ray Serve's gRPC servers offer: the protocol's methods, and gRPC's health.

Ray imports `add_services` in each process that opens a gRPC port. Of those only the
replicas need TensorFlow, so nothing here imports it.
"""

from typing import NamedTuple

import grpc

# Health has only what `serving.service.health` offers.
METHODS = {
    "tensorflow.serving.PredictionService": (
        "Predict",
        "GetModelMetadata",
        "Classify",
        "Regress",
        "MultiInference",
    ),
    "tensorflow.serving.ModelService": ("GetModelStatus", "HandleReloadConfigRequest"),
    "grpc.health.v1.Health": ("Check",),
}


class Request(NamedTuple):
    """A request as it came.

    Args:
        data: its bytes.
        seconds: what is left until the client's deadline; None without one.
    """

    data: bytes
    seconds: float | None


def add_services(servicer, server) -> None:
    """Adds the methods to one of Ray's servers, as `gRPCOptions` has it.

    Ray puts a handler of its own in the place of each, which hands the replica what it
    got. Here that is a `Request`: grpcio would answer a malformed message UNKNOWN, and
    Ray's context lacks the deadline.

    Args:
        servicer: has the methods; Ray never calls them.
        server: Ray's own kind of `grpc.aio.Server`.
    """
    make_handler = server.service_handler_factory

    def make_handler_of_requests(**arguments):
        handler = make_handler(**arguments)

        async def handle(data, context):
            return await handler(Request(data, context.time_remaining()), context)

        return handle

    server.service_handler_factory = make_handler_of_requests
    try:
        for service, names in METHODS.items():
            handlers = {
                name: grpc.unary_unary_rpc_method_handler(getattr(servicer, name))
                for name in names
            }
            server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, handlers),)
            )
    finally:
        server.service_handler_factory = make_handler
