"""What is said to be wrong, each case by the figures that make it so."""

import dataclasses

import pytest

from keras_textvae.evaluation.space_report import diagnosis


@pytest.fixture(scope="module")
def sound(found):
    """A report with figures that nothing is wrong with."""
    likelihood = found.likelihood._replace(
        bound=30.0, kl=6.0, reconstruction=24.0, unknown=0.0
    )
    texts = [
        texts._replace(length=9.0, distinct=0.9, nll=4.0, count=1000)
        for texts in found.texts
    ]
    return dataclasses.replace(
        found,
        sentences=1000,
        likelihood=likelihood,
        use=found.use._replace(dimensions=8, active=8),
        holes=found.holes._replace(at_least=0.1, outside=0.01),
        reconstruction=found.reconstruction._replace(distinct=0.9, in_place=0.4),
        texts=texts,
    )


def changed(report, part, **figures):
    return dataclasses.replace(
        report, **{part: getattr(report, part)._replace(**figures)}
    )


def samples(report, **figures):
    texts = [
        texts._replace(**figures) if texts.name.startswith("prior") else texts
        for texts in report.texts
    ]
    return dataclasses.replace(report, texts=texts)


def titles(report):
    return [finding.title for finding in diagnosis.findings(report)]


def test_nothing_is_wrong_with_a_sound_space(sound):
    assert titles(sound) == []
    said = dataclasses.replace(sound, findings=[])
    assert "no fault shows" in said.short()


@pytest.mark.parametrize(
    ("part", "figures", "expected"),
    [
        ("likelihood", {"kl": 0.1}, "collapsed"),
        ("use", {"active": 0}, "collapsed"),
        ("likelihood", {"kl": 1.0}, "nearly empty"),
        ("use", {"active": 2}, "few dimensions"),
        ("likelihood", {"kl": 16.0}, "autoencoder"),
        ("holes", {"outside": 0.3}, "holes"),
        ("holes", {"at_least": 3.0}, "away from the prior"),
        ("likelihood", {"unknown": 0.08}, "too many unknown words"),
        ("reconstruction", {"distinct": 0.2}, "one place for many sentences"),
    ],
)
def test_each_fault_has_its_name(sound, part, figures, expected):
    assert titles(changed(sound, part, **figures)) == [expected]


def test_poor_reconstructions_are_a_fault_of_a_space_that_says_much(sound):
    poor = changed(sound, "reconstruction", in_place=0.1)
    assert titles(poor) == []
    assert titles(changed(poor, "likelihood", kl=12.0)) == ["poor reconstructions"]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"length": 6.0}, "short samples"),
        ({"distinct": 0.3}, "samples repeat"),
        ({"nll": 5.0}, "less fluent between sentences"),
    ],
)
def test_each_fault_of_samples_has_its_name(sound, figures, expected):
    assert titles(samples(sound, **figures)) == [expected]


def test_a_finding_says_the_figure_and_what_to_try(sound):
    collapsed = changed(changed(sound, "use", active=2), "likelihood", kl=0.1)
    (finding,) = diagnosis.findings(collapsed)
    expected = "2 of 8 dimensions are used, and the KL is 0.10 nats."
    assert finding.explanation == expected
    assert "--beta" in finding.remedy
    said = dataclasses.replace(collapsed, findings=[finding])
    assert f"collapsed: {expected}" in said.short()
    assert f"Collapsed. {expected}" in said.html()


def test_few_sentences_are_no_proof_of_holes(sound):
    few = dataclasses.replace(sound, sentences=50)
    assert titles(changed(few, "holes", outside=0.3, at_least=3.0)) == []


def test_an_autoencoder_is_told_once(sound):
    without = dataclasses.replace(sound, has_prior=False)
    without = changed(without, "likelihood", kl=0.0, bound=24.0)
    assert titles(without) == ["no prior"]
