"""The plots of a report, as SVG that takes the colour of the text around it.

N: sentences. D: latent size.
"""

import collections
import importlib.util
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_textvae.evaluation.curves import draw_curves

if TYPE_CHECKING:
    from keras_textvae.evaluation.space_report.results import Report

NEEDED = "Plots need Matplotlib: pip install keras_textvae[plot]"
INK = "#010203"  # stands for the page's colour of text
COLORS = 7  # labels with a colour of their own
GREY = "#888888"
SCALE = "#2b7bd6", "#b04bb0", "#f08020"  # of lengths, readable on white and on black


def installed() -> bool:
    """Whether Matplotlib is."""
    return importlib.util.find_spec("matplotlib") is not None


def svg(name: str, report: "Report") -> str | None:
    """Returns a plot as an SVG element; None if the report lacks what it shows."""
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,  # ids of one page must differ
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    inked = ("text.color", "axes.edgecolor", "axes.labelcolor", "legend.labelcolor")
    ticks = ("xtick.color", "ytick.color")
    style |= dict.fromkeys([*inked, *ticks], INK)
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(9, 4), layout="constrained")
        if not PLOTS[name](figure, report):
            return None
        file = io.StringIO()
        metadata = dict.fromkeys(("Date", "Creator"))
        figure.savefig(file, format="svg", transparent=True, metadata=metadata, dpi=120)
    drawn = file.getvalue()
    drawn = drawn[drawn.index("<svg") :].replace(INK, "currentColor")
    # Text takes the page's font; the size of the page is that of the column.
    drawn = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", drawn, count=1)
    drawn = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", drawn, count=1)
    return drawn.replace("<svg", f'<svg role="img" aria-label="{name}"', 1)


def caption(name: str, report: "Report") -> str:
    """Returns what a plot shows."""
    scatter = report.scatter
    captions = {
        "kl_by_dimension": "KL of each dimension, nats, the largest first.",
        "plane": (
            f"Posterior modes of {len(scatter.kl):,} sentences along the two axes in "
            f"which they differ most, {scatter.explained:.0%} of their variance; the "
            "circles hold 50% and 95% of the prior."
        ),
        "kl_by_length": f"KL of {len(scatter.kl):,} sentences by their length.",
        "training": "The validation's figures after each epoch.",
    }
    return captions[name]


def _kl_by_dimension(figure, report) -> bool:
    kl = report.use.kl_by_dimension
    if kl is None:
        return False
    axes = figure.subplots()
    axes.bar(np.arange(1, len(kl) + 1), np.sort(kl)[::-1], color="tab:blue")
    axes.set(
        xlabel="dimension, by its KL", ylabel="KL, nats", xlim=(0.4, len(kl) + 0.6)
    )
    axes.set_ylim(0, max(1.05 * np.max(kl), 0.1))
    return True


def _plane(figure, report) -> bool:
    from matplotlib.colors import LinearSegmentedColormap

    scatter = report.scatter
    figure.set_size_inches(9, 6)
    axes = figure.subplots()
    x, y = scatter.plane.T
    dots = {"s": 9, "alpha": 0.7, "linewidths": 0, "rasterized": True}
    if scatter.labels is None:
        scale = LinearSegmentedColormap.from_list("lengths", SCALE)
        points = axes.scatter(x, y, c=scatter.lengths, cmap=scale, **dots)
        bar = figure.colorbar(points, label=f"{report.unit}s")
        bar.solids.set_alpha(1.0)
        bar.outline.set_visible(False)
    else:
        counts = collections.Counter(scatter.labels).most_common(COLORS)
        colors = {label: f"C{number}" for number, (label, _) in enumerate(counts)}
        axes.scatter(
            x, y, c=[colors.get(name, GREY) for name in scatter.labels], **dots
        )
        if len(colors) < len({*scatter.labels}):
            colors["other"] = GREY
        for label, color in colors.items():
            axes.scatter([], [], color=color, label=_plain(label), **dots)
        axes.legend(markerscale=2.5, loc="upper left", bbox_to_anchor=(1, 1), frameon=0)
    for share in (0.5, 0.95):  # of a Gaussian in two dimensions
        turn = np.linspace(0, 2 * np.pi, 200)
        radius = np.sqrt(-2 * np.log(1 - share))
        circle = radius * np.array([np.cos(turn), np.sin(turn)])
        axes.plot(
            *(scatter.origin[:, None] + circle), color=INK, linewidth=0.8, alpha=0.6
        )
    axes.set(xlabel="first axis", ylabel="second axis", aspect="equal")
    axes.set_adjustable("datalim")
    return True


def _kl_by_length(figure, report) -> bool:
    scatter = report.scatter
    axes = figure.subplots()
    dots = {"s": 9, "alpha": 0.5, "linewidths": 0, "rasterized": True}
    axes.scatter(scatter.lengths, scatter.kl, color="tab:blue", **dots)
    lengths = np.unique(scatter.lengths)
    means = [np.mean(scatter.kl[scatter.lengths == length]) for length in lengths]
    axes.plot(lengths, means, color="tab:orange", label="mean of a length")
    axes.set(xlabel=f"length, {report.unit}s", ylabel="KL, nats")
    axes.set_ylim(bottom=min(0.0, float(np.min(scatter.kl))))
    axes.legend(frameon=False)
    return True


def _training(figure, report) -> bool:
    return draw_curves(figure, report.history)


def _plain(label):
    """A label that Matplotlib neither hides nor takes for a formula."""
    return re.sub("^_", " _", label.replace("$", r"\$"))


PLOTS = {
    "kl_by_dimension": _kl_by_dimension,
    "plane": _plane,
    "kl_by_length": _kl_by_length,
    "training": _training,
}
