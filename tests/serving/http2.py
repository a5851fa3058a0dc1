"""A call of Predict in HTTP/2's own frames: what comes when is the test's choice."""

import socket
from collections.abc import Iterator
from typing import NamedTuple

DATA, HEADERS, SETTINGS, WINDOW_UPDATE = 0, 1, 4, 8
ACK, END_STREAM, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE = 4  # a setting
FIELDS = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/tensorflow.serving.PredictionService/Predict",
    ":authority": "localhost",
    "content-type": "application/grpc",
    "te": "trailers",
}


class Frame(NamedTuple):
    """What both sides send."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    def encode(self) -> bytes:
        length = len(self.payload).to_bytes(3, "big")
        stream = self.stream.to_bytes(4, "big")
        return length + bytes([self.kind, self.flags]) + stream + self.payload


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=60)


def opening(window: int = 2**16 - 1) -> bytes:
    """How a connection begins.

    Args:
        window: bytes of an answer that may come before `allow` allows more.
    """
    setting = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + window.to_bytes(4, "big")
    settings = Frame(SETTINGS, 0, 0, setting), Frame(SETTINGS, ACK, 0, b"")
    encoded = b"".join(frame.encode() for frame in settings)
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + encoded


def headers(stream: int = 1) -> bytes:
    """How a call begins. Streams have odd numbers, in order."""
    fields = b"".join(
        b"\0" + _string(name) + _string(value) for name, value in FIELDS.items()
    )
    return Frame(HEADERS, END_HEADERS, stream, fields).encode()


def data(message: bytes, stream: int = 1) -> bytes:
    """The call's message, of 16 kB at most, and its end."""
    prefixed = b"\0" + len(message).to_bytes(4, "big") + message
    return Frame(DATA, END_STREAM, stream, prefixed).encode()


def allow(size: int, stream: int = 1) -> bytes:
    """Lets more bytes of an answer come."""
    return b"".join(
        Frame(WINDOW_UPDATE, 0, each, size.to_bytes(4, "big")).encode()
        for each in (0, stream)
    )


def frames(connection: socket.socket) -> Iterator[Frame]:
    """What comes, until the server ends the connection."""
    with connection.makefile("rb") as file:
        while start := file.read(9):
            length, kind, flags = int.from_bytes(start[:3], "big"), start[3], start[4]
            stream = int.from_bytes(start[5:], "big")
            yield Frame(kind, flags, stream, file.read(length))


def answer(frames: Iterator[Frame]) -> Iterator[bytes]:
    """The data of the one call's answer, piece by piece."""
    for frame in frames:
        if frame.kind == DATA:
            yield frame.payload
        elif frame.kind == HEADERS and frame.flags & END_STREAM:
            return


def _string(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()
