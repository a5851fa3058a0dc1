"""The program for the hybrid's paper: its settings, one part whole, and its errors."""

import json
import pathlib

import pytest

from examples import reproduce_semeniuta2017 as reproduce
from examples.experiments import Settings
from examples.semeniuta2017 import figures, tweets
from examples.semeniuta2017.scales import SCALES, changed
from keras_textvae import grammar, zoo


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    for corpus in ("ptb", "tweets"):
        (folder / corpus).mkdir()
        for split in grammar.SPLITS:
            lines = [example.text for example in grammar.generate(200, 0, split)]
            (folder / corpus / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return Settings(str(folder / "out"), str(folder), "float32", jobs=2)


@pytest.mark.usefixtures("trained_here")
def test_a_figure_is_a_table_of_its_runs_and_a_plot(settings):
    scale = SCALES["smoke"]._replace(
        steps=3, layers6=(2,), alphas6=(0.2,), valid_steps=1
    )
    figures.figure6(scale, settings)
    folder = pathlib.Path(settings.folder)
    lines = (folder / "figure6.md").read_text().splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    assert table[0] == ["layers", "alpha 0.2: cost", "KL", "KL's share"]
    assert [row[0] for row in table[2:]] == ["2"]
    for _, cost, kl, share in table[2:]:
        assert float(cost) > float(kl) > 0
        assert abs(float(kl) / float(cost) - float(share.strip("%")) / 100) < 0.01
    assert (folder / "figure6.png").read_bytes().startswith(b"\x89PNG")


def test_tables_of_tweets_come_from_the_same_runs(settings, monkeypatch, trained_here):
    name = "Hybrid, alpha = 0.2"
    trial = tweets.tweet_trials(SCALES["smoke"])[name]
    few = {"steps_per_epoch": 2, "valid_steps": 1, "epochs": 1}
    recipe = trial.recipe.replace(length=16, too_long="cut", **few)
    short = trial._replace(recipe=recipe)
    monkeypatch.setattr(tweets, "tweet_trials", lambda scale: {name: short})
    monkeypatch.setattr(tweets, "SAMPLES", 12)
    models = [*tweets.tweet_models(None, settings)]
    for table in (tweets.table2, tweets.table3, tweets.table6):
        table(models, settings.folder)
    folder = pathlib.Path(settings.folder)
    written = {name: (folder / f"table{name}.md").read_text() for name in "236"}
    result = json.loads((folder / f"tweets/{name}/result.json").read_text())
    figures = f"{result['reconstruction']:.1f} | {result['kl']:.1f}"
    assert f"| {name} | {figures} | 58.5 | 12.5 |" in written["3"]
    samples = models[0][2].sample(10, temperature=0.0)
    assert [line[4:] for line in written["2"].splitlines()[-10:]] == samples
    assert written["6"].count("\n    ") == 4 * 7


def test_the_feed_forward_model_of_figure_3_has_as_many_parameters():
    recipe = changed("semeniuta2017-ptb-feedforward", SCALES["small"], length=10)
    found = figures.as_large(recipe, 700_000).build_model(54).count_params()
    assert found == pytest.approx(700_000, rel=0.1)


def test_paper_scale_changes_nothing_of_the_hybrid_but_the_counting_of_epochs():
    paper = SCALES["paper"]
    recipe = changed("semeniuta2017-ptb", paper)
    assert recipe.replace(valid_steps=None) == zoo.recipe("semeniuta2017-ptb")
    hybrid = tweets.tweet_trials(paper)["Hybrid, alpha = 0.2"].recipe
    assert hybrid.replace(valid_steps=None) == zoo.recipe("semeniuta2017-tweets")


def test_tweets_are_those_of_table_3():
    trials = tweets.tweet_trials(SCALES["small"])
    assert [*trials] == [*tweets.PAPER_TABLE_3]
    rates = [trial.recipe.model.arguments.get("keep_rate") for trial in trials.values()]
    assert rates == [0.8, 0.5, 0.2, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--figure or --table is needed"),
        (["--figure=7"], "--figure=7: the paper's are 3, 4, 5, 6."),
        (["--table=3,x"], "--table=x: the paper's are 2, 3, 6."),
        (["--scale=huge", "--figure=3"], "should be one of <smoke|small|paper>"),
        (["--figure=6", "--data_dir=/nowhere"], "/nowhere and its folder ptb lack"),
        (
            ["--table=3", "--data_dir=/nowhere"],
            "Unknown corpus 'tweets': there is no folder /nowhere/tweets",
        ),
        (["extra"], "Unexpected argument 'extra'"),
    ],
)
def test_a_mistake_is_one_line(run, arguments, message, tmp_path):
    ended = run(reproduce, *arguments, f"--output_dir={tmp_path}", "--jobs=1")
    assert ended.code == 2
    assert len(ended.errors) == 1
    assert message in ended.errors[0]
