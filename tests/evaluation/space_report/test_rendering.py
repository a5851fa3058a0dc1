"""Markdown and HTML: what they hold, and that texts cannot break them."""

import dataclasses
import html.parser
import re

import pytest

from keras_textvae.evaluation.space_report import plots
from keras_textvae.evaluation.space_report.markdown import escaped

VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """The elements and the text of a page, all of whose elements must be closed."""

    def __init__(self, content):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(content)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def count(self, tag):
        return [name for name, _ in self.elements].count(tag)


@pytest.fixture(scope="module")
def page(found):
    pytest.importorskip("matplotlib")
    return Page(found.html())


def test_the_page_shows_texts_as_they_are(page, found):
    assert found.title in page.text
    for text, reconstruction in found.examples.reconstructions:
        assert text in page.text
        assert reconstruction in page.text
    assert "5 <words>" in page.text  # a label, in a plot
    assert page.count("b") == 0


def test_the_page_has_its_plots_and_needs_no_other_file(page):
    labels = [a["aria-label"] for tag, a in page.elements if tag == "svg"]
    assert labels == [*plots.PLOTS]
    addresses = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name.removeprefix("xlink:") in ("src", "href", "srcset")
    ]
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    shown = {value for value in addresses if value.startswith("#")}
    assert all(ids.count(value[1:]) == 1 for value in shown)


def test_plots_take_the_colour_of_the_text(found):
    pytest.importorskip("matplotlib")
    drawn = plots.svg("kl_by_length", found)
    assert "currentColor" in drawn
    assert plots.INK not in drawn
    assert "#000000" not in drawn


def test_without_matplotlib_the_page_says_so(found, monkeypatch):
    monkeypatch.setattr(plots, "installed", lambda: False)
    page = Page(found.html())
    assert plots.NEEDED in page.text
    assert page.count("svg") == page.count("figure") == 0


def test_what_a_report_lacks_is_not_drawn(found):
    pytest.importorskip("matplotlib")
    use = found.use._replace(kl_by_dimension=None)
    lacking = dataclasses.replace(found, use=use, history=[])
    assert plots.svg("kl_by_dimension", lacking) is None
    assert plots.svg("training", lacking) is None


def test_every_row_of_a_markdown_table_has_as_many_cells(found):
    examples = found.examples._replace(reconstructions=[("a | b", "`c` \n <unk>")])
    text = dataclasses.replace(found, examples=examples).markdown()
    cells = {}
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [re.sub(r"\\.", "", row).count("|") for row in table.splitlines()]
        cells[table] = {*rows}
    assert len(cells) >= 6
    assert all(len(counts) == 1 for counts in cells.values())
    assert r"| a \| b | \`c\` \<unk\> |" in text


def test_markdown_escapes():
    assert escaped("a*b_c [d] #1 <unk>\t|") == r"a\*b\_c \[d\] \#1 \<unk\> \|"


def test_a_figure_that_there_is_not_is_a_dash_with_its_reason(found):
    use = found.use._replace(mutual_information=None)
    missing = {"mutual information": "the posterior is a Flow"}
    text = dataclasses.replace(found, use=use, missing=missing).markdown()
    assert re.search(r"^\| mutual information.*\| - \|$", text, re.MULTILINE)
    assert "No mutual information: the posterior is a Flow." in text
