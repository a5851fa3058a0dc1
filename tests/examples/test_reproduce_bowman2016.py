"""The program for Bowman et al.'s paper: its parts at the smallest, and its errors."""

import json
import pathlib

import numpy as np
import pytest

from examples import experiments
from examples import reproduce_bowman2016 as reproduce
from examples.bowman2016 import imputing, language_modelling, latent_space, word_dropout
from examples.bowman2016.scales import SCALES, changed
from examples.experiments import Settings
from keras_textvae import evaluation, grammar, zoo

LENGTH = 10  # of a sentence: eagerly, every step of an LSTM takes its time
SCALE = SCALES["smoke"]
for part in ("ptb", "fiction", "figure2"):
    fields = getattr(SCALE, part) | {"steps_per_epoch": 2, "valid_steps": 1}
    SCALE = SCALE._replace(**{part: fields | {"vocabulary": None, "length": LENGTH}})


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    for corpus in ("ptb", "fiction"):
        (folder / corpus).mkdir()
        for split in grammar.SPLITS:
            size = 2000 if split == "train" else 200  # so that most words are known
            lines = [example.text for example in grammar.generate(size, 0, split)]
            lines = [line for line in lines if len(line.split()) < LENGTH]
            (folder / corpus / f"{split}.txt").write_text("\n".join(lines) + "\n")
    return Settings(str(folder / "out"), str(folder), "float32", jobs=1)


def report(settings, name):
    return (pathlib.Path(settings.folder) / f"{name}.md").read_text()


def rows(text):
    """The rows of the tables in a report, without their headers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table = [line.strip("| ").split(" | ") for line in lines]
    rules = [i for i, row in enumerate(table) if set(row[0]) == {"-"}]
    return [r for i, r in enumerate(table) if i not in rules and i + 1 not in rules]


def test_table_2_has_every_model():
    assert [*language_modelling.table2_trials(SCALE)] == [
        *language_modelling.PAPER_TABLE_2
    ]


@pytest.mark.parametrize(
    ("units", "expected"),
    [(8, 8), (640, zoo.preset("bowman2016-ptb").model["encoder_units"])],
)
def test_an_encoder_is_no_larger_than_its_decoder(units, expected):
    preset = changed("bowman2016-ptb", SCALES["small"], {"units": units})
    assert preset.model["encoder_units"] == expected


@pytest.mark.usefixtures("trained_here")
def test_table_2_compares_likelihoods_and_says_what_is_in_z(settings, monkeypatch):
    trials = language_modelling.table2_trials(SCALE)
    trials = {name: trials[name] for name in ("inputless RNNLM", "VAE")}
    monkeypatch.setattr(language_modelling, "table2_trials", lambda scale: trials)
    language_modelling.table2(SCALE, settings)
    text = report(settings, "table2")
    found = rows(text)
    assert [row[0] for row in found] == [*trials, "VAE"]
    for row in found[:2]:
        assert 0 < float(row[3]) < float(row[4])  # perplexities
        assert ("(" in row[2]) == (row[0] == "VAE")
    path = experiments.load_run(trials["VAE"], settings).path("table2.json")
    figures = json.loads(pathlib.Path(path).read_text())["found"]
    assert float(found[2][1]) == pytest.approx(figures["weighted"], abs=0.01)
    # What was evaluated is not evaluated again.
    monkeypatch.setattr(language_modelling.evaluation, "evaluate_bound", None)
    language_modelling.table2(SCALE, settings)
    assert report(settings, "table2") == text


class FakeRun:
    """The folder of a run, and how far it is."""

    epochs_done = 3

    def __init__(self, folder):
        self.path = folder.joinpath


def test_importance_weights_go_on_where_they_were_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(language_modelling, "PIECE", 2)
    batches = [np.full((rows, 4), rows) for rows in (1, 2, 3, 4, 5)]
    asked, killed_at = [], 2

    def bound(model, piece, samples, seed):
        if seed == killed_at:
            raise KeyboardInterrupt
        asked.append((seed, samples))
        nll = np.mean(np.concatenate(piece)[:, 0])
        return evaluation.ImportanceWeightedBound(float(nll), 4.0, samples)

    monkeypatch.setattr(language_modelling.evaluation, "importance_weighted_nll", bound)
    weighted = language_modelling.importance_weighted
    with pytest.raises(KeyboardInterrupt):
        weighted(FakeRun(tmp_path), None, batches, 7)
    killed_at = None
    found = weighted(FakeRun(tmp_path), None, batches, 7)
    assert asked == [(0, 7), (1, 7), (2, 7)]
    assert found == pytest.approx((1 + 4 + 9 + 16 + 25) / (1 + 2 + 3 + 4 + 5))
    # Other samples are other figures.
    weighted(FakeRun(tmp_path), None, batches, 8)
    assert len(asked) == 6


@pytest.mark.usefixtures("trained_here")
def test_figure_2_is_a_plot_of_weight_and_kl(settings):
    language_modelling.figure2(SCALE, settings)
    found = rows(report(settings, "figure2"))
    assert [row[0] for row in found] == ["2", "4"]
    path = pathlib.Path(settings.folder) / "figure2.png"
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("trained_here")
def test_keep_rates_are_compared(settings, monkeypatch):
    monkeypatch.setattr(word_dropout, "KEEP_RATES", (0.75,))
    monkeypatch.setattr(word_dropout, "SAMPLES", 12)
    word_dropout.figure3(SCALE, settings)
    word_dropout.table5(SCALE, settings)
    ((rate, bound, reconstruction, kl),) = rows(report(settings, "figure3"))
    assert rate == "75%"
    assert float(bound) == pytest.approx(float(reconstruction) + float(kl), abs=0.02)
    assert (
        len(report(settings, "table5").split("keep rate 75%:")[1].split("\n    ")) == 11
    )


@pytest.mark.usefixtures("trained_here")
def test_the_latent_space_is_shown(settings, monkeypatch):
    monkeypatch.setattr(latent_space, "PAIRS", 1)
    latent_space.table6(SCALE, settings)
    latent_space.table7(SCALE, settings)
    latent_space.table8(SCALE, settings)
    assert len(rows(report(settings, "table6"))) == latent_space.SHOWN
    assert report(settings, "table7").count("sample 3:") == latent_space.SHOWN // 2
    assert report(settings, "table8").count("autoencoder, arc:") == latent_space.PAIRS


@pytest.mark.usefixtures("trained_here")
def test_imputations_are_shown_and_judged(settings, monkeypatch):
    judged = []

    def adversarial_error(true, false, vocabulary_size, classifier, seed):
        judged.append((true, false))
        return evaluation.AdversarialError(0.65 + 0.05 * seed, 8, 1)

    monkeypatch.setattr(evaluation, "adversarial_error", adversarial_error)
    imputing.table3(SCALE, settings)
    imputing.table4(SCALE._replace(imputed=20), settings)
    assert report(settings, "table3").count("      true: ") == imputing.EXAMPLES
    found = rows(report(settings, "table4"))
    assert [row[:3] for row in found] == [
        ["RNNLM", "25.00 ± 6.85", "25.00 ± 6.85"],
        ["VAE", "25.00 ± 6.85", "25.00 ± 6.85"],
    ]
    assert all(len(true) == len(false) == 20 for true, false in judged)
    folder = pathlib.Path(settings.folder) / "fiction/VAE, imputation"
    texts = (folder / "completed.txt").read_text().splitlines()
    assert not any("_" in text or "<unk>" in text for text in texts)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [("a b", "a _"), ("a b c d e f g h i", "a b c d e f g h _"), ("a " * 10, "_ _")],
)
def test_the_last_fifth_is_hidden(text, hidden):
    found = imputing.hide(text).split()
    assert found[-len(hidden.split()) :] == hidden.split()
    assert len(found) == len(text.split())


@pytest.mark.parametrize("size", [2, 32, 111])
def test_the_stretching_matrix_preserves_volume(size):
    matrix = latent_space.stretching(size, np.random.default_rng(0))
    assert abs(np.linalg.det(matrix.astype("float64"))) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table=1"], "--table=1: the paper's are 2, 3, 4, 5, 6, 7, 8."),
        (["--figure=4"], "--figure=4: the paper's are 2, 3."),
        ([], "--figure or --table is needed, see --help."),
        (["--table=7", "--data_dir=DIR"], "fiction"),
    ],
)
def test_a_mistake_is_one_line(run, tmp_path, arguments, message):
    arguments = [argument.replace("DIR", str(tmp_path)) for argument in arguments]
    ended = run(reproduce, *arguments, f"--output_dir={tmp_path}")
    assert ended.code == 2
    assert len(ended.errors) == 1
    assert message in ended.errors[0]
