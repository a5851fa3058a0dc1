"""The program that bounds the likelihood of texts."""

import json

import pytest

from examples import score

TEXTS = ["the cat sees a zebra", "old dog"]
ROWS = [f"--text={text}" for text in TEXTS]
POSITIONS = [6, 3]  # the end counted


def test_scores_are_those_of_the_space(run, opened, space):
    ended = run(score, f"--run_dir={opened}", *ROWS, "--seed=3", "--json")
    assert (ended.code, ended.errors) == (0, [])
    expected = space.score(TEXTS, seed=3)
    for row, line in enumerate(ended.output):
        record = json.loads(line)
        assert record.pop("text") == TEXTS[row]
        per_token = record.pop("bound_per_token")
        assert record == {name: x[row] for name, x in expected._asdict().items()}
        assert per_token == pytest.approx(record["bound"] / POSITIONS[row], rel=1e-6)


def test_people_read_names_and_rounded_numbers(run, opened, space):
    ended = run(score, f"--run_dir={opened}", ROWS[0])
    bound, reconstruction, kl, _ = (x[0] for x in space.score([TEXTS[0]]))
    assert ended.output == [
        f"text: {TEXTS[0]}\tbound: {bound:.3f}\treconstruction: {reconstruction:.3f}\t"
        f"kl: {kl:.3f}\tunknown: 1\tbound_per_token: {bound / 6:.3f}"
    ]
