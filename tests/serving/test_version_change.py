"""Versions come and go under load, and no call notices."""

import gc
import weakref

from serving.server import Server
from tests.serving.conftest import under_load, wait_for

CLIENTS = 4
LAST_VERSION = 4


def test_no_call_fails_while_versions_change(
    base_path, tmp_path, connect, make_request
):
    (tmp_path / "1").symlink_to(base_path / "7")
    with Server(tmp_path, "toy", poll_seconds=0.02) as server:
        predict = connect(server.address).prediction.Predict
        request = make_request("reconstruct", text=["a  b"])
        sessions = []
        with under_load(lambda: predict(request, 60), CLIENTS) as answers:
            for version in range(2, LAST_VERSION + 1):
                _, engine = server._models.find("toy")
                sessions.append(weakref.ref(engine._session))
                del engine
                (tmp_path / str(version)).symlink_to(base_path / "7")
                wait_for(lambda version=version: server.version == version)
                before = len(answers)
                wait_for(lambda before=before: len(answers) > before + CLIENTS)
        versions = {answer.model_spec.version.value for answer in answers}
        assert versions == set(range(1, LAST_VERSION + 1))
        gc.collect()
        assert [session() for session in sessions] == [None] * len(sessions)
