"""What is tried again, when, and for how long."""

import socket
import threading
import time
import types

import grpc
import numpy as np
import pytest

from serving.client import TextVAEClient, channel, retries

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
TEXT = np.array([b"it rains"], object)


class Unavailable(grpc.RpcError):
    def code(self):
        return UNAVAILABLE


@pytest.fixture
def clock(monkeypatch):
    """A clock that only `sleep` moves; the list of these sleeps."""
    sleeps = []
    clock = types.SimpleNamespace(monotonic=lambda: sum(sleeps), sleep=sleeps.append)
    monkeypatch.setattr(retries, "time", clock)
    return sleeps


@pytest.mark.parametrize(
    ("patience", "pauses", "left"),
    [
        ({}, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0], [4.0, 3.9, 3.7, 3.3, 2.5, 1.5, 0.5]),
        ({"patience": 1.0}, [0.1, 0.2, 0.4], [4.0, 3.9, 3.7, 3.3]),
    ],
)
def test_pauses_double_up_to_the_longest_and_end_before_deadline_and_patience(
    clock, monkeypatch, patience, pauses, left
):
    monkeypatch.setattr(retries, "JITTER", 0.0)
    timeouts = []

    def method(request, timeout, metadata):
        timeouts.append(timeout)
        raise Unavailable

    with pytest.raises(Unavailable):
        retries.call(method, None, deadline=4.0, **patience)
    assert clock == pauses
    np.testing.assert_allclose(timeouts, left)


def test_pauses_differ_from_client_to_client(clock):
    def method(request, timeout, metadata):
        raise Unavailable

    with pytest.raises(Unavailable):
        retries.call(method, None, deadline=1000.0)
    longest = [pause for pause in clock[4:] if 0.8 <= pause <= 1.2]
    assert len(longest) == len(clock[4:])
    assert len(set(longest)) > 100


def test_a_server_that_is_unavailable_twice_then_answers(serve, echo):
    servicer = echo([UNAVAILABLE, UNAVAILABLE])
    with TextVAEClient(serve(servicer)) as client:
        assert client.predict("any", text=TEXT)["text"].tolist() == ["it rains"]
    assert len(servicer.requests) == 3


def test_a_server_that_comes_up_within_the_deadline_answers(serve, echo, quiet_port):
    servicer = echo()
    timer = threading.Timer(0.5, serve, [servicer], {"port": quiet_port})
    timer.start()
    with TextVAEClient(f"127.0.0.1:{quiet_port}", timeout=20) as client:
        assert client.predict("any", text=TEXT)["text"].tolist() == ["it rains"]
    timer.join()
    assert len(servicer.requests) == 1


def test_a_server_that_stays_down_is_unavailable_at_the_deadline(quiet_port):
    start = time.monotonic()
    with TextVAEClient(f"127.0.0.1:{quiet_port}", timeout=0.5) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.predict("any", text=TEXT)
    assert 0.2 < time.monotonic() - start < 0.6
    assert failure.value.code() == UNAVAILABLE
    assert "Connection refused" in failure.value.details()


def test_a_client_without_patience_tries_once(serve, echo):
    servicer = echo([UNAVAILABLE])
    with TextVAEClient(serve(servicer), patience=0) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.predict("any", text=TEXT)
        assert failure.value.code() == UNAVAILABLE
        assert client.predict("any", text=TEXT)["text"].tolist() == ["it rains"]
    assert len(servicer.requests) == 2


def test_a_server_that_never_answers_is_unavailable_before_the_timeout(monkeypatch):
    faster = [
        (name, value // 20 if name.endswith("_backoff_ms") else value)
        for name, value in channel.OPTIONS
    ]
    monkeypatch.setattr(channel, "OPTIONS", faster)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        with TextVAEClient(address, timeout=5.0, patience=0) as client:
            with pytest.raises(grpc.RpcError) as failure:
                client.predict("any", text=TEXT)
    assert failure.value.code() == UNAVAILABLE
    assert "timed out" in failure.value.details()


@pytest.mark.parametrize(
    "code",
    [
        code
        for code in grpc.StatusCode
        if code not in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)
    ],
    ids=lambda code: code.name,
)
def test_no_other_failure_is_tried_again(serve, echo, code):
    servicer = echo([code])
    with TextVAEClient(serve(servicer)) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.predict("any", text=TEXT)
    assert failure.value.code() == code
    assert len(servicer.requests) == 1


def test_a_slow_server_is_called_once(serve, echo):
    servicer = echo(seconds=0.5)
    with TextVAEClient(serve(servicer), timeout=0.2) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.predict("any", text=TEXT)
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(servicer.requests) == 1


def test_the_deadline_is_that_of_all_batches(serve, echo):
    servicer = echo(seconds=0.3)
    with TextVAEClient(serve(servicer), timeout=0.5, rows_per_call=1) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.reconstruct(["a"] * 5)
    assert failure.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(servicer.requests) == 2
