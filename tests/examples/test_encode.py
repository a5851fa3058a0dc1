"""The program that encodes texts."""

import json

import numpy as np
import pytest

from examples import encode

TEXTS = ["the cat sees a zebra", "old dog"]
ROWS = [f"--text={text}" for text in TEXTS]
LONG = "--text=" + "a " * 9


def test_posteriors_are_those_of_the_space(run, opened, space):
    ended = run(encode, f"--run_dir={opened}", *ROWS, "--json")
    assert (ended.code, ended.errors) == (0, [])
    expected = space.encode(TEXTS)._asdict()
    for row, line in enumerate(ended.output):
        record = json.loads(line)
        assert record.pop("text") == TEXTS[row]
        assert record == {name: x[row].tolist() for name, x in expected.items()}


def test_people_read_names_and_rounded_numbers(run, opened, space):
    ended = run(encode, f"--run_dir={opened}", ROWS[0])
    mean = " ".join(f"{x:.3f}" for x in space.encode([TEXTS[0]]).mean[0])
    (line,) = ended.output
    assert line.startswith(f"text: {TEXTS[0]}\tmean: {mean}\t")


def test_a_posterior_that_is_not_gaussian_has_no_log_variance(
    run, opened, space, monkeypatch
):
    found = space.encode(TEXTS)._replace(log_var=None)
    monkeypatch.setattr(space, "encode", lambda rows: found)
    ended = run(encode, f"--run_dir={opened}", *ROWS, "--json")
    assert [[*json.loads(line)] for line in ended.output] == [
        ["text", "mean", "kl", "unknown"]
    ] * 2


def test_arrays_have_a_row_for_each_text(run, opened, space, tmp_path):
    output = tmp_path / "vectors.npz"
    flags = [f"--run_dir={opened}", ROWS[0], LONG, ROWS[1]]
    ended = run(encode, *flags, f"--output={output}")
    assert (ended.code, ended.output, len(ended.errors)) == (2, [], 1)
    expected = space.encode(TEXTS)._asdict()
    with np.load(output) as arrays:
        assert {*arrays} == {*expected}
        for name, array in arrays.items():
            assert array.dtype == "float32"
            np.testing.assert_array_equal(array[[0, 2]], expected[name])
            assert np.isnan(array[1]).all()
    output = tmp_path / "vectors.npy"
    ended = run(encode, f"--run_dir={opened}", *ROWS, f"--output={output}")
    assert ended == (0, [], [])
    np.testing.assert_array_equal(np.load(output), expected["mean"])


def test_where_no_text_has_an_answer_no_file_is_written(run, opened, tmp_path):
    output = tmp_path / "vectors.npz"
    assert run(encode, f"--run_dir={opened}", LONG, f"--output={output}").code == 2
    assert not output.exists()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("vectors.csv", "a name that ends in .npz or .npy"),
        ("", "a name that ends in .npz or .npy"),
        ("/nowhere/vectors.npz", "no file can be written in /nowhere"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, opened, output, message):
    ended = run(encode, f"--run_dir={opened}", *ROWS, f"--output={output}")
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("encode.py: ")
    assert message in line
