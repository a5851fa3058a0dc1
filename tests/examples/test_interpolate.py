"""The program that walks between two sentences."""

import json

import pytest

from examples import interpolate

ENDS = ["--start=the cat sees a dog", "--end=old dog"]


@pytest.mark.parametrize("spherical", [False, True])
def test_the_path_is_that_of_the_space(run, opened, space, spherical):
    flag = ["--spherical"] if spherical else []
    ended = run(interpolate, f"--run_dir={opened}", *ENDS, "--steps=5", *flag)
    assert ended.code == 0
    expected = space.interpolate("the cat sees a dog", "old dog", 5, spherical)
    assert ended.output == expected
    ended = run(interpolate, f"--run_dir={opened}", *ENDS, "--steps=5", *flag, "--json")
    assert [json.loads(line) for line in ended.output] == [
        {"step": step, "text": text} for step, text in enumerate(expected)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (ENDS, "--run_dir or --preset, --start and --end are needed"),
        (
            ["--run_dir=RUN", "--start=a"],
            "--run_dir or --preset, --start and --end are needed",
        ),
        (["--run_dir=RUN", *ENDS, "extra"], "no argument without a name"),
        (["--run_dir=/nowhere", *ENDS], "/nowhere holds no text space"),
        (["--run_dir=RUN", *ENDS, "--steps=1"], "`steps` must be at least 2"),
        (["--run_dir=RUN", *ENDS, "--steps=999"], "`steps` must be at most 256"),
        (["--run_dir=RUN", "--start=", "--end=" + "a " * 9], "more than 5 words"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, opened, arguments, message):
    arguments = [argument.replace("RUN", opened) for argument in arguments]
    ended = run(interpolate, *arguments)
    assert ended.code == 2
    assert ended.output == []
    (line,) = ended.errors
    assert line.startswith("interpolate.py: ")
    assert message in line
