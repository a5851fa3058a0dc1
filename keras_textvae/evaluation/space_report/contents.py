"""What a report says, in sections of paragraphs, tables and plots; no markup."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from keras_textvae.evaluation.space_report.figures import Finding

if TYPE_CHECKING:
    from keras_textvae.evaluation.space_report.results import Report

NONE = "-"


class Table(NamedTuple):
    """Rows of text under a header; `numbers` are set to the right but for the first."""

    header: list[str]
    rows: list[list[str]]
    numbers: bool = False


class Plot(NamedTuple):
    """A plot, by its name in `plots.PLOTS`."""

    name: str


class Section(NamedTuple):
    """A heading, and the paragraphs (str), tables and plots below it."""

    title: str
    blocks: list


def short(report: "Report") -> str:
    """Returns the report in a few lines of text."""
    use, likelihood = report.use, report.likelihood
    information = _number(use.mutual_information)
    lines = [
        f"latent space, on {report.sentences:,} sentences:",
        f"  KL {likelihood.kl:.2f} nats, mutual information {information}; of "
        f"{use.dimensions} dimensions {use.active} are active, {use.very_active} above "
        "0.2",
        *_short_reconstruction(report),
        f"  prior's draws outside the posteriors: {_percent(report.holes.outside)} "
        "(1% without holes)",
    ]
    for name in ("mutual information", "holes", "texts"):
        if name in report.missing:
            lines.append(f"  {_reason(name, report)}")
    for finding in report.findings:
        lines.append(f"  {finding.title}: {finding.explanation}")
        lines.append(f"    try {finding.remedy}")
    if not report.findings:
        lines.append("  no fault shows in these figures")
    return "\n".join(lines)


def _short_reconstruction(report):
    if found := report.reconstruction:
        yield (
            f"  reconstructions: {_percent(found.exact)} exact, "
            f"{_percent(found.in_place)} of {report.unit}s in place, "
            f"{_percent(found.distinct)} differ"
        )


def sections(report: "Report") -> list[Section]:
    """Returns the whole report."""
    parts = [_wrong, _space, _reconstruction, _texts, _paths, _training, _examples]
    return [section for part in parts for section in part(report)]


def introduction(report: "Report") -> list[str]:
    """Returns what the space is, and what was evaluated, in paragraphs."""
    text = f"{report.sentences:,} sentences"
    if report.left_out:
        text += f"; {report.left_out:,} more are blank or too long for the space"
    text += ". Nats are per sentence, where nothing else is said."
    return [report.description, text] if report.description else [text]


def _wrong(report):
    blocks = [_finding(finding) for finding in report.findings]
    yield Section("What is wrong", blocks or ["No fault shows in these figures."])


def _finding(finding: Finding) -> str:
    title = finding.title[:1].upper() + finding.title[1:]
    return f"{title}. {finding.explanation} Try {finding.remedy}."


def _space(report):
    likelihood, use, holes = report.likelihood, report.use, report.holes
    weighted = likelihood.importance_weighted
    importance = "importance-weighted NLL, nats"
    bound = "bound, nats" if report.has_prior else "no bound, without a prior, nats"
    asked = weighted or "importance-weighted NLL" in report.missing
    if weighted:
        importance += (
            f" ({weighted.sentences:,} sentences, {weighted.samples} samples; their "
            f"bound is {weighted.bound:.2f})"
        )
    of = f"of {use.dimensions}"
    rows = [
        [
            bound,
            f"{likelihood.bound:.2f}",
        ],
        ["reconstruction, nats", f"{likelihood.reconstruction:.2f}"],
        ["KL, nats", f"{likelihood.kl:.2f}"],
        *([[importance, _number(weighted and weighted.nll)]] if asked else []),
        ["perplexity a token, end counted", f"{likelihood.perplexity:.2f}"],
        [f"unknown {report.unit}s", _percent(likelihood.unknown)],
        [
            f"mutual information, nats (at most {use.most_information:.1f})",
            _number(use.mutual_information),
        ],
        ["active dimensions, variance of the mean above 0.01", f"{use.active} {of}"],
        ["active dimensions, above 0.2", f"{use.very_active} {of}"],
        [
            "KL of the aggregated posterior from the prior, at least, nats (by its "
            "moments)",
            _number(holes.at_least),
        ],
        [
            "the same, at most, nats (KL less mutual information; far too high where "
            "that is near its most)",
            _number(holes.at_most),
        ],
        [
            "draws of the prior outside the posteriors (1% without holes)",
            _percent(holes.outside),
        ],
    ]
    missing = [_reason(name, report) for name in report.missing]
    plots = [Plot("kl_by_dimension"), Plot("plane"), Plot("kl_by_length")]
    yield Section("The space", [Table(["", ""], rows, True), *missing, *plots])


def _reconstruction(report):
    found = report.reconstruction
    if not found:
        return
    rows = [
        ["exact", _percent(found.exact)],
        [f"{report.unit}s in place", _percent(found.in_place)],
        ["different texts", _percent(found.distinct)],
        ["BLEU", _number(found.bleu)],
    ]
    text = f"{found.sentences:,} sentences, decoded greedily from the posterior's mode."
    yield Section("Reconstructions", [text, Table(["", ""], rows, True)])


def _texts(report):
    if not report.texts:
        return
    true = report.texts[0]

    def row(name: str, value: Callable):
        return [name, *(value(texts) for texts in report.texts)]

    def ratio(texts):
        return None if texts.nll is None else texts.nll / true.nll

    unit = report.unit
    rows = [
        row("texts", lambda t: f"{t.count:,}"),
        row(f"{unit}s a text", lambda t: f"{t.length:.1f}"),
        row(f"nats a {unit}", lambda t: _number(t.nll)),
        row("over true sentences'", lambda t: _number(ratio(t))),
        row("different texts", lambda t: _percent(t.distinct)),
        row(f"different {unit}s", lambda t: _percent(t.distinct_1)),
        row(f"different pairs of {unit}s", lambda t: _percent(t.distinct_2)),
        row("self-BLEU", lambda t: _number(t.self_bleu)),
        row("BLEU against true sentences", lambda t: _number(t.precision)),
        row("BLEU of true sentences against them", lambda t: _number(t.recall)),
        row(f"reverse, nats a {unit}", lambda t: _number(t.reverse_nll)),
    ]
    explained = (
        f"Nats a {unit} are those of a Kneser-Ney trigram model of the training texts, "
        "ends counted: fluent texts cost about what true sentences do, and samples no "
        "more than reconstructions where there are no holes. BLEU is of 200 texts "
        "against 200 at most. Reverse: true sentences under such a model of these "
        "texts; for true sentences, of as many training texts."
    )
    header = ["", *(texts.name for texts in report.texts)]
    yield Section("Texts", [explained, Table(header, rows, True)])


def _paths(report):
    found = report.paths
    if not found:
        return
    rows = [
        [f"different texts of {found.points} points", f"{found.distinct:.1f}"],
        ["BLEU of neighbours", _number(found.neighbour_bleu)],
        ["BLEU of the ends", _number(found.end_bleu)],
    ]
    text = f"{found.count:,} lines between pairs of sentences, decoded greedily."
    yield Section("Paths", [text, Table(["", ""], rows, True)])


def _training(report):
    if report.history:
        text = f"{len(report.history)} epochs, the validation's figures."
        yield Section("Training", [text, Plot("training")])


def _examples(report):
    examples = report.examples
    if not examples.reconstructions:
        return
    pairs = [list(pair) for pair in examples.reconstructions]
    blocks = [
        "Unpicked: the first of a random order.",
        Table(["sentence, as the space reads it", "reconstruction"], pairs),
    ]
    if examples.samples:
        rows = [list(row) for row in zip(*examples.samples.values(), strict=True)]
        blocks.append(Table([f"samples: {name}" for name in examples.samples], rows))
    for number, path in enumerate(examples.paths, start=1):
        blocks.append(Table([f"path {number}"], [[text] for text in path]))
    yield Section("Examples", blocks)


def _reason(name, report) -> str:
    return f"No {name}: {report.missing[name].removesuffix('.')}."


def _number(value: float | None) -> str:
    return NONE if value is None else f"{round(value, 2) + 0.0:.2f}"  # no -0.00


def _percent(share: float | None) -> str:
    return NONE if share is None else f"{share:.1%}"
