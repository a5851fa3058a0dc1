"""A report as Markdown."""

import re
from typing import TYPE_CHECKING

from keras_textvae.evaluation.space_report.contents import (
    Plot,
    Table,
    introduction,
    sections,
)

if TYPE_CHECKING:
    from keras_textvae.evaluation.space_report.results import Report


def rendered(report: "Report") -> str:
    """Returns the report as Markdown, without plots."""
    parts = [f"# {escaped(report.title)}", *map(escaped, introduction(report))]
    for section in sections(report):
        blocks = [b for b in section.blocks if not isinstance(b, Plot)]
        if blocks:
            parts += [f"## {section.title}", *map(_block, blocks)]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Returns text in one line that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>|#~&$])", r"\\\1", " ".join(text.split()))


def _block(block):
    if not isinstance(block, Table):
        return escaped(block)
    rule = ["---", *["---:" if block.numbers else "---"] * (len(block.header) - 1)]
    rows = [block.header, *block.rows]
    cells = [[escaped(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [cells[0], rule, *cells[1:]])
