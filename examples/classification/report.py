"""The table and the learning curve of a comparison."""

import math
import statistics

import numpy as np
from scipy import stats

from examples import experiments

WORSE = 3.0  # points of macro-F1 behind new weights, from which one is warned
WITHOUT_PRETRAINING = "bag_of_words", "scratch"


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


def warning(methods, sizes, scores) -> str | None:
    """Returns a line on what is worth less than new weights, or None.

    It names each pretrained method that is behind "scratch" in macro-F1, at some number
    of labels, by more than `WORSE` and than half of the 95 % confidence interval of the
    difference, and where it is furthest behind.

    Args:
        methods, sizes: see `text`.
        scores: (seed, size, method) -> `methods.Score`. Only seeds are compared that
            both methods have, which draw the same texts.
    """
    parts = []
    for method in methods:
        if method in WITHOUT_PRETRAINING:
            continue
        gaps = {size: _behind(scores, size, method) for size in sizes}
        size = max(sizes, key=gaps.get)
        if gaps[size]:
            parts.append(f"{method} by {gaps[size]:.1f} points ({size} a class)")
    if not parts:
        return None
    return (
        f"behind the same network from new weights in macro-F1: {', '.join(parts)}. "
        "The encoder lacks what tells these labels apart: fine-tune rather than freeze "
        "it, try other --features, or pretrain one with more KL (a smaller --beta)."
    )


def _behind(scores, size, method):
    """Points that a method is behind "scratch"; 0 if few, or perhaps by chance."""
    gaps = [
        100 * (score.macro_f1 - scores[seed, size, method].macro_f1)
        for (seed, *cell), score in scores.items()
        if cell == [size, "scratch"] and (seed, size, method) in scores
    ]
    gap = statistics.fmean(gaps) if gaps else 0.0
    return gap if gap > max(WORSE, half_interval(gaps)) else 0.0


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
