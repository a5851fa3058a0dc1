"""A report as one HTML page that needs no other file, readable in light and dark."""

import html
from typing import TYPE_CHECKING

from keras_textvae.evaluation.space_report import plots
from keras_textvae.evaluation.space_report.contents import (
    Plot,
    Table,
    introduction,
    sections,
)

if TYPE_CHECKING:
    from keras_textvae.evaluation.space_report.results import Report

STYLE = """
:root { color-scheme: light dark; --line: #8884; --quiet: #8881; --warn: #c60; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;
  padding: 1rem; overflow-wrap: anywhere; }
h1 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.wrong p { border-left: 4px solid var(--warn); padding-left: .75rem; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .95em; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: normal; }
td { white-space: pre-wrap; min-width: 4rem; }
.numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right;
  font-variant-numeric: tabular-nums; }
tr:nth-child(even) td { background: var(--quiet); }
figure { margin: 1.5rem 0; overflow-x: auto; }
figcaption { font-size: .9em; opacity: .8; }
svg { width: 100%; min-width: 36rem; height: auto; }
"""


def rendered(report: "Report") -> str:
    """Returns the report as HTML, with plots where Matplotlib is installed."""
    title = html.escape(report.title)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head><body>",
        f"<h1>{title}</h1>",
        *(f"<p>{html.escape(text)}</p>" for text in introduction(report)),
    ]
    if not plots.installed():
        parts.append(f"<p>{html.escape(plots.NEEDED)}</p>")
    for number, section in enumerate(sections(report)):
        wrong = ' class="wrong"' if not number and report.findings else ""
        blocks = "\n".join(_block(block, report) for block in section.blocks)
        heading = f"<h2>{html.escape(section.title)}</h2>"
        parts.append(f"<section{wrong}>{heading}\n{blocks}</section>")
    return "\n".join([*parts, "</body></html>\n"])


def _block(block, report):
    if isinstance(block, Plot):
        return _figure(block.name, report)
    if not isinstance(block, Table):
        return f"<p>{html.escape(block)}</p>"
    kind = ' class="numbers"' if block.numbers else ""
    head = _row("th", block.header) if any(block.header) else ""
    body = "".join(_row("td", row) for row in block.rows)
    return (
        f'<div class="table"><table{kind}><thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(kind, cells):
    cells = "".join(f"<{kind}>{html.escape(cell)}</{kind}>" for cell in cells)
    return f"<tr>{cells}</tr>"


def _figure(name, report):
    svg = plots.svg(name, report) if plots.installed() else None
    if svg is None:
        return ""
    caption = html.escape(plots.caption(name, report))
    return f"<figure>{svg}<figcaption>{caption}</figcaption></figure>"
