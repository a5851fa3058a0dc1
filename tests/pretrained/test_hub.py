"""Presets of the Hugging Face Hub: a server of loopback speaks its protocol."""

import functools
import hashlib
import http.server
import json
import re
import shutil

import pytest

from keras_textvae import TextSpace, pretrained
from tests.pretrained.conftest import serving

constants = pytest.importorskip("huggingface_hub.constants")

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASKED = r"/(?P<owner>\w+)/(?P<name>\w+)/resolve/(?P<revision>\w+)/(?P<file>[\w.]+)"


class Hub(http.server.BaseHTTPRequestHandler):
    """Answers what `snapshot_download` asks: the files of a revision, and each file."""

    def __init__(self, *args, folder, **kwargs):
        self.folder = folder
        super().__init__(*args, **kwargs)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        if re.fullmatch(r"/api/models/cat/pets/revision/(main|v1)", self.path):
            return self.answer_json({"id": "cat/pets", "sha": COMMIT, "siblings": []})
        if self.path.startswith(f"/api/models/cat/pets/tree/{COMMIT}?"):
            sizes = {p.name: p.stat().st_size for p in self.folder.iterdir()}
            entries = [
                {"type": "file", "path": name, "size": size, "oid": COMMIT}
                for name, size in (sizes | {"model.py": 5}).items()
            ]
            return self.answer_json(entries)
        asked = re.fullmatch(ASKED, self.path)
        path = self.folder / asked["file"] if asked else self.folder / "none"
        if path.exists() and asked["revision"] == COMMIT:
            return self.answer(path.read_bytes())
        self.send_response(404)
        missing = "EntryNotFound" if asked else "RepoNotFound"
        self.send_header("X-Error-Code", missing)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer_json(self, content):
        self.answer(json.dumps(content).encode())

    def answer(self, content):
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(preset, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))
    with serving(functools.partial(Hub, folder=preset)) as address:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE
        template = template.replace(constants.ENDPOINT, address)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", address)
        yield address


def test_a_preset_of_the_hub_is_downloaded_once(hub, preset, monkeypatch):
    expected = TextSpace.from_preset(preset).sample(3)
    folder = pretrained.find("hf://cat/pets")
    assert folder == pretrained.find("hf://cat/pets@v1")
    assert TextSpace.from_preset("hf://cat/pets").sample(3) == expected
    shutil.rmtree(preset)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    assert pretrained.find("hf://cat/pets") == folder


def test_nothing_but_a_preset_s_files_is_downloaded(hub, preset):
    folder = pretrained.find("hf://cat/pets")
    assert {p.name for p in preset.iterdir()} == {
        p.name for p in type(preset)(folder).iterdir()
    }


WRONG = {
    "hf://cat/dogs": "Cannot download hf://cat/dogs: ",
    "hf://cat/pets@v2": "Cannot download hf://cat/pets@v2: ",
    "hf://a/b/c": "Cannot download hf://a/b/c: ",
}


@pytest.mark.parametrize("address", WRONG)
def test_what_the_hub_lacks_is_told_in_one_line(hub, address):
    with pytest.raises(ConnectionError, match=WRONG[address]) as error:
        pretrained.find(address)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) > len(WRONG[address])


def test_a_hub_out_of_reach_is_told_in_one_line(hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ConnectionError, match="Cannot download hf://cat/pets") as error:
        pretrained.find("hf://cat/pets")
    assert "\n" not in str(error.value)
