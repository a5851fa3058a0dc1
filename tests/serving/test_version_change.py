"""Versions come and go under load, and no call notices."""

import gc
import threading
import time
import weakref

import grpc
import pytest

from serving.models import Models
from serving.models_config import ModelConfig
from serving.servicer import Servicer

CALLERS = 4
LAST_VERSION = 4


class Context:
    """A host that keeps the code of a call."""

    code = grpc.StatusCode.OK

    def time_remaining(self):
        return None

    def set_code(self, code):
        self.code = code

    def set_details(self, details):
        self.details = details


@pytest.fixture
def models(base_path, tmp_path):
    (tmp_path / "1").symlink_to(base_path / "7")
    models = Models([ModelConfig("toy", tmp_path)])
    models.load()
    models.watch(seconds=0.02)
    yield models
    models.close()


def test_no_call_fails_while_versions_change(models, base_path, tmp_path, make_request):
    request = make_request("reconstruct", text=["a  b"])
    calls = []  # version and code of each
    servicer = Servicer(
        models, CALLERS, lambda call: calls.append((call.version, call.code))
    )
    stopping = threading.Event()

    def call_without_end():
        while not stopping.is_set():
            servicer.Predict(request, Context())

    callers = [threading.Thread(target=call_without_end) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    sessions = []
    for version in range(2, LAST_VERSION + 1):
        sessions.append(weakref.ref(models.find("toy")[1]._session))
        (tmp_path / str(version)).symlink_to(base_path / "7")
        wait_for(lambda version=version: models.find("toy")[0] == version)
        answered = len(calls)
        wait_for(lambda answered=answered: len(calls) > answered + CALLERS)
    stopping.set()
    for caller in callers:
        caller.join()

    assert {code for _, code in calls} == {grpc.StatusCode.OK}
    assert {version for version, _ in calls} == set(range(1, LAST_VERSION + 1))
    gc.collect()
    assert [session() for session in sessions] == [None] * len(sessions)


def wait_for(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
