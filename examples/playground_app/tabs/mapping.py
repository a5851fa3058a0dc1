"""The tab that shows many sentences in two dimensions."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.explorer import SAMPLES, Collection
from examples.playground_app.geometry import plane
from examples.playground_app.rendering import MAP_SCRIPT, listed, map_of, noted, wrong
from keras_textvae import corpora

TITLE = "Map"
NEEDS = ("encode",)
STEPS = 9  # of the path between two points


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    explorer = page.explorer
    samples, paths = explorer.offers("sample"), explorer.offers("interpolate")
    gr.Markdown(
        "Sentences by the first two principal components of their means."
        + (" Choose two points to see the path between them." if paths else "")
    )
    with gr.Accordion("Other sentences", open=not page.collection.value):
        lines = gr.Textbox(
            lines=3,
            max_lines=8,
            label="Sentences, one a line (Shift + Enter maps them)"
            + (f"; none: {SAMPLES} samples" if samples else ""),
        )
        seed = gr.Number(0, label="Seed of the samples", precision=0, visible=samples)
        with gr.Row():
            button = gr.Button("Map", variant="primary")
            file = gr.UploadButton("Map a file ...")
    line = gr.HTML()
    board = gr.HTML(
        drawn(page.collection.value) if page.collection.value else "",
        js_on_load=MAP_SCRIPT,
        elem_id="map",
    )
    path = gr.HTML(elem_id="map-path")

    def draw(lines, seed):
        if lines.strip() or not samples:
            collection = explorer.collect_lines(lines)
        else:
            collection = explorer.collect_samples(seed=seed)
        return collection, drawn(collection), ""

    def draw_file(file):
        rows = corpora.read_rows(file)
        lines = "\n".join(corpora.one_line(text) for _, text, _ in rows)
        return lines, *draw(lines, 0)

    mapped = [page.collection, board, path]
    ask([button.click, lines.submit, seed.submit], draw, [lines, seed], mapped, line)
    ask([file.upload], draw_file, [file], [lines, *mapped], line)
    if paths:
        connect(page, board, path, line)


def connect(page: Page, board: gr.HTML, path: gr.HTML, line: gr.HTML):
    """Has two points that are chosen show the path between them, and fill its tab."""

    def go(event: gr.EventData):
        start, end = event.texts
        way = page.explorer.path(start, end, STEPS, spherical=False)
        note = f"From “{start}” to “{end}”; the tab Path has both now."
        return start, end, noted(note) + listed(way)

    # "always_last" would repeat the first event, not take the last one.
    ask([board.select], go, [], [*page.ends, path], line, trigger_mode="multiple")


def drawn(collection: Collection) -> str:
    """Returns the map of a collection, and what it has left out."""
    means = plane(collection.means)
    return map_of(collection.texts, means) + wrong(collection.refused)
