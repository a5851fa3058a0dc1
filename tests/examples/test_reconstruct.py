"""The program that encodes texts and decodes them again."""

import json

from examples import reconstruct

TEXTS = ["the cat sees a dog", "old dog"]


def test_reconstructions_are_those_of_the_space(run, opened, space):
    rows = [f"--text={text}" for text in TEXTS]
    expected = space.reconstruct(TEXTS)
    ended = run(reconstruct, f"--run_dir={opened}", *rows)
    assert ended == (0, expected, [])
    ended = run(reconstruct, f"--run_dir={opened}", *rows, "--json")
    assert [json.loads(line) for line in ended.output] == [
        {"text": text, "reconstruction": reconstruction}
        for text, reconstruction in zip(TEXTS, expected, strict=True)
    ]
