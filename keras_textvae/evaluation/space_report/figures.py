"""The figures of a report, each with its unit; None where there is none.

N: sentences. D: latent size. Nats are per sentence unless another unit is said; shares
are between 0 and 1; BLEU is between 0 and 100. Pieces are the words of a text, or its
characters where the space reads characters or bytes.
"""

from typing import NamedTuple

import numpy as np


class ImportanceWeighted(NamedTuple):
    """The importance-weighted bound, beside the bound of the same sentences.

    Attributes:
        sentences: how many.
        samples: of z, a sentence.
        nll: nats.
        bound: nats.
    """

    sentences: int
    samples: int
    nll: float
    bound: float


class Likelihood(NamedTuple):
    """What sentences cost.

    Attributes:
        bound, reconstruction, kl: nats.
        tokens: ids predicted a sentence, the end counted.
        perplexity: exp(bound / tokens).
        unknown: the share of ids that are unknown to the vocabulary.
        importance_weighted: `ImportanceWeighted`, or None.
    """

    bound: float
    reconstruction: float
    kl: float
    tokens: float
    perplexity: float
    unknown: float
    importance_weighted: ImportanceWeighted | None


class Use(NamedTuple):
    """How much of z says something of the sentence.

    Attributes:
        dimensions: D.
        active: dimensions whose mean has a variance above 0.01.
        very_active: the same above 0.2.
        variances: float64 [D], of the mean over sentences.
        kl_by_dimension: float64 [D], nats; or None.
        mutual_information: nats, at most `most_information`; or None.
        most_information: log N.
    """

    dimensions: int
    active: int
    very_active: int
    variances: np.ndarray
    kl_by_dimension: np.ndarray | None
    mutual_information: float | None
    most_information: float


class Holes(NamedTuple):
    """How far the aggregated posterior q(z) is from the prior p(z).

    Attributes:
        at_least: nats, see `holes.kl_of_moments`.
        at_most: nats, the KL less the mutual information; or None.
        outside: the share of the prior's draws that lie where posteriors hardly reach,
            see `holes.share_outside`; 0.01 where there is no hole; or None.
    """

    at_least: float
    at_most: float | None
    outside: float | None


class Reconstruction(NamedTuple):
    """Sentences decoded greedily from the posterior's mode.

    Attributes:
        sentences: how many.
        exact: the share that came back as they were.
        in_place: the share of the sentences' pieces that came back at their place.
        distinct: the share of different texts among the reconstructions.
        bleu: of all; or None without sacrebleu.
    """

    sentences: int
    exact: float
    in_place: float
    distinct: float
    bleu: float | None


class TextSet(NamedTuple):
    """A set of texts, judged as texts.

    Attributes:
        name: whose texts they are.
        count: how many.
        length: pieces a text, mean.
        distinct: the share of different texts.
        distinct_1, distinct_2: the share of different ones among all pieces, and among
            all pairs of neighbouring pieces.
        nll: nats a piece, the end counted, under `TrigramModel`; or None.
        self_bleu: each against the others; or None.
        precision: BLEU with true sentences as references; or None.
        recall: BLEU of those sentences with this set as references; or None.
        reverse_nll: nats a piece of true sentences, under a `TrigramModel` of this set;
            or None.
    """

    name: str
    count: int
    length: float
    distinct: float
    distinct_1: float
    distinct_2: float
    nll: float | None
    self_bleu: float | None
    precision: float | None
    recall: float | None
    reverse_nll: float | None


class Paths(NamedTuple):
    """Lines between the posterior modes of two sentences, decoded greedily.

    Attributes:
        count: how many.
        points: of a line, ends included.
        distinct: different texts of a line, mean.
        neighbour_bleu: of points beside each other; or None.
        end_bleu: of a line's ends; or None.
    """

    count: int
    points: int
    distinct: float
    neighbour_bleu: float | None
    end_bleu: float | None


class Examples(NamedTuple):
    """Texts as they came, unpicked.

    Attributes:
        reconstructions: pairs of a sentence and its reconstruction.
        samples: a source's name -> its texts.
        paths: lists of the texts of a line.
    """

    reconstructions: list[tuple[str, str]]
    samples: dict[str, list[str]]
    paths: list[list[str]]


class Scatter(NamedTuple):
    """What the plots show of each sentence; at most some 2,000.

    Attributes:
        lengths: int [N], pieces.
        kl: float32 [N], nats.
        plane: float64 [N, 2], the posterior modes along their two principal axes.
        origin: float64 [2], the prior's mean there.
        explained: the share of the modes' variance along these.
        labels: list of N str, or None.
    """

    lengths: np.ndarray
    kl: np.ndarray
    plane: np.ndarray
    origin: np.ndarray
    explained: float
    labels: list[str] | None


class Finding(NamedTuple):
    """Something that is wrong, in words.

    Attributes:
        title: a word or two.
        explanation: a sentence, with the figure.
        remedy: what to try.
    """

    title: str
    explanation: str
    remedy: str
