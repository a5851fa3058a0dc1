"""The program that completes sentences."""

import json

import pytest

from examples import impute

TEXTS = ["the _ sees a dog", "_ dog"]


def test_sentences_are_completed_as_by_the_space(run, opened, space):
    given = [f"--text={text}" for text in TEXTS]
    ended = run(impute, f"--run_dir={opened}", *given)
    assert (ended.code, ended.output) == (0, space.impute(TEXTS, steps=3))
    flags = ["--beams=2", "--steps=1", "--json"]
    ended = run(impute, f"--run_dir={opened}", *given, *flags)
    assert [json.loads(line) for line in ended.output] == [
        {"text": text, "imputation": imputation}
        for text, imputation in zip(TEXTS, space.impute(TEXTS, 2, 1), strict=True)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text=a _"], "--run_dir or --preset is needed"),
        (["--run_dir=RUN", "--text=a _", "extra"], "no argument without a name"),
        (["--run_dir=/nowhere", "--text=a _"], "/nowhere holds no text space"),
        (["--run_dir=RUN", "--text=a dog"], "a text has no hidden word (_)"),
        (["--run_dir=RUN", "--text=_ _"], "a text has hidden words only"),
        (["--run_dir=RUN", "--text=a" + " _" * 9], "more than 5 words"),
        (["--run_dir=RUN", "--text=a _", "--beams=99"], "99 beams, 12 ids"),
        (["--run_dir=RUN", "--text=a _", "--beams=0"], "--beams=0"),
        (["--run_dir=RUN", "--text=a _", "--max_pieces=2"], "for spaces of subwords"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, opened, arguments, message):
    arguments = [argument.replace("RUN", opened) for argument in arguments]
    ended = run(impute, *arguments)
    assert ended.code == 2
    assert ended.output == []
    (line,) = ended.errors
    assert line.startswith("impute.py: ")
    assert message in line
