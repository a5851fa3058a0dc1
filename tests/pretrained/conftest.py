"""A tiny preset, and a server of a folder's files."""

import contextlib
import functools
import http.server
import threading

import pytest

from keras_textvae.pretrained import About
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from keras_textvae.zoo import lstm_vae
from tests.text_space.conftest import DENSITY, LENGTH, stirred

ABOUT = About(
    summary="Sentences of cats and dogs.",
    corpus="eight words",
    language="en",
    licence="CC-BY-2.0",
    attribution="By nobody.",
    command="examples/train.py --recipe=none",
    limits="All of it.",
    ends=["the cät", "a dog"],
    figures={"bound": 12.5, "kl": 3.25},
    excerpts={"Samples": ["the cat", "a dog"]},
)


@pytest.fixture(scope="session")
def space():
    tokenizer = WordTokenizer("the a cat dog sees likes big old".split())
    model = lstm_vae(tokenizer.vocabulary_size, 5, 8, 3, z_every_step=True)
    return TextSpace(stirred(model), Codec(tokenizer, LENGTH), DENSITY, fitted=True)


@pytest.fixture
def preset(space, tmp_path):
    """The folder of a preset."""
    folder = tmp_path / "published" / "cats"
    space.save_to_preset(folder, ABOUT)
    return folder


class Files(http.server.SimpleHTTPRequestHandler):
    """Serves a folder: `pages` instead of files, of which `limit` bytes arrive."""

    def __init__(self, *args, server_files, **kwargs):
        self.files = server_files
        super().__init__(*args, directory=str(server_files.folder), **kwargs)

    def do_GET(self):
        self.files.asked.append(self.path)
        page = self.files.pages.get(self.path)
        if page is None:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page[: self.files.limit])

    def log_message(self, *_):
        pass


class ServedFolder:
    """What a test asks and changes of the server."""

    def __init__(self, folder):
        self.folder = folder
        self.asked = []
        self.pages = {}
        self.limit = None


@contextlib.contextmanager
def serving(handler):
    """Runs a server of loopback; gives its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}"
        finally:
            running.shutdown()
            thread.join()


@pytest.fixture
def web(preset):
    """A server of the folder that the preset's folder is in."""
    files = ServedFolder(preset.parent)
    with serving(functools.partial(Files, server_files=files)) as address:
        files.address = address
        yield files
