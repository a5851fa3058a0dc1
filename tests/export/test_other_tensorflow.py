"""Another version of TensorFlow is installed once, or the reason why not is told."""

import subprocess

import pytest

from export import other_tensorflow


@pytest.fixture
def installing(monkeypatch, tmp_path):
    """The commands that install; `installing.code` is what they end with."""

    class Commands(list):
        code = 0

    commands = Commands()

    def run(command, **options):
        commands.append([str(word) for word in command])
        return subprocess.CompletedProcess(
            command, commands.code, "", "resolving\nERROR: no such version\n"
        )

    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path))
    monkeypatch.setattr(
        other_tensorflow.venv, "create", lambda folder, **_: folder.mkdir(exist_ok=True)
    )
    monkeypatch.setattr(other_tensorflow.subprocess, "run", run)
    return commands


def test_it_is_installed_once(installing, tmp_path):
    interpreter = str(tmp_path / "tensorflow-2.20" / "bin" / "python")
    for _ in range(2):
        assert other_tensorflow.python("2.20") == interpreter
    (command,) = installing
    assert command[0] == interpreter
    assert command[-3:] == [
        "tensorflow==2.20.*",
        "tensorflow-text==2.20.*",
        "tensorflow-serving-api==2.20.*",
    ]


def test_what_fails_is_one_line_and_tried_again(installing):
    installing.code = 1
    message = "TensorFlow 0.1 cannot be installed: ERROR: no such version"
    with pytest.raises(ValueError, match=message):
        other_tensorflow.python("0.1")
    installing.code = 0
    assert other_tensorflow.python("0.1")
    assert len(installing) == 2
