"""Files of arrays: the same as those of the library `safetensors`, and damaged ones."""

import json
import struct

import ml_dtypes
import numpy as np
import pytest

from keras_textvae import safetensors

RNG = np.random.default_rng(0)
ARRAYS = {
    "a": RNG.normal(size=(2, 3)).astype("float32"),
    "b/half": RNG.normal(size=5).astype(ml_dtypes.bfloat16),
    "scalar": np.array(-5, "int32"),
    "empty": np.zeros((0, 4), "float32"),
    "flags": np.array([True, False]),
    "turned": RNG.normal(size=(3, 2)).T,
}


def assert_same(arrays):
    assert arrays.keys() == ARRAYS.keys()
    for name, expected in ARRAYS.items():
        assert arrays[name].dtype == expected.dtype
        np.testing.assert_array_equal(arrays[name], expected)


def test_arrays_come_back(tmp_path):
    safetensors.write(tmp_path / "x", ARRAYS, {"of": "a test"})
    arrays, metadata = safetensors.read(tmp_path / "x")
    assert_same(arrays)
    assert metadata == {"of": "a test"}


def test_the_library_reads_what_is_written_and_writes_what_is_read(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    safetensors.write(tmp_path / "ours", ARRAYS, {"of": "a test"})
    assert_same(library.load_file(tmp_path / "ours"))
    contiguous = {name: np.ascontiguousarray(a) for name, a in ARRAYS.items()}
    contiguous["scalar"] = ARRAYS["scalar"]
    library.save_file(contiguous, tmp_path / "theirs", {"of": "a test"})
    arrays, metadata = safetensors.read(tmp_path / "theirs")
    assert_same(arrays)
    assert metadata == {"of": "a test"}


def test_no_array_is_a_file_too(tmp_path):
    safetensors.write(tmp_path / "x", {})
    assert safetensors.read(tmp_path / "x") == ({}, {})


def test_text_is_no_array(tmp_path):
    with pytest.raises(ValueError, match="holds no <U1, as name is"):
        safetensors.write(tmp_path / "x", {"name": np.array(["a"])})


def file(entries, content=b"", length=None):
    """A file with a header of one's own."""
    header = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    size = len(header) if length is None else length
    return struct.pack("<Q", size) + header + content


def entry(*place, dtype="F32", shape=(1,)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(place)}


DAMAGED = {
    "nothing": b"",
    "half a size": b"\x01\0",
    "a page": b"<!DOCTYPE html><html></html>",
    "a header longer than the file": file({}, length=10**9),
    "no JSON": file(b"{"),
    "a list": file(b"[]"),
    "JSON without an end": file(b"[" * 100_000),
    "no UTF-8": file(b'{"\xff": 1}'),
    "a name without an entry": file({"a": None}),
    "an entry without a place": file({"a": {"dtype": "F32", "shape": [1]}}),
    "an unknown field": file({"a": entry(0, 4) | {"code": "x"}}, b"1234"),
    "an unknown dtype": file({"a": entry(0, 4, dtype="OBJECT")}, b"1234"),
    "a size that is none": file({"a": entry(0, 4, shape=(-1, -1))}, b"1234"),
    "a place that is none": file({"a": entry(0, 4.0)}, b"1234"),
    "a place too small": file({"a": entry(0, 4, shape=(2,))}, b"1234"),
    "truncated": file({"a": entry(0, 4)}, b"123"),
    "more than it says": file({"a": entry(0, 4)}, b"12345"),
    "a gap": file({"a": entry(4, 8)}, b"12345678"),
    "an overlap": file({"a": entry(0, 4), "b": entry(0, 4)}, b"1234"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_told_in_one_line(tmp_path, name):
    (tmp_path / "x").write_bytes(DAMAGED[name])
    with pytest.raises(ValueError, match="x cannot be read as safetensors: ") as error:
        safetensors.read(tmp_path / "x")
    assert "\n" not in str(error.value)
