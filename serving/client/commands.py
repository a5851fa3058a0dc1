"""The program's commands.

Each takes a client and the flags' values, and yields an answer for each batch of rows
as columns of equal length, or a `rows.Refused` in place of a row that is at fault. Rows
are read no sooner than they are sent.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from serving.client import batches, rows
from serving.client.text_vae_client import TextVAEClient


def sample(client: TextVAEClient, options):
    """`seed`, `text`: --count texts, from --seed on."""
    first = options.seed or 0
    sampling = options.temperature, options.top_k, options.top_p, options.fitted
    seeds = range(first, first + options.count)
    for batch in batches.of_rows(seeds, client.rows_per_call):
        yield {"seed": batch, "text": client.sample(batch, *sampling)}


def interpolate(client: TextVAEClient, options):
    """`step`, `text`: the path from --start to --end."""
    if options.start is None or options.end is None:
        raise ValueError("interpolate needs --start and --end")
    path = options.steps, options.spherical
    (texts,) = client.interpolate([options.start], [options.end], *path)
    yield {"step": range(len(texts)), "text": texts}


def reconstruct(client: TextVAEClient, options):
    """`text`, `reconstruction`."""
    return _of_texts(
        client,
        options,
        lambda texts: {"text": texts, "reconstruction": client.reconstruct(texts)},
    )


def impute(client: TextVAEClient, options):
    """`text`, `imputation`."""
    return _of_texts(
        client,
        options,
        lambda texts: {
            "text": texts,
            "imputation": client.impute(texts, options.max_pieces),
        },
    )


def encode(client: TextVAEClient, options):
    """`text`, the numbers of its posterior, and how many words are `unknown`."""
    return _of_texts(
        client, options, lambda texts: {"text": texts} | _columns(client.encode(texts))
    )


def decode(client: TextVAEClient, options):
    """`text` of each vector on standard input."""
    missing = "no vector: give one a line on standard input"
    return _answers(
        client,
        rows.of_input(),
        missing,
        lambda lines: {"text": client.decode([*map(_vector, lines)])},
    )


def score(client: TextVAEClient, options):
    """`text`, its bound, in nats, and how many words are `unknown`."""
    return _of_texts(
        client,
        options,
        lambda texts: {"text": texts} | _columns(client.score(texts, options.seed)),
    )


def classify(client: TextVAEClient, options):
    """`text`, its `label`, and the `probabilities` of all `labels`."""
    return _of_texts(
        client,
        options,
        lambda texts: {"text": texts} | _columns(client.classify(texts)),
    )


def call(client: TextVAEClient, options):
    """The outputs of any signature, in one call."""
    declared = client.inputs(options.signature)
    values = {}
    for name, _, value in (item.partition("=") for item in options.input):
        if name not in declared:
            names = ", ".join(sorted(declared))
            raise ValueError(f"no such input, only {names}. Received: {name}")
        values.setdefault(name, []).append(value)
    inputs = {name: _array(name, values[name], *declared[name]) for name in values}
    yield _columns(client.predict(options.signature, **inputs))


_ALL = sample, interpolate, reconstruct, impute, encode, decode, score, classify, call
COMMANDS = {command.__name__: command for command in _ALL}


def _of_texts(client: TextVAEClient, options, ask: Callable) -> Iterator:
    texts = rows.of_flag("text", options.text) if options.text else rows.of_input()
    missing = "no text: give --text, or one a line on standard input"
    return _answers(client, texts, missing, ask)


def _answers(client, given: Iterable[rows.Row], missing: str, ask) -> Iterator:
    """Yields the answers to rows in batches that fit a call, see `rows.answers`.

    Without rows the error says `missing`.
    """
    groups = batches.of_rows(given, client.rows_per_call)
    first = next(groups, None)
    if first is None:
        raise ValueError(missing)
    for batch in itertools.chain([first], groups):
        yield from rows.answers(batch, ask)


def _vector(line: str) -> list[float]:
    try:
        row = json.loads(line)
        vector = row["mean"] if isinstance(row, dict) else row
        return [float(number) for number in vector]
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"not a vector in JSON. Received: {line.strip()}") from None


def _array(name: str, values: list[str], dtype: np.dtype, rank: int) -> np.ndarray:
    """The input in its declared type, from its rows or from its single value."""
    read = str.encode if dtype.kind == "O" else json.loads
    try:
        entries = [read(value) for value in values]
        array = np.array(entries, dtype)
        if dtype.kind in "ib" and array.tolist() != entries:  # 1.5 would be 1
            raise ValueError
        return array if rank else array.reshape(())
    except (ValueError, TypeError, OverflowError):
        kind = f"{dtype} in rows" if rank else f"one {dtype}"
        raise ValueError(f"{name} must be {kind}. Received: {values}") from None


def _columns(outputs) -> dict[str, list]:
    return {name: np.atleast_1d(outputs[name]).tolist() for name in sorted(outputs)}
