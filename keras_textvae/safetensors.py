"""Arrays in a file by name, in the safetensors format, which holds nothing that runs.

    8 bytes    size of the header, little-endian
    header     JSON: {name: {"dtype", "shape", "data_offsets"}, "__metadata__": {...}}
    arrays     one after another, little-endian, in C order

https://github.com/huggingface/safetensors describes it. The format is read and written
here, so that weights need no further package.
"""

import json
import math
import os
import struct
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

DTYPES = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
METADATA = "__metadata__"
LARGEST_HEADER = 100_000_000  # bytes, the format's own limit
_ALIGNMENT = 8


def write(
    path: str | os.PathLike,
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
):
    """Writes arrays to a file.

    Args:
        path: of the file.
        arrays: name -> array, of a dtype in `DTYPES`.
        metadata: name -> text, whatever else is to be said of them.

    Raises:
        ValueError: for an array of another dtype.
    """
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    place = 0
    for name, array in arrays.items():
        if array.dtype not in NAMES:
            raise ValueError(f"A file of weights holds no {array.dtype}, as {name} is.")
        end = place + array.nbytes
        header[name] = {
            "dtype": NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            np.ascontiguousarray(array).reshape(-1).view("u1").tofile(file)


def read(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Returns a file's arrays, by name, and its metadata.

    The arrays are read-only, and come from the disk as they are used.

    Raises:
        ValueError: if the file is not of this format, or damaged.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LARGEST_HEADER):
            raise _damaged(path, "it ends within its header")
        text = file.read(length)
    try:
        header = json.loads(text)
        metadata = header.pop(METADATA, {})
        entries = {name: _entry(**entry) for name, entry in header.items()}
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise _damaged(path, "its header is none") from error
    end = 0
    for _, _, begin, next_begin in sorted(
        entries.values(), key=lambda entry: entry[2:]
    ):
        if begin != end:
            raise _damaged(path, "its arrays overlap, or leave a gap")
        end = next_begin
    if end != size - 8 - length:
        raise _damaged(
            path, f"it has {size - 8 - length:,} bytes of arrays, not {end:,}"
        )
    content = np.memmap(path, mode="r", offset=8 + length) if end else np.zeros(0, "u1")
    arrays = {
        name: np.asarray(content[begin:end]).view(dtype).reshape(shape)
        for name, (dtype, shape, begin, end) in entries.items()
    }
    return arrays, metadata


def _entry(dtype, shape, data_offsets):
    """Returns what the header says of an array, checked: (dtype, shape, begin, end)."""
    begin, end = data_offsets
    sizes = [*shape, begin, end]
    if not all(type(size) is int and size >= 0 for size in sizes):
        raise ValueError("sizes must be whole numbers")
    dtype = DTYPES[dtype]
    if math.prod(shape) * dtype.itemsize != end - begin:
        raise ValueError("an array must fill its place")
    return dtype, shape, begin, end


def _damaged(path, reason):
    return ValueError(f"{path} cannot be read as safetensors: {reason}.")
