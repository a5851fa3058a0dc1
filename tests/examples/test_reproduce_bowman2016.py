"""The program for Bowman et al.'s paper: its parts at the smallest, and its errors."""

import itertools
import pathlib
from typing import NamedTuple

import numpy as np
import pytest

from examples import experiments
from examples import reproduce_bowman2016 as reproduce
from examples.bowman2016 import (
    imputing,
    language_model_figures,
    language_modelling,
    latent_space,
    variations,
    word_dropout,
)
from examples.bowman2016.scales import SCALES, changed
from examples.experiments import Settings, Trial
from keras_textvae import evaluation, grammar, zoo
from keras_textvae.posteriors import Deterministic
from keras_textvae.zoo.named_posteriors import POSTERIORS

LENGTH = 10  # of a sentence: eagerly, every step of an LSTM takes its time
SCALE = SCALES["smoke"]
for part in ("ptb", "fiction", "figure2", "variations"):
    fields = getattr(SCALE, part) | {"steps_per_epoch": 2, "valid_steps": 1}
    fields |= {"epochs": 2 if part in ("ptb", "figure2") else 1}
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


class FakeRun(NamedTuple):
    """The folder of a run, and how far it is."""

    folder: pathlib.Path
    epochs_done: int = 3

    def path(self, name):
        return str(self.folder / name)


@pytest.fixture
def some_run(tmp_path):
    return FakeRun(tmp_path)


def report(settings, name):
    return (pathlib.Path(settings.folder) / f"{name}.md").read_text()


def rows(text):
    """The rows of the tables in a report, without their headers."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table = [line[2:-2].split(" | ") for line in lines]
    rules = [i for i, row in enumerate(table) if set(row[0]) == {"-"}]
    return [r for i, r in enumerate(table) if i not in rules and i + 1 not in rules]


def test_table_2_has_every_model():
    assert [*language_modelling.table2_trials(SCALE)] == [
        *language_modelling.PAPER_TABLE_2
    ]


@pytest.mark.parametrize(
    ("units", "expected"),
    [(8, 8), (640, zoo.recipe("bowman2016-ptb").model.arguments["encoder_units"])],
)
def test_an_encoder_is_no_larger_than_its_decoder(units, expected):
    recipe = changed("bowman2016-ptb", SCALES["small"], units=units)
    assert recipe.model.arguments["encoder_units"] == expected


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
        for perplexities in (row[2], row[4]):
            with_end, without = map(float, perplexities.split(" / "))
            assert 0 < with_end < without
        assert [("(" in nll) for nll in (row[1], row[3])] == [row[0] == "VAE"] * 2
    run = experiments.load_run(trials["VAE"], settings)
    batches = list(run.test_batches.spread(SCALE.test_batches))
    weighted = evaluation.importance_weighted_nll(
        run.best().model, batches, SCALE.samples
    )
    assert float(found[2][1]) == pytest.approx(weighted.bound, abs=0.01)
    # What was evaluated is not evaluated again.
    monkeypatch.setattr(language_model_figures.evaluation, "evaluate_bound", None)
    language_modelling.table2(SCALE, settings)
    assert report(settings, "table2") == text


def test_importance_weights_go_on_where_they_were_killed(some_run, monkeypatch):
    monkeypatch.setattr(language_model_figures, "PIECE", 2)
    batches = [np.full((rows, 4), rows) for rows in (1, 2, 3, 4, 5)]
    asked, killed_at = [], 2

    def bound(model, piece, samples, chunk, seed):
        if seed == killed_at:
            raise KeyboardInterrupt
        asked.append((seed, samples))
        nll = np.mean(np.concatenate(piece)[:, 0])
        return evaluation.ImportanceWeightedBound(float(nll), 4.0, samples)

    monkeypatch.setattr(
        language_model_figures.evaluation, "importance_weighted_nll", bound
    )
    weighted = language_model_figures.importance_weighted
    with pytest.raises(KeyboardInterrupt):
        weighted(some_run, None, batches, 7)
    killed_at = None
    found = weighted(some_run, None, batches, 7)
    assert asked == [(0, 7), (1, 7), (2, 7)]
    assert found == pytest.approx((1 + 4 + 9 + 16 + 25) / (1 + 2 + 3 + 4 + 5))
    # Other samples are other figures.
    weighted(some_run, None, batches, 8)
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


def settings_of(recipe):
    """What a recipe trains, and how."""
    other = {"terms": recipe.terms, "text": recipe.text}
    return recipe.model.all_arguments | other


def test_every_variation_is_another_model_or_training():
    trials = variations.trials(SCALES["paper"])
    recipes = [trial.recipe for trial in trials.values()]
    assert all(a != b for a, b in itertools.combinations(recipes, 2))
    first, *others = map(settings_of, recipes)
    for varied in others:
        assert 1 <= sum(first[name] != varied[name] for name in first) <= 3
    posteriors = {recipe.model.all_arguments["posterior"] for recipe in recipes}
    assert posteriors == {*POSTERIORS} - {"deterministic", "batch_normalized"}


@pytest.mark.usefixtures("trained_here")
def test_variations_are_compared(settings, monkeypatch):
    names = ("as in figure 1", "planar flow")
    some = {name: variations.VARIATIONS[name] for name in names}
    monkeypatch.setattr(variations, "VARIATIONS", some)
    scale = SCALE._replace(variations=SCALE.variations | {"corpus": "ptb"})
    variations.section3(scale, settings)
    found = rows(report(settings, "section3"))
    assert [row[0] for row in found] == [*names]
    for _, bound, *parts, units in found:
        assert float(bound) == pytest.approx(sum(map(float, parts)), abs=0.02)
        assert 0 <= int(units) <= 16


@pytest.mark.usefixtures("trained_here")
def test_unlikely_samples_stand_beside_likely_ones(settings):
    latent_space.table6(SCALE, settings)
    table = rows(report(settings, "table6"))
    assert len(table) == latent_space.SHOWN
    stretched, shrunk, plain = (
        np.mean([float(row[column]) for row in table]) for column in (0, 2, 4)
    )
    assert stretched < plain < shrunk


@pytest.mark.usefixtures("trained_here")
def test_posteriors_and_paths_are_shown(settings, monkeypatch):
    monkeypatch.setattr(latent_space, "PAIRS", 1)
    latent_space.table7(SCALE, settings)
    latent_space.table8(SCALE, settings)
    assert report(settings, "table7").count("sample 3:") == latent_space.SHOWN // 2
    text = report(settings, "table8")
    assert "| VAE, line | autoencoder, line | VAE, arc | autoencoder, arc |" in text
    between, of_points = rows(text)[: latent_space.STEPS], rows(text)[-1:]
    assert [len(row) for row in between] == [4] * latent_space.STEPS
    for column in range(2):  # line and arc have the same ends
        for end in (0, -1):
            assert between[end][column] == between[end][column + 2]
    assert len(of_points[0]) == 1
    recipe = changed("bowman2016-fiction-autoencoder", SCALE)
    run = experiments.load_run(Trial("fiction/autoencoder", recipe), settings)
    assert isinstance(run.model.posterior, Deterministic)


@pytest.mark.usefixtures("trained_here")
def test_imputations_are_shown_and_judged(settings, monkeypatch):
    judged = []

    def adversarial_error(true, false, vocabulary_size, classifier, seed):
        judged.append((true, false))
        # One is right less often than by chance, which is noise.
        return evaluation.AdversarialError(0.45 + 0.15 * seed, 8, 1)

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
    matrix, c = latent_space.stretching(size, np.random.default_rng(0))
    assert np.max(np.abs(matrix)) <= c * (1 + 1e-6)
    assert abs(np.linalg.det(matrix.astype("float64"))) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table=1"], "--table=1: the paper's are 2, 3, 4, 5, 6, 7, 8, section3."),
        (["--figure=4"], "--figure=4: the paper's are 2, 3."),
        ([], "--figure or --table is needed, see --help."),
        (["--table=7", "--data_dir=DIR"], "there is no folder DIR/fiction or fiction"),
        (["--table=2", "--data_dir=DIR"], "DIR and its folder ptb lack ptb.train.txt"),
    ],
)
def test_a_mistake_is_one_line(run, tmp_path, arguments, message):
    arguments = [argument.replace("DIR", str(tmp_path)) for argument in arguments]
    ended = run(reproduce, *arguments, f"--output_dir={tmp_path}")
    assert ended.code == 2
    assert len(ended.errors) == 1
    assert message.replace("DIR", str(tmp_path)) in ended.errors[0]


@pytest.mark.parametrize("table", [3, 7])
def test_a_corpus_without_test_sentences_is_refused_before_training(
    run, tmp_path, table
):
    (tmp_path / "fiction").mkdir()
    for split in ("train", "valid"):
        (tmp_path / "fiction" / f"{split}.txt").write_text("a b c d\n" * 50)
    folders = [f"--data_dir={tmp_path}", f"--output_dir={tmp_path}/out"]
    ended = run(reproduce, f"--table={table}", *folders)
    assert ended.code == 2
    assert "fiction has no test.txt or test.txt.gz" in ended.errors[-1]
    assert not (tmp_path / "out").exists()
