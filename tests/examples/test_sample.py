"""The program that samples."""

import json

import pytest

import keras_textvae
from examples import sample
from tests.step_by_step import step_by_step


def test_samples_are_those_of_the_space(run, opened, space):
    ended = run(sample, f"--run_dir={opened}", "--count=4", "--seed=3")
    assert ended.code == 0
    expected = space.sample(4, seed=3)
    assert ended.output == expected
    ended = run(sample, f"--run_dir={opened}", "--count=4", "--seed=3", "--json")
    assert [json.loads(line) for line in ended.output] == [
        {"seed": 3 + row, "text": text} for row, text in enumerate(expected)
    ]


def test_options_of_sampling_are_passed_on(run, opened, space):
    options = {"temperature": 0.7, "top_k": 3, "top_p": 0.9}
    given = [f"--{name}={value}" for name, value in options.items()]
    ended = run(sample, f"--run_dir={opened}", *given)
    assert ended.output == space.sample(10, **options)


@step_by_step()
def test_samples_come_from_the_density_or_the_prior(run, space, tmp_path, monkeypatch):
    fitted = space.with_density(["the cat sees", "a dog", "old", "big"], fitted=True)
    monkeypatch.setattr(keras_textvae, "open_space", lambda folder: fitted)
    for arguments, source in (
        ([], fitted),
        (["--fitted"], fitted),
        (["--nofitted"], space),
    ):
        ended = run(sample, f"--run_dir={tmp_path}", *arguments)
        assert ended.output == source.sample(10)
    assert fitted.sample(10) != space.sample(10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--run_dir or --preset is needed"),
        (["--run_dir=RUN", "extra"], "no argument without a name"),
        (["--run_dir=/nowhere"], "/nowhere holds no text space"),
        (["--run_dir=RUN", "--count=0"], "--count=0"),
        (["--run_dir=RUN", "--temperature=-1"], "`temperature` must be at least 0"),
        (["--run_dir=RUN", "--top_p=1.5"], "`top_p` must be at most 1"),
        (["--run_dir=RUN", "--fitted"], "there is no density yet"),
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
