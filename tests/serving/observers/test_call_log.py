"""What a line of the log of calls holds."""

import datetime
import io
import json
import os
import threading

import grpc
import pytest

from serving.observers import CallLog
from serving.service import Call

CALL = Call(
    model="toy",
    known=True,
    version=7,
    signature="encode",
    rows=3,
    code=grpc.StatusCode.OK,
    seconds=0.0123456,
    runtime_seconds=0.01,
)


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def log(stream):
    return CallLog(stream)


def test_line_of_a_call(log, stream):
    log.observe(CALL)
    record = json.loads(stream.getvalue())
    time = datetime.datetime.fromisoformat(record.pop("time"))
    age = datetime.datetime.now(datetime.UTC) - time
    assert datetime.timedelta() <= age < datetime.timedelta(seconds=20)
    assert record == {
        "model": "toy",
        "version": 7,
        "signature": "encode",
        "rows": 3,
        "code": "OK",
        "milliseconds": 12.346,
    }


def test_names_of_clients_are_cut_and_stay_on_one_line(log, stream):
    log.observe(CALL._replace(model="x\n" * 1000, known=False, signature="é" * 1000))
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["model"] == "x\n" * 32
    assert json.loads(line)["signature"] == "é" * 64
    assert line.isascii()


def test_lines_of_many_threads_do_not_mix(log, stream):
    calls = [CALL._replace(rows=rows) for rows in range(200)]
    threads = [threading.Thread(target=log.observe, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert sorted(json.loads(line)["rows"] for line in lines) == list(range(200))


def test_a_log_that_is_gone_fails_no_call():
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    CallLog(stream).observe(CALL)
    with pytest.raises(BrokenPipeError):
        stream.close()
