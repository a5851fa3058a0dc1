"""What a model says, as HTML. Every text is escaped, and in its own direction."""

import html
import re
from collections.abc import Iterable, Sequence

import numpy as np

from examples.playground_app.geometry import Plane

MOST_LINES = 5  # that say what is wrong


def listed(texts: Iterable[str], here: int | None = None) -> str:
    """Returns texts as a numbered list; the one at `here`, from 0, stands out."""
    items = "".join(
        f"<li dir=auto{' class=here' if number == here else ''}>{shown(text)}</li>"
        for number, text in enumerate(texts)
    )
    return f"<ol class=texts>{items}</ol>"


def table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    """Returns a table of at least one row; floats have two decimals."""
    cells = [
        f"<th scope=col{_kind(value)}>{html.escape(name)}</th>"
        for name, value in zip(header, rows[0], strict=True)
    ]
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return _table("".join(cells), body)


def shares(header: Sequence[str], rows: Sequence[tuple[str, Sequence]]) -> str:
    """Returns a table of texts, each with names and their shares, which have bars.

    Args:
        header: three str.
        rows: (text, list of (name, share)).
    """
    body = ""
    for text, named in rows:
        first = f"<td dir=auto rowspan={len(named)}>{shown(text)}</td>"
        for name, share in named:
            bar = (
                f'<td class="number share" style="--share:{share:.1%}">{share:.1%}</td>'
            )
            body += f"<tr>{first}{_cell(name)}{bar}</tr>"
            first = ""
    kinds = "", "", " class=number"
    cells = [
        f"<th scope=col{kind}>{name}</th>"
        for kind, name in zip(kinds, header, strict=True)
    ]
    return _table("".join(cells), body)


def said(text: str, note: str = "") -> str:
    """Returns a text in large letters, and a note below it."""
    return f"<p class=said dir=auto>{shown(text)}</p>" + noted(note)


def noted(note: str) -> str:
    """Returns a remark in small letters; "" is nothing."""
    return f"<p class=note>{html.escape(note)}</p>" if note else ""


def wrong(lines: str | Sequence[str]) -> str:
    """Returns what is wrong, a line each but of many; an empty sequence is nothing."""
    lines = [lines] if isinstance(lines, str) else lines
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more"]
    return "".join(f"<p class=wrong role=alert>{html.escape(x)}</p>" for x in lines)


def filled(hidden: str, text: str) -> str:
    """Returns a text in large letters, with what stands for each "_" marked."""
    words = re.fullmatch("(.+?)".join(map(re.escape, hidden.split("_"))), text, re.S)
    if not words:
        return said(text)
    parts = [html.escape(part) for part in hidden.split("_")]
    marks = [f"<mark>{html.escape(word)}</mark>" for word in words.groups()]
    pairs = zip(parts, [*marks, ""], strict=True)
    return f"<p class=said dir=auto>{''.join(map(''.join, pairs))}</p>"


def map_of(texts: Sequence[str], plane: Plane) -> str:
    """Returns a map of texts, each a button; `MAP_SCRIPT` makes it work."""
    low, high = plane.points.min(axis=0), plane.points.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    places = 2 + 96 * (plane.points - low) / span  # percent
    points = "".join(
        f"<button type=button class=point tabindex=-1 "
        f'style="left:{places[i, 0]:.2f}%;bottom:{places[i, 1]:.2f}%" '
        f'aria-label="{html.escape(texts[i])}"></button>'
        for i in np.argsort(plane.points[:, 0], kind="stable")
    )
    first, second = (f"{share:.0%}" for share in plane.shares)
    return (
        f'<div class=map role=group aria-label="map of sentences">{points}</div>'
        "<p class=caption dir=auto aria-live=polite></p>"
        + noted(
            f"{len(texts)} sentences. Left to right {first} of the variance of their "
            f"means, bottom to top {second}."
        )
    )


def shown(text: str) -> str:
    """Returns a text escaped; an empty one as a sign for it."""
    return html.escape(text) if text.strip() else "<span class=note>(empty)</span>"


def _table(header, body):
    return (
        f"<div class=wide><table class=figures><thead><tr>{header}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _kind(value):
    return " dir=auto" if isinstance(value, str) else " class=number"


def _cell(value):
    if isinstance(value, str):
        content = shown(value)
    else:
        content = f"{value:.2f}" if isinstance(value, float | np.floating) else value
    return f"<td{_kind(value)}>{content}</td>"


# Keeps two chosen points in the page itself; the arrows go from point to point.
MAP_SCRIPT = """
const points = () => [...element.querySelectorAll('.point')];
const textOf = (point) => point.getAttribute('aria-label');
const caption = (point) => {
  const line = element.querySelector('.caption');
  if (line && point) line.textContent = textOf(point);
};
const reachable = () => { const first = points()[0]; if (first) first.tabIndex = 0; };
const pointOf = (event) => event.target.closest('.point');
element.addEventListener('mouseover', (event) => caption(pointOf(event)));
element.addEventListener('focusin', (event) => caption(pointOf(event)));
element.addEventListener('keydown', (event) => {
  const steps = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1};
  const all = points(), at = all.indexOf(pointOf(event));
  if (at < 0 || !steps[event.key]) return;
  const next = all[at + steps[event.key]];
  event.preventDefault();
  if (!next) return;
  all[at].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
element.addEventListener('click', (event) => {
  const point = pointOf(event);
  if (!point) return;
  let chosen = points().filter((other) => other.dataset.order);
  if (chosen.length === 2 || chosen.includes(point)) {
    chosen.forEach((other) => delete other.dataset.order);
    chosen = [];
  }
  chosen.sort((a, b) => a.dataset.order - b.dataset.order).push(point);
  point.dataset.order = chosen.length;
  caption(point);
  if (chosen.length === 2) trigger('select', {texts: chosen.map(textOf)});
});
watch('value', reachable);
reachable();
"""
