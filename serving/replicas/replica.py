"""What a replica of Ray Serve runs: the embedded server's servicer.

Nothing here imports Ray, which calls a `Replica`'s methods by the protocol's names.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from concurrent import futures

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

from serving.models import ModelConfig, Models
from serving.observers import CallLog
from serving.replicas.services import Request
from serving.server import SPARE_THREADS, faults
from serving.service import Servicer
from serving.service.health import Health


class Context:
    """What the servicer wants of a call's context, made of Ray's.

    Args:
        grpc_context: Ray's, which takes a status code and details.
        seconds: what is left until the client's deadline; None without one.
    """

    def __init__(self, grpc_context, seconds: float | None):
        self._end = None if seconds is None else time.monotonic() + seconds
        self.set_code = grpc_context.set_code
        self.set_details = grpc_context.set_details

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())


def hosted(host: str, method):
    """A method of a replica.

    Ray keeps a status code and details that are set on its context; with an exception
    it would write the words to its log.

    Args:
        host: the attribute of the replica whose method answers.
        method: the method's descriptor.
    """
    request_type = message_factory.GetMessageClass(method.input_type)
    response_type = message_factory.GetMessageClass(method.output_type)

    def answer(self, data, context):
        try:
            request = request_type.FromString(data)
        except DecodeError:
            context.set_code(grpc.StatusCode.INTERNAL)
            context.set_details("Malformed request")
            return response_type()
        return getattr(getattr(self, host), method.name)(request, context)

    async def call(self, request: Request, grpc_context):
        return await asyncio.get_running_loop().run_in_executor(
            self._threads,
            answer,
            self,
            request.data,
            Context(grpc_context, request.seconds),
        )

    return call


PREDICTION = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]
MODEL = model_service_pb2.DESCRIPTOR.services_by_name["ModelService"]
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]


class Replica:
    """Loaded models, and what answers for them.

    Args:
        configs: the models to serve.
        max_calls_in_flight: Predict calls that may run here at the same time.
        poll_seconds: how often to look for new versions; 0 is never.
        verify: whether a version must pass the gate before it is loaded.
        log_calls: whether to write a line for each Predict call to stderr.
    """

    def __init__(
        self,
        configs: Sequence[ModelConfig],
        max_calls_in_flight: int,
        poll_seconds: float,
        verify: bool,
        log_calls: bool,
    ):
        self._models = Models(configs, faults if verify else None)
        self._models.load()
        if poll_seconds:
            self._models.watch(poll_seconds)
        observe = CallLog(sys.stderr).observe if log_calls else None
        self._servicer = Servicer(self._models, max_calls_in_flight, observe)
        self._health = Health(lambda: self._models.available)
        # Ray runs every call of a replica in one thread, which must not wait.
        self._threads = futures.ThreadPoolExecutor(max_calls_in_flight + SPARE_THREADS)

    Predict = hosted("_servicer", PREDICTION.methods_by_name["Predict"])
    GetModelMetadata = hosted(
        "_servicer", PREDICTION.methods_by_name["GetModelMetadata"]
    )
    Classify = hosted("_servicer", PREDICTION.methods_by_name["Classify"])
    Regress = hosted("_servicer", PREDICTION.methods_by_name["Regress"])
    MultiInference = hosted("_servicer", PREDICTION.methods_by_name["MultiInference"])
    GetModelStatus = hosted("_servicer", MODEL.methods_by_name["GetModelStatus"])
    HandleReloadConfigRequest = hosted(
        "_servicer", MODEL.methods_by_name["HandleReloadConfigRequest"]
    )
    Check = hosted("_health", HEALTH.methods_by_name["Check"])

    async def versions(self) -> dict[str, int]:
        """The newest version that is served, by model."""
        return {name: self._models.find(name)[0] for name in self._models.names}

    async def drain(self, seconds: float) -> None:
        """Is not ready, refuses new calls, and waits for those in flight.

        Args:
            seconds: to wait at most.
        """
        self._health.stop()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._servicer.drain, seconds)
