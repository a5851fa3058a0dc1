"""What is wrong with a latent space, in words, and what to try.

Every threshold is here. They are rules of thumb, on the side of saying too little.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from keras_textvae.evaluation.space_report.figures import Finding

if TYPE_CHECKING:
    from keras_textvae.evaluation.space_report.results import Report

COLLAPSED = 0.5  # nats of the KL
NEARLY_EMPTY = 1.5  # nats of the KL
FEW_DIMENSIONS = 0.25  # of all, with a variance above 0.01
ENOUGH = 200  # sentences, to tell holes from chance
OUTSIDE = 0.1  # of the prior's draws; 0.01 without holes
FAR = 0.25  # of the KL, the least divergence of the aggregated posterior
UNKNOWN = 0.05  # of the words
MUCH_KL = 10.0  # nats, with which sentences should come back
IN_PLACE = 0.3  # of the pieces
AUTOENCODER = 0.5  # of the bound, the KL
SHORT = 0.85  # of the sentences' length
LESS_FLUENT = 1.15  # times the reconstructions' nats a piece
REPEATED = 0.5  # of the texts are different ones

_MORE_KL = (
    "a lower --beta (0.2), --free_bits=8, --model=posterior=batch_normalized, or "
    "--annealing=cyclical,...; a decoder that sees less (--model=keep_rate=0.6), and "
    "an encoder that pools all words (--model=pooling=max)"
)
_LESS_KL = (
    "a higher --beta or more training; or sample from a density that is fitted to the "
    "aggregated posterior, not from the prior"
)


def findings(report: "Report") -> list[Finding]:
    """Returns what is wrong; an empty list if nothing is."""
    return [
        *_of_use(report),
        *_of_holes(report),
        *_of_words(report),
        *_of_texts(report),
    ]


def _of_use(report) -> Iterator[Finding]:
    use, kl = report.use, report.likelihood.kl
    used = f"{use.active} of {use.dimensions} dimensions are used"
    if not report.has_prior:
        yield Finding(
            "no prior",
            "The posterior has neither noise nor a prior: the space is an "
            "autoencoder's, and samples of N(0, I) mean nothing.",
            "a posterior with a density, such as --model=posterior=gaussian",
        )
    elif kl < COLLAPSED or not use.active:
        yield Finding("collapsed", f"{used}, and the KL is {kl:.2f} nats.", _MORE_KL)
    elif kl < NEARLY_EMPTY:
        explanation = f"The KL is {kl:.2f} nats: z says little of a sentence; {used}."
        yield Finding("nearly empty", explanation, _MORE_KL)
    elif use.active <= FEW_DIMENSIONS * use.dimensions:
        yield Finding(
            "few dimensions",
            f"{used}, which hold the KL of {kl:.1f} nats.",
            "--free_bits=8 with --free_bits_over=dimension, "
            "--model=posterior=batch_normalized, or a smaller --model=latent_dim",
        )
    if report.has_prior and kl > AUTOENCODER * report.likelihood.bound:
        yield Finding(
            "autoencoder",
            f"The KL, {kl:.1f} nats, is more than half of the bound, "
            f"{report.likelihood.bound:.1f}: z copies sentences.",
            _LESS_KL,
        )


def _of_holes(report) -> Iterator[Finding]:
    holes, kl = report.holes, report.likelihood.kl
    if not report.has_prior or report.sentences < ENOUGH:
        return
    by_chance = report.use.dimensions**2 / (4 * report.sentences)
    if holes.outside is not None and holes.outside > OUTSIDE:
        yield Finding(
            "holes",
            f"{holes.outside:.0%} of the prior's draws lie where posteriors hardly "
            "reach (1% if there were no holes).",
            _LESS_KL,
        )
    elif kl >= NEARLY_EMPTY and holes.at_least > FAR * kl + by_chance:
        yield Finding(
            "away from the prior",
            f"The aggregated posterior is at least {holes.at_least:.1f} nats from the "
            f"prior, of a KL of {kl:.1f}.",
            _LESS_KL,
        )


def _of_words(report) -> Iterator[Finding]:
    likelihood, reconstruction = report.likelihood, report.reconstruction
    if likelihood.unknown > UNKNOWN:
        yield Finding(
            f"too many unknown {report.unit}s",
            f"{likelihood.unknown:.1%} of the sentences' {report.unit}s are not in the "
            "vocabulary, and are never written.",
            "a larger --vocabulary, more training text, or subwords (--level)",
        )
    if not reconstruction:
        return
    empty = likelihood.kl < COLLAPSED  # which is said already
    if not empty and reconstruction.distinct < REPEATED:
        yield Finding(
            "one place for many sentences",
            f"Of {reconstruction.sentences:,} reconstructions "
            f"{reconstruction.distinct:.0%} differ: z tells few sentences apart.",
            _MORE_KL,
        )
    if likelihood.kl > MUCH_KL and reconstruction.in_place < IN_PLACE:
        yield Finding(
            "poor reconstructions",
            f"{reconstruction.in_place:.0%} of the {report.unit}s come back at their "
            f"place, although the KL is {likelihood.kl:.1f} nats: the decoder does not "
            "read z well, or the encoder learned the training text by heart.",
            "more training, more --model=units, or a regular encoder "
            "(--model=encoder_keep_rate=0.85)",
        )


def _of_texts(report) -> Iterator[Finding]:
    if not report.texts:
        return
    # The samples are greedy ones of the space's own source.
    true, reconstructions, samples, *_ = report.texts
    if samples.length < SHORT * true.length:
        yield Finding(
            "short samples",
            f"Samples have {samples.length:.1f} {report.unit}s, sentences "
            f"{true.length:.1f}.",
            _LESS_KL,
        )
    if samples.distinct < REPEATED <= reconstructions.distinct:
        yield Finding(
            "samples repeat",
            f"Of {samples.count:,} greedy samples {samples.distinct:.0%} differ, of as "
            f"many reconstructions {reconstructions.distinct:.0%}.",
            f"samples at temperature 1, or {_LESS_KL}",
        )
    if samples.nll is None or not report.has_prior:
        return
    ratio = samples.nll / reconstructions.nll
    if ratio > LESS_FLUENT:
        yield Finding(
            "less fluent between sentences",
            f"Greedy samples cost {samples.nll:.2f} nats a {report.unit}, {ratio:.2f} "
            f"times as much as greedy reconstructions ({reconstructions.nll:.2f}).",
            _LESS_KL,
        )
