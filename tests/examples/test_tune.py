"""The program that searches hyperparameters, and what it makes of its trials."""

import csv
import json
import math
import sys

import pytest

from examples import experiments, tune
from examples.tuning import report, space
from examples.tuning.search import Record, Result, Search, result_of
from examples.tuning.space import SCALES, Axis
from examples.tuning.suggestions import objective, suggest
from keras_textvae import grammar, zoo

SMOKE = SCALES["smoke"]
VALUES = {
    "embedding_dim": 5,
    "units": 6,
    "latent_dim": 3,
    "keep_rate": 0.5,
    "learning_rate": 0.002,
    "annealing": 3000,
}
LINE = {"x": Axis(0.0, 1.0, logarithmic=False, whole=False)}


def test_a_trial_counts_by_its_bound_once_its_kl_is_large_enough():
    ordered = [
        objective(100.0, 1.0, min_kl=1.0),
        objective(101.0, 9.0, min_kl=1.0),
        objective(300.0, 1.5, min_kl=1.0),
        # Then the larger KL first, whatever the bound, and at the same KL the bound.
        objective(105.0, 0.9, min_kl=1.0),
        objective(96.0, 0.1, min_kl=1.0),
        objective(95.0, 0.0, min_kl=1.0),
        objective(96.0, 0.0, min_kl=1.0),
        objective(math.nan, math.nan, min_kl=1.0),
    ]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)
    assert objective(101.0, 9.0, min_kl=1.0) == 101.0
    assert objective(98.0, 0.0, min_kl=0.0) == 98.0


@pytest.mark.parametrize(
    ("recipe", "searched"),
    [
        ("bowman2016-ptb", [*VALUES]),
        ("lstm-grammar", [*VALUES]),
        ("bowman2016-ptb-inputless", [n for n in VALUES if n != "keep_rate"]),
        (
            "bowman2016-ptb-rnnlm",
            ["embedding_dim", "units", "keep_rate", "learning_rate"],
        ),
        (
            "bowman2016-ptb-inputless-rnnlm",
            ["embedding_dim", "units", "learning_rate"],
        ),
        ("semeniuta2017-ptb-lstm", [n for n in VALUES if n != "embedding_dim"]),
        ("bowman2016-fiction-autoencoder", [n for n in VALUES if n != "annealing"]),
    ],
)
def test_what_a_recipe_lacks_is_not_searched(recipe, searched):
    recipe = zoo.recipe(recipe)
    axes = space.axes(recipe, SMOKE)
    assert [*axes] == searched
    lowest = {name: axis.rounded(axis.low) for name, axis in axes.items()}
    changed = space.with_values(recipe, lowest)
    assert changed.model.arguments.keys() == recipe.model.arguments.keys()
    is_vae = recipe.model.architecture == "lstm"
    assert space.has_kl(recipe) == (is_vae and "autoencoder" not in recipe.reference)


def test_a_trial_is_its_recipe_with_other_values():
    recipe = zoo.recipe("bowman2016-ptb")
    assert recipe.model.arguments["tied"]
    changed = space.with_values(recipe, VALUES)
    assert changed.training.learning_rate == 0.002
    names = ("embedding_dim", "units", "latent_dim", "keep_rate", "tied", "dropout")
    sizes = changed.model.arguments
    assert [sizes[name] for name in names] == [5, 6, 3, 0.5, False, 0.5]
    assert changed.training.patience == recipe.training.patience
    assert changed.build_model(30).latent_dim == 3
    # Stretched: a share of the way to the middle has the same weight as before.
    before, after = recipe.terms.schedule.build(), changed.terms.schedule.build()
    assert after(3000) == 0.5
    assert after(1500) == pytest.approx(before(1250))


def test_a_linear_schedule_is_stretched_too():
    recipe = zoo.recipe("semeniuta2017-ptb-lstm")  # from step 10,000 to 17,000
    values = {"learning_rate": 1e-3, "annealing": 2 * 13_500}
    schedule = space.with_values(recipe, values).terms.schedule
    assert schedule.arguments == (20_000, 34_000)


def test_values_are_whole_numbers_or_have_three_digits():
    assert Axis(4, 16).rounded(7.6) == 8
    assert Axis(1e-4, 1e-2, whole=False).rounded(0.00123456) == 0.00123


@pytest.fixture(scope="module")
def past():
    """Trials on a line whose best value is 0.3."""
    return [({"x": x / 10}, abs(x - 3) + 100.0) for x in (0, 1, 2, 5, 8, 10)]


def test_suggestions_come_from_the_trials_before(past):
    found = suggest(LINE, past, seed=1)
    assert found == suggest(LINE, past, seed=1)
    assert 0.2 < found["x"] < 0.5
    mirrored = [({"x": 1 - values["x"]}, value) for values, value in past]
    assert 0.5 < suggest(LINE, mirrored, seed=1)["x"] < 0.8


def test_penalties_and_diverged_trials_change_no_suggestion_but_by_their_rank(past):
    worst = max(value for _, value in past)
    extreme = [(v, math.inf if value == worst else value) for v, value in past]
    assert suggest(LINE, extreme, seed=1) == suggest(LINE, past, seed=1)


def test_a_trial_that_still_runs_is_not_suggested_again(past):
    free = suggest(LINE, past, seed=1)["x"]
    other = suggest(LINE, [*past, ({"x": free}, None)], seed=1)["x"]
    assert abs(other - free) > 0.02


def test_the_first_suggestions_are_random():
    running = [({"x": 0.5}, None)] * 20
    found = {suggest(LINE, running[:i], seed=i)["x"] for i in range(20)}
    assert len(found) == 20
    assert all(0.0 <= x <= 1.0 for x in found)


def test_the_result_is_that_of_the_epoch_whose_model_is_kept():
    figures = [
        (90.0, 8.0, 0.1),
        (102.0, 2.0, 0.8),
        (101.0, 1.5, 1.0),
        (103.0, 1.0, 1.0),
    ]
    rows = [
        {"epoch": i + 1, "val_loss": bound, "val_kl": kl, "kl_weight": weight}
        | {"parameters": 7}
        for i, (bound, kl, weight) in enumerate(figures)
    ]
    # The first epoch was not trained for the bound.
    assert result_of(rows) == Result(101.0, 1.5, epoch=3, parameters=7)
    language_model = [{n: x for n, x in row.items() if n != "val_kl"} for row in rows]
    assert result_of(language_model).kl == 0.0


def test_a_search_is_what_its_file_says(tmp_path):
    folder = str(tmp_path / "search")
    search = Search(folder, {"min_kl": 1.0, "space": {"x": (0, 1)}})
    with search.locked():
        assert [search.begin({"x": x}).name for x in (0.1, 0.2)] == [
            "trial-000",
            "trial-001",
        ]
        row = {"epoch": 1, "val_loss": math.nan, "val_kl": 2.0, "kl_weight": 1.0}
        search.end("trial-001", [row | {"parameters": 5}])
        with pytest.raises(ValueError, match="another command is at work there"):
            with Search(folder, {"min_kl": 1.0}).locked():
                pass
    again = Search(folder, {"min_kl": 1.0, "space": {"x": (0, 1)}})
    assert again.records[0] == Record("trial-000", {"x": 0.1})
    assert repr(again.records) == repr(search.records)  # nan is not nan
    with pytest.raises(ValueError, match=r"another search: min_kl is 1.0 there, 2.0"):
        Search(folder, {"min_kl": 2.0})


RECORDS = [
    Record("trial-000", VALUES, Result(101.0, 2.0, epoch=9, parameters=1234)),
    Record("trial-001", VALUES, Result(95.0, 0.5, epoch=3, parameters=1234)),
    Record("trial-002", VALUES | {"units": 9}, Result(99.5, 1.0, 7, 2345)),
    Record("trial-003", VALUES),
]


def test_the_table_has_the_best_trials_and_the_paper_s():
    table = report.table(RECORDS, 1.0, zoo.recipe("lstm-grammar")).splitlines()
    assert table[0].startswith("| trial | embedding | LSTM | z | keep rate | learning")
    assert table[2:] == [
        "| trial-002 | 5 | 9 | 3 | 0.5 | 0.002 | 3000 | 2,345 | 7 | 99.50 | 1.00 |",
        "| trial-000 | 5 | 6 | 3 | 0.5 | 0.002 | 3000 | 1,234 | 9 | 101.00 | 2.00 |",
        "| trial-001 | 5 | 6 | 3 | 0.5 | 0.002 | 3000 | 1,234 | 3 | 95.00 | (0.50) |",
        "| the paper's RNNLM | 464 | 337 | - | 0.66 | - | - | - | - | - | - |",
        "| the paper's VAE | 353 | 191 | 13 | 0.62 | - | - | - | - | - | - |",
        "| the paper's RNNLM, inputless | 305 | 68 | - | - | - | - | - | - | - | - |",
        "| the paper's VAE, inputless | 499 | 350 | 111 | - | - | - | - | - | - | - |",
    ]


def test_the_plot_has_the_best_so_far_among_those_that_count():
    pytest.importorskip("matplotlib")
    _, axes = experiments.new_figure(columns=2)
    report.plot(axes, RECORDS, min_kl=1.0)
    best, *points = axes[0].get_lines()
    assert [*best.get_ydata()] == [101.0, 101.0, 99.5]
    assert [point.get_markerfacecolor() for point in points] == ["C0", "none", "C0"]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "mine").mkdir()
    for split in grammar.SPLITS:
        lines = [example.text for example in grammar.generate(60, 0, split)]
        (folder / "mine" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return folder


def command(data_dir, folder, *others):
    tiny = ["--recipe=lstm-grammar", "--scale=smoke", "--corpus=mine", "--jobs=1"]
    return [*tiny, f"--data_dir={data_dir}", f"--output_dir={folder}", *others]


def test_a_search_trains_its_trials_and_reports_them(run, data_dir, tmp_path):
    ended = run(tune, *command(data_dir, tmp_path, "--trials=1"))
    assert ended.code == 0, ended.errors
    assert ended.output[0].startswith("trial-000: embedding_dim ")
    assert "trial-000: done (1 of 1)" in ended.output
    assert {path.name for path in (tmp_path / "trial-000").iterdir()} == {
        *(".lock", "best", "config.json", "logs", "metrics.csv")
    }
    (trial,) = json.loads((tmp_path / "search.json").read_text())["trials"]
    with open(tmp_path / "trial-000" / "metrics.csv") as file:
        bounds = [float(row["val_loss"]) for row in csv.DictReader(file)]
    assert trial["result"]["bound"] == min(bounds)
    assert len(bounds) == SMOKE.fields["epochs"]
    text = (tmp_path / "tuning.md").read_text()
    assert f"| trial-000 | {trial['values']['embedding_dim']} |" in text
    assert "| the paper's VAE | 353 | 191 | 13 | 0.62 |" in text
    assert (tmp_path / "tuning.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def asked(monkeypatch):
    """The trials that are to be trained; the second one is interrupted."""
    trials = []

    def train_each(waiting, settings, progress):
        for trial in waiting:
            trials.append(trial)
            if len(trials) == 2:
                raise KeyboardInterrupt
            row = {"epoch": 1, "val_loss": 100.0, "val_kl": 2.0, "kl_weight": 1.0}
            yield trial, [row | {"parameters": 5}]

    monkeypatch.setattr(experiments, "train_each", train_each)
    return trials


def test_a_search_goes_on_after_a_kill_and_further(run, asked, data_dir, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tune, *command(data_dir, tmp_path, "--trials=3"))
    ended = run(tune, *command(data_dir, tmp_path, "--trials=3"))
    assert ended.code == 0, ended.errors
    # The one in the middle is the same again: its run folder would go on.
    assert asked[1] == asked[2]
    assert [trial.name[-1] for trial in asked] == [*"0112"]
    assert len({trial.recipe.training.learning_rate for trial in asked}) == 3
    before = json.loads((tmp_path / "search.json").read_text())["trials"]
    for count in (2, 3):  # nothing to do, but to report
        assert run(tune, *command(data_dir, tmp_path, f"--trials={count}")).code == 0
    run(tune, *command(data_dir, tmp_path, "--trials=4"))
    assert [trial.name[-1] for trial in asked] == [*"01123"]
    after = json.loads((tmp_path / "search.json").read_text())["trials"]
    assert after[:3] == before
    assert (tmp_path / "tuning.md").read_text().startswith("4 trials of `lstm-grammar`")


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--min_kl=2", "min_kl is 1.0 there, 2.0 here"),
        ("--recipe=bowman2016-ptb", "recipe is 'lstm-grammar' there, 'bowman2016-ptb'"),
        ("--scale=paper", "scale is 'smoke' there, 'paper' here"),
        ("--epochs=3", "epochs is 2 there, 3 here"),
    ],
)
def test_the_folder_of_another_search_is_refused(
    run, asked, flag, message, data_dir, tmp_path
):
    run(tune, *command(data_dir, tmp_path, "--trials=1"))
    ended = run(tune, *command(data_dir, tmp_path, "--trials=1", flag))
    assert ended.code == 2
    assert len(ended.errors) == 1
    assert f"{tmp_path} holds another search: {message}" in ended.errors[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--recipe=hybrid-grammar"], "its architecture is 'hybrid', not 'lstm' or"),
        (["--recipe=nothing"], "Unknown recipe 'nothing'"),
        (["--trials=0"], "flag --trials=0: 0 is not a positive integer"),
        (["--data_dir=/nowhere"], "/nowhere and its folder ptb lack"),
        (["--recipe=bowman2016-ptb-rnnlm", "--min_kl=1"], "has no KL"),
        (["--scale=huge"], "should be one of <smoke|small|paper>"),
        (["extra"], "Unexpected argument 'extra'"),
    ],
)
def test_a_mistake_is_one_line(run, arguments, message, tmp_path):
    folder = tmp_path / "search"
    given = [f"--data_dir={tmp_path}", f"--output_dir={folder}", *arguments]
    ended = run(tune, *given)
    assert ended.code == 2
    assert len(ended.errors) == 1
    assert message in ended.errors[0]
    assert not folder.exists()


@pytest.mark.parametrize("missing", ["keras_tuner", "sklearn"])
def test_without_keras_tuner_it_says_what_to_install(run, missing, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    if missing == "sklearn":  # KerasTuner looks for it once
        from keras_tuner.src.tuners import bayesian

        monkeypatch.setattr(bayesian, "sklearn", None)
    ended = run(tune, "--recipe=lstm-grammar", "--trials=1")
    assert ended.code == 2
    assert [line.partition(": ")[2] for line in ended.errors] == [
        "The search needs KerasTuner: pip install keras_textvae[tune]"
    ]
