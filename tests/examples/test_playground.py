"""The program: mistakes are one line, and Ctrl-C leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from examples import playground
from keras_textvae import Codec, TextSpace, WordTokenizer, rnnlm
from keras_textvae.pretrained import catalogue
from tests.examples.playground_app import browser
from tests.text_space.conftest import stirred

TOO_MANY = "At most one of --run_dir, --preset and --address is taken"


@pytest.fixture(scope="module")
def language_model(tmp_path_factory):
    """The folder of a space without z."""
    tokenizer = WordTokenizer("the a cat dog sees likes big old".split())
    model = stirred(rnnlm(tokenizer.vocabulary_size, 4, 4))
    folder = tmp_path_factory.mktemp("run")
    TextSpace(model, Codec(tokenizer, 5)).save(folder / "best")
    return str(folder)


def children(process):
    """The ids of the processes that a process has started."""
    tasks = f"/proc/{process.pid}/task/{process.pid}/children"
    with open(tasks) as file:
        return [int(number) for number in file.read().split()]


def test_a_run_is_served_and_ctrl_c_ends_all(language_model, tmp_path):
    pytest.importorskip("gradio")
    with browser.chromium() as chromium:
        run = browser.playground(f"--run_dir={language_model}", TMPDIR=str(tmp_path))
        with run as (process, address):
            page = browser.Page(chromium, address)
            assert page.tabs() == ["Sample", "Fill in blanks", "Score"]
            page.click("Draw")
            assert len(page.texts("#samples li")) == 10
            (server,) = children(process)
            assert any(path.name.startswith("playground-") for path in left(tmp_path))
            process.send_signal(signal.SIGINT)  # while the page is still open
            process.wait(timeout=60)
        with pytest.raises(ProcessLookupError):
            os.kill(server, 0)
        assert not left(tmp_path)


def left(folder):
    """What a program has left in its folder of temporary files."""
    return [*folder.iterdir()]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run_dir=a", "--address=b:1"], TOO_MANY),
        (["--address=b:1", "more"], TOO_MANY),
        (["--address="], "address must be host:port. Received: ''"),
        (["--run_dir=/nowhere"], "/nowhere holds no text space"),
        (["--address=nowhere"], "address must be host:port. Received: 'nowhere'"),
        (["--address=127.0.0.1:1", "--timeout=0.2"], "127.0.0.1:1, textvae: the serv"),
        (["--address=127.0.0.1:1", "--port=PORT"], "127.0.0.1:PORT: Address already"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, without_page, arguments, message):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = [argument.replace("PORT", port) for argument in arguments]
        ended = run(playground, *arguments)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith(f"playground.py: {message.replace('PORT', port)}")


def test_without_its_default_it_ends_with_one_line(
    run, without_page, monkeypatch, tmp_path
):
    name = playground.PRESET
    (tmp_path / name).mkdir()
    described = catalogue.WEIGHTS / name / "preset.json"
    (tmp_path / name / "preset.json").write_bytes(described.read_bytes())
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path)
    monkeypatch.delenv(catalogue.ELSEWHERE, raising=False)
    ended = run(playground, "--port=0")
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("playground.py: The weights of 'short-english' are not ins")


def test_without_flags_the_preset_is_opened(run, without_page, monkeypatch):
    opened = []

    def served(space, model):
        opened.append((space.codec.length, model))
        raise ValueError("enough")

    monkeypatch.setattr(playground.opening, "served", served)
    ended = run(playground, "--port=0")
    assert ended.output == ["exporting and serving short-english"]
    assert opened == [(20, "textvae")]


@pytest.fixture
def without_page(monkeypatch):
    """Stands for the page, which none of the mistakes gets to, and signals."""

    class Page:
        HOST = "127.0.0.1"

    monkeypatch.setattr(playground, "import_page", lambda uploads: Page)
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def test_without_gradio_the_extra_is_named(tmp_path):
    (tmp_path / "gradio.py").write_text("raise ImportError('no', name='gradio')")
    done = subprocess.run(
        [sys.executable, "examples/playground.py", "--address=127.0.0.1:1"],
        cwd=browser.ROOT,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    line = "playground.py: needs: pip install keras_textvae[playground]\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)
