"""The curves of a training, drawn by Matplotlib."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_curves(figure: "Figure", rows: Sequence[dict[str, float]]) -> bool:
    """Draws the validation's bound and its parts, and what moves them, by epoch.

    Args:
        figure: of Matplotlib, empty.
        rows: a row of figures for each epoch, as in a run's `metrics.csv`.

    Returns:
        Whether there was anything to draw.
    """
    rows = [row for row in rows if "val_loss" in row]
    if not rows:
        return False
    epochs = [row["epoch"] for row in rows]
    left, right = figure.subplots(1, 2)
    marker = {"marker": "o", "markersize": 4}
    for name, label in (
        ("val_loss", "bound"),
        ("val_reconstruction", "reconstruction"),
    ):
        if name in rows[0]:
            left.plot(epochs, [row[name] for row in rows], label=label, **marker)
    left.set(xlabel="epoch", ylabel="nats")
    left.legend(frameon=False)
    for name, label in (("val_kl", "KL, nats"), ("kl_weight", "weight of the KL")):
        if name in rows[0]:
            right.plot(epochs, [row[name] for row in rows], label=label, **marker)
    right.set(xlabel="epoch")
    right.set_ylim(bottom=0)
    right.legend(frameon=False)
    for axes in (left, right):
        axes.xaxis.get_major_locator().set_params(integer=True)
    return True
