"""Sets of runs: what they give, how far they say they are, and how they end."""

import csv
import multiprocessing
import os

import pytest

from examples import experiments
from examples.experiments import Settings, Trial
from examples.keeping import once
from keras_textvae import Text, grammar, zoo

TINY = zoo.recipe("semeniuta2017-ptb-feedforward").replace(
    corpus="mine",
    text=Text("characters", length=8, form="crop"),
    arguments={"latent_dim": 2, "channels": (4,), "features": 4},
    batch_size=4,
    steps_per_epoch=3,
    valid_steps=1,
    epochs=2,
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "mine").mkdir()
    for split in grammar.SPLITS:
        lines = [example.text for example in grammar.generate(30, 0, split)]
        (folder / "mine" / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return Settings(str(folder / "runs"), str(folder), "float32", jobs=2)


@pytest.fixture(scope="module")
def counters():
    """What counts the epochs of the trials, by their names."""
    return {}


@pytest.fixture(scope="module")
def rows(settings, counters):
    start = experiments._start

    def counted(trial, settings):
        answer, counters[trial.name] = start(trial, settings)
        return answer, counters[trial.name]

    trials = [Trial("a/first", TINY), Trial("a/second", TINY, seed=1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "_start", counted)
        return experiments.train_all(trials, settings)


def test_each_trial_is_trained_in_a_folder_of_its_own(rows, settings):
    assert [*rows] == ["a/first", "a/second"]
    for name, curve in rows.items():
        assert [row["epoch"] for row in curve] == [1, 2]
        with open(os.path.join(settings.folder, name, "metrics.csv")) as file:
            written = [float(row["val_loss"]) for row in csv.DictReader(file)]
        assert [row["val_loss"] for row in curve] == written
    first, second = (curve[-1] for curve in rows.values())
    assert first["val_loss"] != second["val_loss"]
    run = experiments.load_run(Trial("a/first", TINY), settings)
    assert first["parameters"] == run.model.count_params()
    assert run.finished


def test_a_figure_is_computed_once_until_what_it_is_of_changes(rows, settings):
    run, asked = experiments.load_run(Trial("a/first", TINY), settings), []

    def figure():
        asked.append(None)
        return {"bound": 1.5}

    for given in ({"a": (1, 2)}, {"a": (1, 2)}, {"a": (1, 3)}):
        assert once(run, "bound", given, figure) == {"bound": 1.5}
    assert len(asked) == 2
    run.epochs_done += 1
    once(run, "bound", {"a": (1, 3)}, figure)
    assert len(asked) == 3


def test_the_same_trials_again_give_the_same_and_say_so(rows, settings, capsys):
    again = experiments.train_all([Trial("a/first", TINY)], settings)
    assert again["a/first"] == rows["a/first"]
    assert capsys.readouterr().out == "a/first: done (1 of 1)\n"


def test_a_mistake_in_a_trial_is_the_experiment_s(rows, settings):
    other = Trial("a/first", TINY.replace(batch_size=5))
    with pytest.raises(ValueError, match="a run of another configuration"):
        experiments.train_all([other], settings)


def test_progress_says_what_runs_and_when_all_would_end(tmp_path, capsys, monkeypatch):
    clock = iter([0.0, 120.0])
    monkeypatch.setattr(experiments.time, "monotonic", lambda: next(clock))
    long = TINY.replace(length=24)  # an epoch costs three of the other
    trials = [Trial("short", TINY), Trial("long", long), Trial("later", TINY)]
    progress = experiments.Progress(trials, str(tmp_path))
    for name, epochs in (("short", 2), ("long", 1)):
        (tmp_path / name).mkdir()
        rows = "".join(f"{epoch + 1}\n" for epoch in range(epochs))
        (tmp_path / name / "metrics.csv").write_text("epoch\n" + rows)
    progress.show(finished=["short"])
    # 5 of 10 parts are done after two minutes.
    assert capsys.readouterr().out.splitlines() == [
        "short: done (1 of 3)",
        "epochs: long 1.0/2; about 2 min left",
    ]


def test_progress_counts_the_part_of_an_epoch_that_is_done(
    tmp_path, capsys, monkeypatch
):
    clock = iter([0.0, 60.0])
    monkeypatch.setattr(experiments.time, "monotonic", lambda: next(clock))
    progress = experiments.Progress([Trial("running", TINY)], str(tmp_path))
    progress.counters["running"] = multiprocessing.Value("d", 0.25)
    progress.show(finished=[])
    # An eighth of two epochs in a minute.
    wanted = "epochs: running 0.2/2; about 7 min left\n"
    assert capsys.readouterr().out == wanted


def test_a_trial_in_training_counts_its_epochs(rows, counters):
    for name, found in rows.items():
        assert counters[name].value == len(found) == TINY.training.epochs


def test_progress_reckons_with_trials_that_are_not_known_yet(
    tmp_path, capsys, monkeypatch
):
    clock = iter([0.0, 120.0])
    monkeypatch.setattr(experiments.time, "monotonic", lambda: next(clock))
    before = Trial("before", TINY)
    progress = experiments.Progress([before], str(tmp_path), ["before"], count=8)
    progress.trials += [Trial("stopped", TINY), Trial("running", TINY)]
    for name in ("stopped", "running"):  # after one epoch of two
        (tmp_path / name).mkdir()
        (tmp_path / name / "metrics.csv").write_text("epoch\n1\n")
    progress.show(finished=["before", "stopped"])
    # Two epochs in two minutes; 3 of the known trials', so 8 of all, 6 of them left.
    assert capsys.readouterr().out.splitlines() == [
        "stopped: done (2 of 8)",
        "epochs: running 1.0/2; about 6 min left",
    ]


def test_a_trial_is_taken_when_those_before_have_been_yielded(tmp_path, monkeypatch):
    def start(trial, settings):
        answer, sender = multiprocessing.Pipe(duplex=False)
        sender.send(f"rows of {trial.name}")
        sender.close()
        return answer, multiprocessing.Value("d", 0.0)

    def trials():
        for name in "abc":
            taken.append([*yielded])
            yield Trial(name, TINY)

    monkeypatch.setattr(experiments, "_start", start)
    settings = Settings(str(tmp_path), None, "float32", jobs=1)
    taken, yielded = [], []
    progress = experiments.Progress([], str(tmp_path), count=3)
    for trial, rows in experiments.train_each(trials(), settings, progress):
        assert rows == f"rows of {trial.name}"
        yielded.append(trial.name)
    assert taken == [[], ["a"], ["a", "b"]]


def test_a_table_is_markdown():
    table = experiments.markdown(["n", "KL"], [[12, "0.5"], [36, "1.25"]])
    assert table == "| n | KL |\n| --- | --- |\n| 12 | 0.5 |\n| 36 | 1.25 |"


def test_a_report_stands_beside_its_plot(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    figure, axes = experiments.new_figure(columns=2)
    for plot in axes:
        plot.plot([1, 2], [3, 4])
    experiments.save_report(str(tmp_path / "new"), "figure9", "What it shows.", figure)
    written = (tmp_path / "new" / "figure9.md").read_text()
    assert written == "What it shows.\n\n![figure9](figure9.png)\n"
    assert (tmp_path / "new" / "figure9.png").read_bytes().startswith(b"\x89PNG")
    assert "What it shows." in capsys.readouterr().out
