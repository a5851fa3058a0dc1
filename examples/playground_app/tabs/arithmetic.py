"""The tab that adds the difference of two sentences to a third."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import said, table

TITLE = "Arithmetic"
NEEDS = ("encode", "decode")


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown("What becomes of a when it goes the way from b to c: a − b + c.")
    with gr.Row():
        boxes = [
            gr.Textbox(page.examples[number], label=label)
            for number, label in enumerate(["a", "− b", "+ c"])
        ]
    scale = gr.Slider(-3.0, 3.0, 1.0, step=0.1, label="Scale of c − b (0: a alone)")
    button = gr.Button("Add up", variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id="sum")

    def add(a, b, c, scale):
        total, *alone = page.explorer.combine(a, b, c, scale)
        rows = [*zip("abc", (a, b, c), alone, strict=True)]
        return said(total) + table(["", "sentence", "as the model decodes it"], rows)

    events = [button.click, scale.release, *(box.submit for box in boxes)]
    ask(events, add, [*boxes, scale], [result], line)
