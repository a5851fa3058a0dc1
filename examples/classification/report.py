"""The table and the learning curve of a comparison."""

import math
import statistics

import numpy as np
from scipy import stats

from examples import experiments


def text(methods, sizes, scores) -> str:
    """Returns Markdown: accuracy and macro-F1 of methods, by labels per class.

    Args:
        methods: names, in order.
        sizes: names of the numbers of labels per class, in order.
        scores: (method, size) -> list of `methods.Score`, one per seed; cells without
            scores are left out.
    """
    header = ["labels per class", *methods]
    parts = []
    for field, title in (("macro_f1", "Macro-F1"), ("accuracy", "Accuracy")):
        rows = [
            [size, *(_cell(scores.get((m, size)), field) for m in methods)]
            for size in sizes
        ]
        parts.append(f"{title}, percent:\n\n{experiments.markdown(header, rows)}")
    counts = [*map(len, scores.values())]
    seeds = " to ".join(str(count) for count in sorted({min(counts), max(counts)}))
    parts.append(
        f"Means over {seeds} seeds, which draw the labelled texts, the initial weights "
        "and the order; ± half of the 95 % confidence interval (Student's t)."
    )
    return "\n\n".join(parts)


def plot(methods, sizes, counts, scores):
    """Returns a figure: macro-F1 by the number of labelled texts.

    Args:
        methods, sizes, scores: see `text`.
        counts: list of int, the labelled texts of each size.
    """
    figure, (axes,) = experiments.new_figure()
    for method in methods:
        percents = {
            count: [100 * score.macro_f1 for score in scores[method, size]]
            for size, count in zip(sizes, counts, strict=True)
            if (method, size) in scores
        }
        means = np.array([statistics.fmean(values) for values in percents.values()])
        halves = np.array([half_interval(values) for values in percents.values()])
        shown = [*percents]
        (line,) = axes.plot(shown, means, marker="o", label=method.replace("_", " "))
        low, high = means - halves, means + halves
        axes.fill_between(shown, low, high, alpha=0.15, color=line.get_color())
    axes.set(xscale="log", xlabel="labelled texts", ylabel="macro-F1, percent")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.legend()
    return figure


def half_interval(values) -> float:
    """Returns half of the 95 % confidence interval of a mean; 0 for one value."""
    if len(values) < 2:
        return 0.0
    quantile = stats.t.ppf(0.975, len(values) - 1)
    return float(quantile * statistics.stdev(values) / math.sqrt(len(values)))


def _cell(scores, field):
    if not scores:
        return "-"
    percent = [100 * getattr(score, field) for score in scores]
    return f"{statistics.fmean(percent):.1f} ± {half_interval(percent):.1f}"
