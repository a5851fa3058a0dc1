"""What the explorer says over gRPC is what the space says itself."""

import grpc
import numpy as np
import pytest

from examples.playground_app import explorer as explorers
from examples.playground_app.explorer import Collection, Explorer, reason
from serving.client import TextVAEClient
from tests.examples.playground_app.conftest import LABELS, close
from tests.step_by_step import step_by_step

TOO_LONG = "cat " * 40


@pytest.fixture(autouse=True)
def at_once(served):
    """Runs the space's methods step by step, once the server has its graphs."""
    with step_by_step():
        yield


def test_samples_are_those_of_the_space(explorer, served):
    space = served.space
    assert explorer.sample(4, 7) == space.sample(4, 7)
    options = {"temperature": 0.5, "top_p": 0.8}
    assert explorer.sample(4, 7, **options) == space.sample(4, 7, **options)
    fitted = explorer.sample(4, 7, fitted=True)
    assert fitted == space.sample(4, 7, fitted=True) != explorer.sample(4, 7)


@pytest.mark.parametrize("spherical", [False, True])
def test_a_path_is_that_of_the_space(explorer, served, texts, spherical):
    path = explorer.path(texts[0], texts[1], 5, spherical)
    assert path == served.space.interpolate(texts[0], texts[1], 5, spherical)


def test_a_reconstruction_has_its_neighbours(explorer, served, texts):
    encoding = served.space.encode(texts)
    answer = explorer.reconstruct(texts[1], explorer.collect(texts))
    assert [answer.text] == served.space.reconstruct(texts[1:2])
    close(answer.kl, encoding.kl[1])
    assert answer.unknown == encoding.unknown[1]
    unit = encoding.mean / np.linalg.norm(encoding.mean, axis=1, keepdims=True)
    cosines = dict(zip(texts, unit @ unit[1], strict=True))
    del cosines[texts[1]]
    nearest = sorted(cosines, key=cosines.get, reverse=True)
    assert [text for _, text in answer.neighbours] == nearest
    close([cosine for cosine, _ in answer.neighbours], [cosines[t] for t in nearest])


def test_a_reconstruction_without_a_map_has_no_neighbours(explorer, texts):
    answer = explorer.reconstruct(texts[1], None)
    assert answer.neighbours == []
    assert answer.text == explorer.reconstruct(texts[1], explorer.collect(texts)).text


def test_blanks_are_filled_as_by_the_space(explorer, served):
    hidden = "the _ sees a dog"
    for pieces in (1, 3):
        assert explorer.fill(hidden, pieces) == served.space.impute(
            hidden, max_pieces=pieces
        )


def test_scores_are_those_of_the_space_but_for_the_refused(explorer, served, texts):
    scores = explorer.score("\n".join([*texts[:2], TOO_LONG, "", *texts[2:]]))
    assert [row[0] for row in scores.rows] == texts
    expected = served.space.score(texts)
    for column, name in enumerate(("bound", "reconstruction", "kl", "unknown"), 1):
        close([row[column] for row in scores.rows], getattr(expected, name))
    assert scores.refused == ["sentence 3: a text has more than 20 subwords"]


def test_labels_are_those_of_the_space_the_likeliest_first(explorer, served, texts):
    classes = explorer.classify("\n".join([*texts[:2], TOO_LONG, *texts[2:]]))
    assert [text for text, _ in classes.rows] == texts
    expected = served.space.classify(texts)
    assert [named[0][0] for _, named in classes.rows] == expected.label
    assert len({*expected.label}) > 1
    for (_, named), probabilities in zip(
        classes.rows, expected.probabilities, strict=True
    ):
        close([share for _, share in named], sorted(probabilities, reverse=True))
        close([dict(named)[label] for label in LABELS], probabilities)
    assert classes.refused == ["sentence 3: a text has more than 20 subwords"]


def test_a_model_that_does_not_name_its_labels_is_told(explorer, monkeypatch):
    def without_labels(rows):
        return {"label": np.array(["joy"]), "probabilities": np.eye(1)}

    monkeypatch.setattr(explorer._client, "classify", without_labels)
    with pytest.raises(ValueError, match="does not name its labels: export it again"):
        explorer.classify("a")


def test_a_collection_leaves_out_what_is_too_long(explorer, served, texts):
    collection = explorer.collect_lines("\n".join([TOO_LONG, *texts]))
    assert collection.texts == texts
    close(collection.means, served.space.encode(texts).mean)
    assert collection.refused == ["sentence 1: a text has more than 20 subwords"]
    with pytest.raises(ValueError, match="^sentence 1: a text has more than 20 sub"):
        explorer.collect_lines(TOO_LONG)


def test_samples_are_collected_once_each(explorer, served):
    drawn = served.space.sample(50, 3, temperature=0.0)
    collection = explorer.collect_samples(50, 3)
    assert {*collection.texts} <= {*drawn} and len({*drawn}) < 50
    assert len(collection.texts) == len({*collection.texts}) == len(collection.means)


def test_arithmetic_is_that_of_the_means(explorer, served, texts):
    a, b, c = served.space.encode(texts[:3]).mean
    expected = served.space.decode([a + 1.5 * (c - b), a, b, c])
    assert explorer.combine(*texts[:3], 1.5) == expected
    total, alone, *_ = explorer.combine(*texts[:3], 0.0)
    assert total == alone
    assert explorer.combine(*texts[:3], 3.0)[0] != alone


def test_a_sentence_moves_along_the_widest_dimensions(explorer, served, texts):
    collection = explorer.collect(texts)
    position = explorer.position(texts[0], collection)
    means = served.space.encode(texts).mean
    close(position.z, means[0])
    variances = means.var(axis=0)
    assert list(variances[position.dimensions]) == sorted(variances, reverse=True)
    close(position.units, np.sqrt(variances[position.dimensions]))
    z = position.moved([0.0, -2.0, 0.0])
    expected = position.z.copy()
    expected[position.dimensions[1]] -= 2 * position.units[1]
    close(z, expected)
    assert explorer.decode(z) == served.space.decode([z])[0]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda e, c: e.path("", "a", 5, False), "the first sentence is empty"),
        (lambda e, c: e.path("a", " ", 5, False), "the last sentence is empty"),
        (lambda e, c: e.path("a", "a", None, False), "the number of steps must be a"),
        (lambda e, c: e.path("a", "a", 1, False), "`steps` must be at least 2"),
        (lambda e, c: e.path("a", TOO_LONG, 5, False), "a text has more than 20 sub"),
        (lambda e, c: e.reconstruct("", c), "the sentence is empty"),
        (lambda e, c: e.fill("the cat"), "no word is hidden"),
        (lambda e, c: e.fill("a_b"), "a text has no hidden word (_)"),
        (lambda e, c: e.fill(""), "the sentence is empty"),
        (lambda e, c: e.score(" \n"), "there is no sentence yet"),
        (lambda e, c: e.classify(""), "there is no sentence yet"),
        (lambda e, c: e.collect([]), "there is no sentence yet"),
        (lambda e, c: e.score("a\n" * 2001), "more than 2000 sentences: 2001"),
        (lambda e, c: e.combine("a", "", "a", 1.0), "sentence b is empty"),
        (lambda e, c: e.position(None, c), "the sentence is empty"),
        (lambda e, c: e.sample(0), "the number must be from 1 to 2000"),
        (lambda e, c: e.sample(None), "the number must be a whole number"),
        (lambda e, c: e.sample(1, 2**70), "the seed must have 64 bits at most"),
        (lambda e, c: e.sample(2, 2**63 - 1), "the seed must have 64 bits at most"),
        (lambda e, c: e.sample(1, 0, -1.0), "`temperature` must be at least 0.0"),
    ],
)
def test_a_mistake_is_one_line(explorer, ask, message):
    collection = Collection([], np.zeros((0, 3)), [])
    with pytest.raises((ValueError, OverflowError, grpc.RpcError)) as failure:
        ask(explorer, collection)
    assert reason(failure.value).startswith(message)
    assert "\n" not in reason(failure.value)


def test_a_server_that_is_gone_or_slow_is_one_line(explorer, served):
    with TextVAEClient("127.0.0.1:1", timeout=0.2) as client:
        with pytest.raises(grpc.RpcError) as failure:
            Explorer(client)
    assert reason(failure.value).startswith("the server does not answer: ")
    with TextVAEClient(served.server.address, "other") as client:
        with pytest.raises(grpc.RpcError) as failure:
            Explorer(client)
    assert reason(failure.value) == "Servable not found for request: Latest(other)"


class Described:
    """A client of a model that only has metadata."""

    def __init__(self, **signatures):
        self.signatures = lambda: signatures


def test_what_a_model_offers_follows_from_its_metadata(explorer):
    language_model = Explorer(
        Described(sample=["seed", "top_p"], impute=["text"], score=["text", "seed"])
    )
    assert language_model.offers("sample", "score")
    assert not language_model.offers("sample", "encode")
    assert not language_model.has_option("sample", "fitted")
    assert not language_model.has_option("encode", "fitted")
    assert explorer.offers("encode", "decode", "interpolate", "reconstruct")
    assert explorer.has_option("sample", "fitted")
    assert explorer.has_option("impute", "max_pieces")
    with pytest.raises(ValueError, match="no signature to play with, only dream"):
        Explorer(Described(dream=["text"]))
    assert Explorer(Described(classify=["text"])).offers("classify")


def test_batches_are_smaller_than_what_is_asked(explorer, monkeypatch):
    """So that the tests above have seen several."""
    sizes = []
    call = explorer._client.score
    monkeypatch.setattr(
        explorer._client, "score", lambda rows: sizes.append(len(rows)) or call(rows)
    )
    explorer.score("a\nb\nc\nd")
    assert sizes == [3, 1] and explorers.MOST_TEXTS > 4
