"""What a report returns."""

import dataclasses
import math

import numpy as np

from keras_textvae.evaluation.space_report import contents, markdown, page
from keras_textvae.evaluation.space_report.figures import (
    Examples,
    Finding,
    Holes,
    Likelihood,
    Paths,
    Reconstruction,
    Scatter,
    TextSet,
    Use,
)


@dataclasses.dataclass(frozen=True)
class Report:
    """What `report` found; see `figures` for the units.

    Attributes:
        unit: what a piece of a text is, "word" or "character".
        sentences: int, how many were evaluated.
        left_out: int, how many of the texts were blank or too long.
        has_prior: whether the posterior has a density.
        likelihood, use, holes, reconstruction, paths, examples, scatter: see `figures`;
            `paths` is None where none was asked for, `reconstruction` and `paths` where
            the decoder knows no order of words, and so writes no texts.
        texts: list of `TextSet`: true sentences, reconstructions, samples, midpoints;
            may be empty.
        missing: a figure's name -> why there is none.
        title: whose space it is.
        description: how it was made, in a sentence or two; may be empty.
        history: a row of figures for each epoch of training, as in `metrics.csv`.
        findings: list of `Finding`, what is wrong.
    """

    unit: str
    sentences: int
    left_out: int
    has_prior: bool
    likelihood: Likelihood
    use: Use
    holes: Holes
    reconstruction: Reconstruction | None
    paths: Paths | None
    texts: list[TextSet]
    examples: Examples
    scatter: Scatter
    missing: dict[str, str]
    title: str = ""
    description: str = ""
    history: list[dict] = dataclasses.field(default_factory=list)
    findings: list[Finding] = dataclasses.field(default_factory=list)

    def short(self) -> str:
        """Returns the report in a few lines of text."""
        return contents.short(self)

    def markdown(self) -> str:
        """Returns the report as Markdown."""
        return markdown.rendered(self)

    def html(self) -> str:
        """Returns the report as one page that needs no other file.

        Its plots need Matplotlib; without, the page says so.
        """
        return page.rendered(self)

    def to_json(self) -> dict:
        """Returns all figures as JSON can hold them; not what plots show."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return _plain({n: x for n, x in fields.items() if n not in ("scatter",)})


def _plain(value):
    """Returns a value of lists, dicts, finite numbers, text and None."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {name: _plain(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(x) for x in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    infinite = isinstance(value, float) and not math.isfinite(value)
    return None if infinite else value
