"""The tab that moves a sentence along single dimensions."""

import gradio as gr

from examples.playground_app.asking import Page, ask, needed
from examples.playground_app.explorer import SLIDERS
from examples.playground_app.rendering import said

TITLE = "Dimensions"
NEEDS = ("encode", "decode")
FARTHEST = 4.0  # units


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown(
        "A sentence moved along the dimensions in which the map's sentences vary most. "
        "0 is its own place; the unit is the standard deviation of the map."
    )
    text = gr.Textbox(page.examples[0], label="Sentence")
    button = gr.Button("Take it, all sliders at 0", variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id="moved")
    position = gr.State(None)
    with gr.Row():
        sliders = [
            gr.Slider(-FARTHEST, FARTHEST, 0.0, step=0.1, visible=False, min_width=220)
            for _ in range(SLIDERS)
        ]

    def take(text, collection):
        position = page.explorer.position(text, needed(collection))
        pairs = list(zip(position.dimensions, position.units, strict=True))
        shown = [
            gr.Slider(
                value=0.0, visible=True, label=f"Dimension {dimension}, unit {unit:.2g}"
            )
            for dimension, unit in pairs
        ]
        hidden = [gr.Slider(visible=False)] * (SLIDERS - len(shown))
        return position, said(page.explorer.decode(position.z)), *shown, *hidden

    def move(position, *steps):
        if position is None:
            raise ValueError("take a sentence first")
        z = position.moved(steps[: len(position.dimensions)])
        return said(page.explorer.decode(z))

    ask(
        [button.click, text.submit],
        take,
        [text, page.collection],
        [position, result, *sliders],
        line,
    )
    moves = [slider.input for slider in sliders]
    ask(moves, move, [position, *sliders], [result], line)
