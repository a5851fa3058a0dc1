"""The tab of the path between two sentences."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import listed, said

TITLE = "Path"
NEEDS = ("interpolate",)


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    start, end = page.ends
    gr.Markdown("What lies between two sentences, their reconstructions at the ends.")
    with gr.Row():
        start.render()
        end.render()
    with gr.Row():
        steps = gr.Slider(2, 32, 9, step=1, label="Steps")
        shape = gr.Radio(["line", "arc"], value="line", label="Along")
    button = gr.Button("Go", variant="primary")
    line = gr.HTML()
    texts = gr.State([])
    place = gr.Slider(1, 9, 1, step=1, label="Step", visible=False)
    here = gr.HTML(elem_id="step")
    path = gr.HTML(elem_id="path")

    def go(start, end, steps, shape):
        texts = page.explorer.path(start, end, steps, shape == "arc")
        slider = gr.Slider(maximum=len(texts), value=1, visible=True)
        return texts, slider, *show(texts, 1)

    def show(texts, place):
        if not texts:
            return "", ""
        place = min(int(place), len(texts)) - 1
        return said(texts[place]), listed(texts, place)

    ask(
        [button.click, start.submit, end.submit],
        go,
        [start, end, steps, shape],
        [texts, place, here, path],
        line,
    )
    ask([place.input], show, [texts, place], [here, path], line)
