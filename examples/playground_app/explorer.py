"""What the playground computes: calls of a served latent space, and what follows.

Nothing here knows of the page. Whatever a model says comes over gRPC; a mistake is a
ValueError or `grpc.RpcError`, of which `reason` is one line.

N: texts of a collection. D: latent size.
"""

from collections.abc import Iterable
from typing import NamedTuple

import grpc
import numpy as np

from examples.playground_app import geometry
from keras_textvae import text_space
from serving.client import TextVAEClient
from serving.client.batches import of_rows
from serving.client.rows import Refused, Row, answers

MOST_TEXTS = 2000  # of a collection
SAMPLES = 200  # of the collection to begin with
NEIGHBOURS = 5
SLIDERS = 8  # dimensions that can be moved


class Collection(NamedTuple):
    """Texts, and where they are in the latent space.

    Attributes:
        texts: list of N str.
        means: float32 [N, D], of their posteriors.
        refused: list of str, a line for each text that the model cannot take.
    """

    texts: list[str]
    means: np.ndarray
    refused: list[str]


class Reconstruction(NamedTuple):
    """What a model makes of a text.

    Attributes:
        text: str.
        kl: float, nats.
        unknown: int, words or characters that the model does not know.
        neighbours: list of (cosine, text), the nearest others of a collection first.
    """

    text: str
    kl: float
    unknown: int
    neighbours: list[tuple[float, str]]


class Answers(NamedTuple):
    """What a model says of several texts.

    Attributes:
        rows: list of tuples that begin with the text, see what returns them.
        refused: list of str, a line for each text that the model cannot take.
    """

    rows: list[tuple]
    refused: list[str]


class Position(NamedTuple):
    """A text's place, and the dimensions along which it can be moved.

    Attributes:
        z: float32 [D], the mean of its posterior.
        dimensions: int [count], those in which a collection varies most.
        units: float [count], the collection's standard deviation in each.
    """

    z: np.ndarray
    dimensions: np.ndarray
    units: np.ndarray

    def moved(self, steps: Iterable[float]) -> np.ndarray:
        """Returns z after so many units along each dimension, [D]."""
        z = self.z.copy()
        z[self.dimensions] += self.units * np.array([*steps])
        return z


class Explorer:
    """A served latent space, in terms of what the playground shows.

    Args:
        client: `TextVAEClient`.

    Raises:
        grpc.RpcError: if the server does not answer, or has no such model.
        ValueError: if the model has none of the signatures that the playground shows.

    Attributes:
        signatures: dict of a signature's name to the names of its inputs.
    """

    def __init__(self, client: TextVAEClient):
        self._client = client
        self.signatures = client.signatures()
        shown = {"sample", "impute", "score", "encode", "classify"}
        if not shown & {*self.signatures}:
            names = ", ".join(self.signatures)
            raise ValueError(f"the model has no signature to play with, only {names}")

    def offers(self, *signatures: str) -> bool:
        """Whether the model has all these signatures."""
        return {*signatures} <= {*self.signatures}

    def has_option(self, signature: str, option: str) -> bool:
        """Whether a signature of the model has an input of that name."""
        return option in self.signatures.get(signature, ())

    def sample(
        self,
        count: int,
        seed: int = 0,
        temperature: float | None = None,
        top_p: float | None = None,
        fitted: bool | None = None,
    ) -> list[str]:
        """Draws texts, of the seeds from `seed` on. See `TextVAEClient.sample`."""
        first, count = _whole("the seed", seed), _whole("the number", count)
        if not 1 <= count <= MOST_TEXTS:
            raise ValueError(f"the number must be from 1 to {MOST_TEXTS}")
        if not -(2**63) <= first <= 2**63 - count:
            raise ValueError("the seed must have 64 bits at most")
        return self._client.sample(
            range(first, first + count), temperature, None, top_p, fitted
        )

    def path(self, start: str, end: str, steps: int, spherical: bool) -> list[str]:
        """Returns the texts from one text to another, their reconstructions included.

        Args:
            start, end: str.
            steps: int.
            spherical: bool. Whether along an arc, not a line.
        """
        start, end = _text("the first sentence", start), _text("the last sentence", end)
        steps = _whole("the number of steps", steps)
        return self._client.interpolate([start], [end], steps, spherical)[0]

    def reconstruct(self, text: str, collection: Collection | None) -> Reconstruction:
        """Encodes a text and decodes it again; finds what is near it, if it can."""
        text = _text("the sentence", text)
        posterior = self._client.encode([text])
        nearest = []
        if collection:
            cosines = geometry.cosines(collection.means, posterior["mean"][0])
            nearest = [
                (float(cosines[i]), collection.texts[i])
                for i in np.argsort(-cosines, kind="stable")
                if collection.texts[i] != text
            ]
        return Reconstruction(
            self._client.reconstruct([text])[0],
            float(posterior["kl"][0]),
            int(posterior["unknown"][0]),
            nearest[:NEIGHBOURS],
        )

    def fill(self, text: str, max_pieces: int | None = None) -> str:
        """Replaces each hidden word, "_"."""
        text = _text("the sentence", text)
        if "_" not in text:
            raise ValueError("no word is hidden: write _ in its place")
        pieces = max_pieces and _whole("the number of pieces", max_pieces)
        return self._client.impute([text], pieces)[0]

    def score(self, lines: str) -> Answers:
        """Bounds -log p of lines: text, bound, reconstruction, KL (nats), unknown."""
        texts = _texts(lines)
        parts, refused = self._answers(
            texts, lambda rows: {"text": rows} | self._client.score(rows)
        )
        columns = ("text", "bound", "reconstruction", "kl", "unknown")
        rows = [
            row for part in parts for row in zip(*map(part.get, columns), strict=True)
        ]
        return Answers(rows, refused)

    def classify(self, lines: str) -> Answers:
        """Classifies each line: text, [(label, probability)], the likeliest first."""
        parts, refused = self._answers(
            _texts(lines), lambda rows: {"text": rows} | self._client.classify(rows)
        )
        if any("labels" not in part for part in parts):
            raise ValueError("the model does not name its labels: export it again")
        rows = []
        for part in parts:
            columns = part["text"], part["labels"], part["probabilities"].astype(float)
            for text, labels, probabilities in zip(*columns, strict=True):
                order = np.argsort(-probabilities, kind="stable")
                rows.append((text, [(labels[i], probabilities[i]) for i in order]))
        return Answers(rows, refused)

    def collect(self, texts: Iterable[str]) -> Collection:
        """Encodes texts; one that the model cannot take is left out, and told."""
        parts, refused = self._answers(
            texts, lambda rows: {"text": rows} | self._client.encode(rows)
        )
        if not parts:
            raise ValueError(refused[0] if refused else "there is no sentence yet")
        return Collection(
            [text for part in parts for text in part["text"]],
            np.concatenate([part["mean"] for part in parts]),
            refused,
        )

    def collect_samples(self, count: int = SAMPLES, seed: int = 0) -> Collection:
        """Collects different texts that are drawn greedily from draws of z."""
        drawn = self.sample(count, seed, temperature=0.0)
        return self.collect(text for text in dict.fromkeys(drawn) if text.strip())

    def collect_lines(self, lines: str) -> Collection:
        """Collects the lines of a text."""
        return self.collect(_texts(lines))

    def combine(self, a: str, b: str, c: str, scale: float) -> list[str]:
        """Returns the text of a + scale * (c - b), and those of a, b and c alone."""
        texts = [
            _text(f"sentence {n}", text) for n, text in {"a": a, "b": b, "c": c}.items()
        ]
        means = self._client.encode(texts)["mean"]  # [3, D]
        z = means[0] + scale * (means[2] - means[1])
        return self._client.decode(np.stack([z, *means]))

    def position(self, text: str, collection: Collection) -> Position:
        """Returns where a text is, and in which dimensions the collection varies."""
        text = _text("the sentence", text)
        z = self._client.encode([text])["mean"][0]
        dimensions = geometry.widest(collection.means, SLIDERS)
        return Position(z, dimensions, collection.means.std(axis=0)[dimensions])

    def decode(self, z: np.ndarray) -> str:  # [D]
        """Returns the text of a point."""
        return self._client.decode([z])[0]

    def _answers(self, texts, ask):
        """Returns the answers to batches of texts, and a line for each refused text."""
        rows = [Row(f"sentence {n}", text.encode()) for n, text in enumerate(texts, 1)]
        if len(rows) > MOST_TEXTS:
            raise ValueError(f"more than {MOST_TEXTS} sentences: {len(rows)}")
        parts, refused = [], []
        for batch in of_rows(rows, self._client.rows_per_call):
            for answer in answers(batch, ask):
                if isinstance(answer, Refused):
                    refused.append(f"{answer.place}: {_check(answer.reason)}")
                else:
                    parts.append(answer)
        return parts, refused


def reason(error: Exception) -> str:
    """Returns one line for people that says what went wrong."""
    if not isinstance(error, grpc.RpcError):
        return " ".join(str(error).split())
    details = _check(error.details() or error.code().name)
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return f"the server does not answer: {details}"
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return "the server took too long"
    return details


def _check(details: str) -> str:
    """Returns the words of the check that failed in the model, or all details."""
    words, _ = text_space.failed_check(details) or (details, None)
    return " ".join(words.split())


def _text(name, text):
    if not text or not text.strip():
        raise ValueError(f"{name} is empty")
    return text


def _texts(lines):
    texts = [line for line in (lines or "").splitlines() if line.strip()]
    if not texts:
        raise ValueError("there is no sentence yet: write one a line")
    return texts


def _whole(name, number):
    if number is None or number != int(number):
        raise ValueError(f"{name} must be a whole number")
    return int(number)
