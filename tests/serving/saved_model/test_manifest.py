"""Checksums find every change of a version, and are those of `sha256sum`."""

import subprocess

import pytest

from serving.saved_model import manifest


@pytest.fixture
def version(tmp_path):
    (tmp_path / "variables").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "variables" / "variables.index").write_bytes(b"weights")
    manifest.write(tmp_path)
    return tmp_path


def test_what_was_written_is_right(version):
    assert manifest.faults(version) == []
    command = ["sha256sum", "--check", "--strict", manifest.NAME]
    ended = subprocess.run(command, cwd=version, capture_output=True, text=True)
    assert ended.stdout.splitlines() == [
        "saved_model.pb: OK",
        "variables/variables.index: OK",
    ]


def test_every_change_is_found(version):
    (version / "saved_model.pb").write_bytes(b"other")
    (version / "variables" / "variables.index").unlink()
    (version / "assets").mkdir()
    (version / "assets" / "new").write_bytes(b"")
    assert manifest.faults(version) == [
        "variables/variables.index is not there",
        "assets/new is not in SHA256SUMS",
        "saved_model.pb was changed",
    ]


def test_no_list_is_a_fault(version):
    (version / manifest.NAME).unlink()
    assert manifest.faults(version) == ["SHA256SUMS is not there"]
