"""A call that is tried again where the server is unavailable, until its deadline.

gRPC's own retry policy makes five attempts at most, which miss a server that needs
seconds to start; its `wait_for_ready` waits for that one, but then says "Deadline
Exceeded" where it should say that there is no server.
"""

import math
import random
import time
from collections.abc import Callable

import grpc

INITIAL_BACKOFF = 0.1  # seconds
MAX_BACKOFF = 1.0
JITTER = 0.2  # so that clients that failed together do not come back together


def call(
    method: Callable,
    request,
    deadline: float,
    metadata=(),
    patience: float = math.inf,
):
    """Calls until there is an answer other than UNAVAILABLE, or no time left.

    Args:
        method: a stub's method.
        request: its request; a call must be safe to repeat.
        deadline: when to give up, on the clock of `time.monotonic`.
        metadata: pairs to send along.
        patience: seconds after which UNAVAILABLE is taken for an answer.

    Raises:
        grpc.RpcError: with the last attempt's code and details.
    """
    backoff = INITIAL_BACKOFF
    last_attempt = min(deadline, time.monotonic() + patience)
    while True:
        remaining = max(deadline - time.monotonic(), 0.0)
        try:
            return method(request, timeout=remaining, metadata=metadata)
        except grpc.RpcError as error:
            pause = backoff * random.uniform(1 - JITTER, 1 + JITTER)
            in_time = time.monotonic() + pause < last_attempt
            if error.code() != grpc.StatusCode.UNAVAILABLE or not in_time:
                raise
        time.sleep(pause)
        backoff = min(2 * backoff, MAX_BACKOFF)
