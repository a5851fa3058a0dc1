"""The report's figures against the space's own methods."""

import json
import types

import keras
import numpy as np
import pytest

from keras_textvae import posteriors, zoo
from keras_textvae.evaluation import report
from keras_textvae.evaluation.space_report.latent_figures import (
    LatentFigures,
    near_equal,
)
from keras_textvae.evaluation.space_report.text_figures import (
    POINTS,
    Reader,
    TrigramModel,
)
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from tests.evaluation.space_report.conftest import LEFT_OUT, LENGTH, TEXTS


def as_read(text):
    return text.replace("zebra", "<unk>")


def test_latent_figures_are_those_of_the_encodings(found, space):
    encoding = space.encode(TEXTS)
    variances = np.var(encoding.mean, axis=0)
    assert found.likelihood.kl == pytest.approx(np.mean(encoding.kl), rel=1e-4)
    assert np.sum(found.use.kl_by_dimension) == pytest.approx(found.likelihood.kl)
    np.testing.assert_allclose(found.use.variances, variances, rtol=1e-4)
    assert found.use.very_active == np.sum(variances > 0.2)
    assert found.use.most_information == pytest.approx(np.log(len(TEXTS)))
    assert found.sentences == len(TEXTS)
    assert found.left_out == len(LEFT_OUT)
    words = sum(len(text.split()) for text in TEXTS)
    assert found.likelihood.unknown == pytest.approx(1 / words)
    assert found.likelihood.importance_weighted.nll < found.likelihood.bound + 1.0


def test_reconstructions_are_those_of_the_space(found, space):
    pairs = [
        (as_read(text).split(), other.split())
        for text, other in zip(TEXTS, space.reconstruct(TEXTS), strict=True)
    ]
    exact = np.mean([a == b for a, b in pairs])
    in_place = sum(a[n : n + 1] == [y] for a, b in pairs for n, y in enumerate(b))
    words = sum(len(a) for a, _ in pairs)
    assert found.reconstruction.exact == pytest.approx(exact)
    assert found.reconstruction.in_place == pytest.approx(in_place / words)
    for text, reconstruction in found.examples.reconstructions:
        original = text.replace("<unk>", "zebra")
        assert original in TEXTS
        assert reconstruction == space.reconstruct([original])[0]


def test_samples_and_paths_are_those_of_the_space(found, space):
    samples = found.examples.samples
    assert samples["prior, greedy"] == space.sample(10, 0, temperature=0.0)
    assert samples["prior, temperature 1"] == space.sample(10, 0)
    before = [
        text.replace("<unk>", "zebra") for text, _ in found.examples.reconstructions
    ]
    for number, path in enumerate(found.examples.paths):
        start, end = before[2 * number : 2 * number + 2]
        assert path == space.interpolate(start, end, POINTS)


def test_a_space_that_knows_no_order_of_words_has_a_report_without_texts():
    tokenizer = WordTokenizer("the a cat dog sees likes big old".split())
    model = zoo.bag_of_words_vae(tokenizer.vocabulary_size, 4, 8, 3)
    space = TextSpace(model, Codec(tokenizer, LENGTH))
    with pytest.raises(ValueError, match="sample: this TextVAE has no such method, on"):
        space.sample()
    found = report(space, TEXTS, training_texts=TEXTS, importance_samples=2)
    assert found.likelihood.bound == pytest.approx(
        np.mean(space.score(TEXTS).bound), rel=0.2
    )
    assert (found.reconstruction, found.paths, found.texts) == (None, None, [])
    assert len(found.scatter.lengths) == len(TEXTS)
    assert {finding.title for finding in found.findings} <= {"collapsed", "holes"}
    for text in (found.short(), found.markdown(), found.html()):
        assert "No texts: the decoder knows no order of words." in text
        assert "econstructions" not in text
    assert found.to_json()["reconstruction"] is None


def test_texts_are_judged_beside_true_sentences(found, space):
    names = ["true sentences", "reconstructions", "prior, greedy"]
    assert [texts.name for texts in found.texts][:3] == names
    true, written, greedy, _, midpoints = found.texts
    model = TrigramModel([as_read(text).split() for text in TEXTS])
    for texts, judged in (
        ([as_read(text) for text in TEXTS], true),
        (space.reconstruct(TEXTS), written),
        (space.sample(12, 0, temperature=0.0), greedy),
    ):
        pieces = [text.split() for text in texts]
        ends = sum(map(len, pieces)) + len(pieces)
        assert judged.nll == pytest.approx(np.sum(model.nll(pieces)) / ends)
        assert judged.length == pytest.approx(ends / len(pieces) - 1)
        assert judged.distinct == len(set(texts)) / len(texts)
    assert true.nll < greedy.nll
    assert midpoints.count == found.paths.count == 4
    assert written.reverse_nll is None
    assert true.reverse_nll < greedy.reverse_nll


def test_the_words_of_texts_as_read_are_those_that_the_space_reads():
    tokenizer = WordTokenizer("a ￭, (￭ ￭)".split(), split="punctuation")
    codec = Codec(tokenizer, 9)
    reader = Reader(types.SimpleNamespace(codec=codec))
    ids = codec.ids(["a, (zebra), a", "(a)!"]).numpy()
    texts = reader.as_read(ids)
    assert texts == ["a, (<unk>), a", "(a) <unk>"]
    words = [["a", "￭,", "(￭", "<unk>", "￭)", "￭,", "a"], ["(￭", "a", "￭)", "<unk>"]]
    assert reader.pieces(texts) == words
    assert reader.unit == "word"


def test_json_holds_every_figure(found):
    written = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert written["likelihood"]["kl"] == found.likelihood.kl
    assert written["use"]["variances"] == found.use.variances.tolist()
    assert written["texts"][0]["name"] == "true sentences"
    assert "scatter" not in written


def test_the_short_report_is_a_few_lines(found):
    lines = found.short().splitlines()
    assert lines[0] == f"latent space, on {len(TEXTS)} sentences:"
    assert f"KL {found.likelihood.kl:.2f} nats" in lines[1]
    assert f"{found.reconstruction.in_place:.1%} of words in place" in lines[2]
    assert max(map(len, lines[:4])) < 100


def test_posteriors_without_a_density_have_the_other_figures():
    ids = np.array([[1, 4 + n % 5, 4 + n // 5, 2] for n in range(25)], "int32")
    missing = {}
    model = zoo.lstm_vae(9, 3, 4, 2, posterior="deterministic", initial_range=1.0)
    figures = LatentFigures(model, ids, 0, missing)
    likelihood, use = figures.likelihood(2), figures.use()
    assert likelihood.importance_weighted is use.mutual_information is None
    assert "Deterministic" in missing["importance-weighted NLL"]
    z = keras.ops.convert_to_numpy(model.mode(ids))
    covariance = np.cov(z, rowvar=False, bias=True)
    center = np.mean(z, axis=0)
    expected = 0.5 * (np.trace(covariance) + center @ center - 2)
    expected -= 0.5 * np.log(np.linalg.det(covariance))
    holes = figures.holes(use, z, None)
    assert holes.at_least == pytest.approx(expected, rel=1e-4)
    assert (holes.at_most, holes.outside) == (None, None)
    assert isinstance(model.posterior, posteriors.Deterministic)


def test_batches_of_near_equal_lengths_lose_nothing():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 150)
    ids = (np.arange(9) < lengths[:, None]) * rng.integers(3, 9, (150, 9))
    batches = near_equal(ids.astype("int32"))
    rows = [tuple(row[row > 0]) for batch in batches for row in batch]
    assert sorted(rows) == sorted(tuple(row[row > 0]) for row in ids)
    assert all(np.all(np.any(batch, axis=0)) for batch in batches)


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([], {}, "texts of 1 to 5 words. Received: 0 texts"),
        (LEFT_OUT, {}, "texts of 1 to 5 words. Received: 2 texts, none"),
        (TEXTS[:2], {"labels": ["one"]}, "1 labels, 2 texts"),
        (TEXTS[:2], {"samples": -1}, "`samples` must not be negative"),
        (TEXTS[:2], {"paths": -1}, "`paths` must not be negative"),
    ],
)
def test_mistakes(space, texts, options, message):
    with pytest.raises(ValueError, match=message):
        report(space, texts, **options)
