"""A real text space, exported and served, answers what its own methods answer.

What it refuses is in `tests/conformance`.

B: rows. D: latent size.
"""

import grpc
import numpy as np
import pytest

from keras_textvae import Codec, TextSpace, WordTokenizer, grammar, lstm_vae, transfer
from serving.client import TextVAEClient
from serving.server import Server
from tests.step_by_step import step_by_step
from tests.text_space.conftest import DENSITY

LENGTH = 12
LATENT_SIZE = 3
TEXTS = [example.text for example in grammar.generate(40, 0, "train")]
SHORT = [text for text in TEXTS if len(text.split()) < LENGTH]


@pytest.fixture(scope="module")
def space():
    """A space in the grammar's words, with weights that make each z another text."""
    tokenizer = WordTokenizer(sorted({word for text in TEXTS for word in text.split()}))
    model = lstm_vae(tokenizer.vocabulary_size, 5, 8, LATENT_SIZE, z_every_step=True)
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.8, size=weight.shape))
    return TextSpace(model, Codec(tokenizer, LENGTH - 1), DENSITY)


@pytest.fixture(scope="module")
def address(space, tmp_path_factory):
    """Where the exported space is served."""
    base_path = tmp_path_factory.mktemp("textvae")
    space.export(str(base_path / "1"))
    with Server(base_path, "toy") as server:
        yield server.address


@pytest.fixture(scope="module")
def client(address):
    with TextVAEClient(address, "toy", timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def at_once(address):
    """Runs the methods step by step: their graphs take longer to begin, one by one."""
    with step_by_step():
        yield


@pytest.fixture
def stubs(address, connect):
    return connect(address)


def assert_equal_numbers(answer, expected):
    for name, numbers in expected._asdict().items():
        np.testing.assert_allclose(answer[name], numbers, rtol=1e-5, atol=1e-5)


def test_every_signature_answers_as_its_method(client, space):
    texts = SHORT[:3]
    assert client.sample([5, 6, 7]) == space.sample(3, seed=5)
    assert client.reconstruct(texts) == space.reconstruct(texts)
    paths = [space.interpolate(*texts[:2]), space.interpolate(*texts[1:])]
    assert client.interpolate(texts[:2], texts[1:]) == paths
    hidden = [" ".join(["_", *text.split()[1:]]) for text in texts]
    assert client.impute(hidden) == space.impute(hidden)
    assert_equal_numbers(client.encode(texts), space.encode(texts))
    assert_equal_numbers(client.score(texts), space.score(texts))
    z = np.random.default_rng(1).normal(size=(4, LATENT_SIZE))
    assert client.decode(z) == space.decode(z)
    assert len(set(client.decode(z))) > 1


def test_options_reach_the_model(client, space):
    texts = SHORT[:2]
    options = {"temperature": 0.5, "top_k": 3, "top_p": 0.9, "fitted": True}
    assert client.sample([5, 6], **options) == space.sample(2, 5, **options)
    assert space.sample(2, 5, **options | {"fitted": False}) != space.sample(
        2, 5, **options
    )
    for path in ((3,), (4, True)):
        expected = [space.interpolate(*texts, *path)]
        assert client.interpolate(texts[:1], texts[1:], *path) == expected
    assert_equal_numbers(client.score(texts, 9), space.score(texts, 9))


def test_same_seed_gives_the_same_bytes_beside_any_rows(stubs, make_request):
    def served(*seeds):
        request = make_request("sample", seed=np.array(seeds, np.int64))
        return stubs.prediction.Predict(request, timeout=60).outputs["text"].string_val

    together = served(3, 1, 4, 1, 5)
    assert served(3, 1, 4, 1, 5) == together
    assert together[1] == together[3]
    assert served(4, 3, 1) == [together[2], together[0], together[1]]
    assert served(5) == [together[4]]
    assert len(set(together)) == 4


ODD = {
    "unknown words only": b"zyzzyva qwyjibo",
    "no words": b"",
    "blanks": b" \t ",
    "embedded NUL": b"the\0 \0 the",
    "invalid UTF-8": b"\xff\xfe the \xc3",
    "not ASCII": "h\u00e9 \U0001f600 \u05d0\u0301".encode(),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_text_has_an_answer_in_utf8(client, space, name):
    texts = [ODD[name], SHORT[0].encode()]
    answer = client.predict("reconstruct", text=np.array(texts, object))
    assert answer["text"].tolist() == space.reconstruct(texts)
    assert "\ufffd" not in answer["text"][0]
    numbers = client.predict("score", text=np.array(texts, object))
    assert_equal_numbers(numbers, space.score(texts))
    assert np.all(np.isfinite(numbers["bound"]))


def test_a_classifier_answers_as_it_classifies(space, tmp_path):
    labelled = transfer.classifier(space, ["joy", "sadness", "wörry"])
    labelled.export(str(tmp_path / "1"))
    with (
        Server(tmp_path, "labels") as server,
        TextVAEClient(server.address, "labels", timeout=60, rows_per_call=4) as client,
    ):
        found, expected = client.classify(SHORT[:9]), labelled.classify(SHORT[:9])
        assert found["label"].tolist() == expected.label
        assert found["labels"].tolist() == [["joy", "sadness", "wörry"]] * 9
        np.testing.assert_allclose(
            found["probabilities"], expected.probabilities, rtol=1e-5
        )
        encoded = client.encode(SHORT[:3])["mean"]
        np.testing.assert_allclose(encoded, space.encode(SHORT[:3]).mean, atol=1e-5)
        for name, text, code, message in (
            ("sample", b"a", "FAILED_PRECONDITION", '"sample" not found'),
            ("classify", b" ", "INVALID_ARGUMENT", "a text is empty"),
        ):
            with pytest.raises(grpc.RpcError, match=message) as error:
                client.predict(name, text=np.array([text], object))
            assert error.value.code() == grpc.StatusCode[code]
