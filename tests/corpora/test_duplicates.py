"""Duplicates, against a Python set."""

import numpy as np
import pytest

from keras_textvae.corpora import duplicates


def firsts(values):
    seen = set()
    return [value not in seen and not seen.add(value) for value in values]


@pytest.mark.parametrize("different", [1, 5, 300, 10**9])
def test_the_first_of_each_is_found(tmp_path, monkeypatch, different):
    monkeypatch.setattr(duplicates, "BLOCK", 7)
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, different, 500).astype(duplicates.HASH) * np.uint64(
        1 << 33
    )
    parts = np.split(hashes, [300, 301])
    paths = [str(tmp_path / f"{number}.hashes") for number in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        part.tofile(path)
    results = duplicates.firsts(paths)
    assert [len(result) for result in results] == [300, 1, 199]
    assert np.concatenate(results).tolist() == firsts(hashes.tolist())
    assert len(list(tmp_path.iterdir())) == len(parts)
