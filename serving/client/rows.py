"""Rows that a user gives, each with its place, and what becomes of one that is bad.

Answers to the other rows come all the same.
"""

import codecs
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import grpc


class Row(NamedTuple):
    """A line of standard input without its end, or a flag's value; where it stands."""

    place: str
    content: bytes


class Refused(NamedTuple):
    """A row that is at fault: where it stands, and why it has no answer."""

    place: str
    reason: str


def of_flag(name: str, values: Iterable[str]) -> Iterator[Row]:
    """The values of a flag that may be repeated."""
    for number, value in enumerate(values, start=1):
        yield Row(f"--{name} {number}", os.fsencode(value))


def of_input() -> Iterator[Row]:
    """The lines of standard input; a byte-order mark before the first is dropped."""
    for number, line in enumerate(sys.stdin.buffer, start=1):
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        content = line.removesuffix(b"\n").removesuffix(b"\r")
        yield Row(f"standard input, line {number}", content)


def answers(batch: list[Row], ask: Callable[[list[str]], dict]) -> Iterator:
    """The answers to rows, as `ask` gives them, and `Refused` where a row is at fault.

    If the whole batch is refused, each half of it is asked, until the row is found.
    """
    try:
        answer = ask([_text(row.content) for row in batch])
    except ValueError as error:
        reason = str(error)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.INVALID_ARGUMENT:
            raise
        if "version label" in error.details():  # an unknown one, of no row
            raise
        reason = f"INVALID_ARGUMENT: {error.details()}"
    else:
        yield answer
        return
    if len(batch) == 1:
        yield Refused(batch[0].place, reason)
        return
    half = len(batch) // 2
    yield from answers(batch[:half], ask)
    yield from answers(batch[half:], ask)


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 ({error})") from None
