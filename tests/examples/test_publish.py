"""The program that makes a preset of a run and its report."""

import json

import pytest

from examples import interpolate, publish, sample
from keras_textvae import TextSpace, evaluation, pretrained
from tests.step_by_step import step_by_step

TEXTS = ["the cat sees a dog", "a dog", "old dog", "the big cat"]


@pytest.fixture(scope="module")
def report(space):
    with step_by_step():
        amounts = {"samples": 2, "paths": 1, "importance_samples": 2}
        return evaluation.report(space, TEXTS, None, TEXTS * 9, **amounts).to_json()


@step_by_step()
def test_a_preset_has_the_run_s_space_and_its_report_s_figures(
    run, opened, space, tmp_path, report
):
    (tmp_path / "report.json").write_text(json.dumps(report))
    said = {"summary": "Cats.", "licence": "CC0-1.0"}
    (tmp_path / "about.json").write_text(json.dumps(said))
    ended = run(
        publish,
        f"--run_dir={opened}",
        f"--output={tmp_path}/cats",
        f"--about={tmp_path}/about.json",
        f"--report={tmp_path}/report.json",
        "--nobfloat16",
    )
    assert ended.code == 0, ended.errors
    preset = pretrained.read(tmp_path / "cats")
    assert ended.output == [str(preset)]
    assert preset.about.summary == "Cats."
    assert preset.about.figures["kl"] == report["likelihood"]["kl"]
    assert preset.about.figures["exact"] == report["reconstruction"]["exact"]
    nats = {judged["name"]: judged["nll"] for judged in report["texts"]}
    ratio = nats["prior, greedy"] / nats["reconstructions"]
    assert preset.about.figures["samples"] == ratio
    ratio = nats["midpoints of paths"] / nats["reconstructions"]
    assert preset.about.figures["midpoints"] == ratio
    assert preset.about.excerpts["Path 1 (unpicked)"] == report["examples"]["paths"][0]
    expected = space.sample(3)
    assert TextSpace.from_preset(tmp_path / "cats").sample(3) == expected
    ended = run(sample, f"--preset={tmp_path}/cats", "--count=3")
    assert ended.output == expected


MISTAKES = {
    "nothing": ([], "--run_dir and --output are needed"),
    "no report": (["--run_dir=RUN"], "report.json is not there: examples/report.py"),
    "another field": (
        ["--run_dir=RUN", "--about=ABOUT"],
        "about.json has no fields but summary, corpus",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line(run, opened, tmp_path, name):
    arguments, message = MISTAKES[name]
    (tmp_path / "about.json").write_text('{"sumary": ""}')
    named = {"RUN": opened, "ABOUT": f"{tmp_path}/about.json"}
    for word, value in named.items():
        arguments = [text.replace(word, value) for text in arguments]
    ended = run(publish, f"--output={tmp_path}/cats", *arguments)
    assert (ended.code, ended.output) == (2, [])
    (line,) = ended.errors
    assert line.startswith("publish.py: ")
    assert message in line


def test_a_run_and_a_preset_at_once_are_refused(run, opened):
    ends = ["--start=a", "--end=a"]
    for spaces in ([f"--run_dir={opened}", f"--preset={opened}"], ["--preset="]):
        ended = run(interpolate, *spaces, *ends)
        assert ended.code == 2
        assert "--run_dir or --preset, --start and --end are needed" in ended.errors[0]


def test_a_preset_that_there_is_none_of_is_told_in_one_line(run):
    ended = run(sample, "--preset=zyzzyva")
    assert ended.code == 2
    (line,) = ended.errors
    assert line.startswith("sample.py: There is no preset or folder 'zyzzyva'.")
