"""The program that samples."""

import pytest

from examples import sample


def test_samples_are_those_of_the_space(run, run_dir, space):
    ended = run(sample, f"--run_dir={run_dir}", "--count=4", "--seed=3")
    assert ended.code == 0
    assert ended.output == space.sample(4, seed=3)


def test_options_of_sampling_are_passed_on(run, opened, space):
    options = {"temperature": 0.7, "top_k": 3, "top_p": 0.9}
    given = [f"--{name}={value}" for name, value in options.items()]
    ended = run(sample, f"--run_dir={opened}", *given)
    assert ended.output == space.sample(10, **options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--run_dir is needed"),
        (["--run_dir=RUN", "extra"], "no argument without a name"),
        (["--run_dir=/nowhere"], "/nowhere holds no text space"),
        (["--run_dir=RUN", "--count=0"], "--count=0"),
        (["--run_dir=RUN", "--temperature=-1"], "`temperature` must be at least 0"),
        (["--run_dir=RUN", "--top_p=1.5"], "`top_p` must be at most 1"),
        (["--run_dir=RUN", "--count=many"], "--count"),
        (["--run_dir=RUN", "--tempratur=1"], "tempratur"),
    ],
)
def test_a_mistake_is_told_in_one_line(run, opened, arguments, message):
    arguments = [argument.replace("RUN", opened) for argument in arguments]
    ended = run(sample, *arguments)
    assert ended.code == 2
    assert ended.output == []
    (line,) = ended.errors
    assert line.startswith("sample.py: ")
    assert message in line
