"""The report on a latent space: all figures, what is wrong, and examples.

N: texts. D: latent size.
"""

import dataclasses
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_textvae.evaluation.space_report import diagnosis, overlap, text_figures
from keras_textvae.evaluation.space_report.figures import Examples, TextSet
from keras_textvae.evaluation.space_report.latent_figures import LatentFigures, scatter
from keras_textvae.evaluation.space_report.results import Report
from keras_textvae.evaluation.space_report.text_figures import (
    MIDPOINTS,
    POINTS,
    RECONSTRUCTIONS,
    Judge,
    Reader,
    decoded,
    sample,
    sources,
)
from keras_textvae.posteriors import Deterministic

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace

SENTENCES = 10_000  # most that are evaluated
DECODED = 1000  # most that are reconstructed
SHOWN = 10  # reconstructions and samples
SHOWN_PATHS = 10


class Chosen(NamedTuple):
    """The texts that are evaluated, in the order of the seed; see `Report`."""

    texts: list[str]
    labels: list[str] | None
    left_out: int


class Amounts(NamedTuple):
    """How much is drawn, see `report`."""

    samples: int
    paths: int
    importance_samples: int


def report(
    space: "TextSpace",
    texts: Iterable[str],
    labels: Iterable[str] | None = None,
    training_texts: Iterable[str] = (),
    *,
    samples: int = 1000,
    paths: int = 100,
    importance_samples: int = 100,
    seed: int = 0,
    title: str = "A latent space",
    description: str = "",
    history: Sequence[dict] = (),
    verbose: int = 0,
) -> Report:
    """Reports on a latent space.

    At most `SENTENCES` texts, drawn by the seed, are evaluated, and `DECODED` of them
    reconstructed. Blank texts and those that are too long for the space are left out.

    Args:
        space: `TextSpace` of a model with z.
        texts: sentences that the model was not trained on.
        labels: a label of each text, by which the plot of the space is coloured.
        training_texts: what the language model that judges fluency is learned from;
            without them there is none.
        samples: int. Texts from each source; 0 leaves all of that part out.
        paths: int. Pairs of sentences between which texts are decoded, at most half of
            the sentences; 0 for none.
        importance_samples: int. Samples of z for the importance-weighted bound; 0
            leaves it out.
        seed: int. Of everything that is drawn.
        title: str. Whose space it is.
        description: str. How it was made.
        history: a row of figures for each epoch, as in a run's `metrics.csv`.
        verbose: 0, or 1 for a line on standard error as each part begins; 2 adds
            progress bars with the time left.

    Returns:
        A `Report`.

    Raises:
        ValueError: for a model without z or without a decoder, for no text that fits,
            and for labels that are not as many as the texts.
    """
    if not (space.model.latent_dim and hasattr(space.model, "decoder")):
        kind = type(space.model).__name__
        raise ValueError(f"report: a {kind} has no latent space that can be decoded.")
    for name, value in {"samples": samples, "paths": paths}.items():
        if value < 0:
            raise ValueError(f"`{name}` must not be negative. Received: {value}")
    chosen = _chosen(Reader(space), list(texts), labels, seed)
    amounts = Amounts(samples, paths, importance_samples)
    found = _Reporting(space, seed, verbose).report(chosen, [*training_texts], amounts)
    return dataclasses.replace(
        found,
        title=title,
        description=description,
        history=[*history],
        findings=diagnosis.findings(found),
    )


def _chosen(reader, texts, labels, seed) -> Chosen:
    labels = None if labels is None else [*labels]
    if labels is not None and len(labels) != len(texts):
        raise ValueError(
            "There must be a label for each text. Received: "
            f"{len(labels):,} labels, {len(texts):,} texts"
        )
    fitting = reader.fitting(texts)
    if not fitting:
        codec = reader.space.codec
        raise ValueError(
            f"A report needs texts of 1 to {codec.length} {codec.tokenizer.unit}s. "
            f"Received: {len(texts):,} texts, none like that"
        )
    order = np.random.default_rng(seed).permutation(fitting)[:SENTENCES]
    return Chosen(
        [texts[n] for n in order],
        labels and [labels[n] for n in order],
        len(texts) - len(fitting),
    )


class _Reporting:
    """The parts of a report, one after another."""

    def __init__(self, space, seed, verbose):
        self.space = space
        self.reader = Reader(space)
        self.seed = seed
        self.verbose = verbose
        self.missing = {}

    def report(self, chosen: Chosen, training: list[str], amounts: Amounts) -> Report:
        space, reader, texts = self.space, self.reader, chosen.texts
        if not overlap.has_bleu():
            self.missing["BLEU"] = overlap.NEEDED
        self._begin(f"latent figures, {len(texts):,} sentences")
        ids, encoding = space.ids(texts), space.encode(texts)
        latent = LatentFigures(space.model, ids, self.seed, self.missing)
        use = latent.use()
        holes = latent.holes(use, encoding.mean, encoding.log_var)
        if samples := amounts.importance_samples:
            self._begin(f"importance weights, {samples} samples a sentence")
        likelihood = latent.likelihood(samples, self._bars)
        sentences = reader.as_read(ids)
        lengths = [*map(len, reader.pieces(sentences))]
        if not space.model.decoder.ordered:
            self.missing["texts"] = "the decoder knows no order of words"
            amounts, sentences = Amounts(0, 0, samples), []
        few = sentences[:DECODED]
        written = self._reconstructions(encoding.mean[: len(few)])
        drawn = self._samples(amounts.samples)
        walked = self._paths(encoding.mean, min(amounts.paths, len(texts) // 2))
        return Report(
            reader.unit,
            len(texts),
            chosen.left_out,
            not isinstance(space.model.posterior, Deterministic),
            likelihood,
            use,
            holes,
            text_figures.reconstruction(reader, few, written) if few else None,
            text_figures.path_figures(reader, walked) if walked else None,
            self._judged(sentences, written, drawn, walked, training),
            Examples(
                [*zip(few, written, strict=True)][:SHOWN],
                {name: drawn_texts[:SHOWN] for name, drawn_texts in drawn.items()},
                walked[:SHOWN_PATHS],
            ),
            scatter(encoding.mean, encoding.kl, lengths, chosen.labels),
            self.missing,
        )

    def _reconstructions(self, mean) -> list[str]:
        if not len(mean):
            return []
        self._begin(f"reconstructions, {len(mean):,}")
        return self._decode(mean)

    def _samples(self, count) -> dict[str, list[str]]:
        drawn = {}
        for source in sources(self.space) if count else ():
            self._begin(f"samples, {source.name}, {count:,}")
            texts = sample(self.space, count, self.seed, source, self._bars)
            drawn[source.name] = texts
        return drawn

    def _paths(self, mean, count) -> list[list[str]]:
        if not count:
            return []
        self._begin(f"paths, {count} of {POINTS} points")
        points = text_figures.lines(mean, count)
        texts = self._decode(points.reshape(-1, points.shape[-1]))
        return [texts[n : n + POINTS] for n in range(0, len(texts), POINTS)]

    def _judged(self, sentences, written, drawn, walked, training) -> list[TextSet]:
        """The sets of texts, judged; none unless there are samples."""
        if not drawn:
            return []
        self._begin("fluency and variety")
        if fitting := self.reader.fitting(training):
            training = self._read([training[n] for n in fitting])
        else:
            self.missing["nats a word"] = "no training texts were given"
        judge = Judge(self.reader, sentences, training if fitting else None)
        sets = [
            judge.true_sentences(sentences[: len(written)]),
            judge.judge(RECONSTRUCTIONS, written, None),
            *(judge.judge(name, texts, texts) for name, texts in drawn.items()),
        ]
        if walked:
            midpoints = [path[POINTS // 2] for path in walked]
            sets.append(judge.judge(MIDPOINTS, midpoints, None))
        return sets

    def _read(self, texts):
        return decoded(lambda some: self.reader.as_read(self.space.ids(some)), texts)

    def _decode(self, z):
        return decoded(self.space.decode, z, self._bars)

    def _begin(self, part):
        if self.verbose:
            print(f"report: {part}", file=sys.stderr, flush=True)

    @property
    def _bars(self):
        return int(self.verbose == 2)
