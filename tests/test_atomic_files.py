"""What is under a name is the old file or the new one, never a part."""

import os
import signal
import subprocess
import sys

import pytest

from keras_textvae.atomic_files import new_folder, read_json, replacing, write_json

WRITER = """
import os, signal, sys
from keras_textvae.atomic_files import replacing
with replacing(sys.argv[1]) as partial, open(partial, "w") as file:
    file.write("half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text("old")
    return path


def test_the_new_file_takes_the_name_at_the_end(path):
    with replacing(str(path)) as partial:
        with open(partial, "w") as file:
            file.write("new")
        assert path.read_text() == "old"
        assert os.path.splitext(partial)[1] == ".json"
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["figures.json"]


def test_an_error_keeps_the_old_file_and_leaves_no_other(path):
    with pytest.raises(OSError, match="No space"), replacing(str(path)) as partial:
        with open(partial, "w") as file:
            file.write("half")
        raise OSError(28, "No space left on device")
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == ["figures.json"]


def test_a_kill_keeps_the_old_file_and_the_next_writer_clears_up(path):
    killed = subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    write_json(str(path), {"α": [1, None]})
    assert read_json(str(path)) == {"α": [1, None]}
    assert os.listdir(path.parent) == ["figures.json"]


def test_an_error_that_names_no_file_is_given_the_path(path):
    with pytest.raises(OSError, match=f"^{path} cannot be written: 9 requested"):
        with replacing(path):
            raise OSError("9 requested and 3 written")
    with pytest.raises(PermissionError, match="Errno 13"), replacing(path):
        raise PermissionError(13, "no")


def test_what_is_not_json_is_named(path):
    with pytest.raises(ValueError, match=r"figures.json is not JSON \(Expecting"):
        read_json(str(path))


def test_the_name_of_a_file_need_not_be_utf8(path):
    content = {"file": os.fsdecode(b"/corpus/caf\xe9.txt"), "é": "日本"}
    write_json(path, content)
    assert read_json(path) == content


def test_a_folder_is_left_only_if_it_was_renamed_whole(tmp_path):
    folder = tmp_path / "corpus"
    (tmp_path / "corpus.part").mkdir()
    (tmp_path / "corpus.part" / "left").touch()  # by one that was killed
    with pytest.raises(OSError, match="No space"), new_folder(folder) as partial:
        assert os.listdir(partial) == []
        raise OSError("No space")
    assert os.listdir(tmp_path) == []
    with new_folder(folder) as partial:
        open(os.path.join(partial, "ids"), "w").close()
        os.replace(partial, folder)
    assert os.listdir(tmp_path) == ["corpus"] and os.listdir(folder) == ["ids"]
