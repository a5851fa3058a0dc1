"""The tab that draws texts."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import listed

TITLE = "Sample"
NEEDS = ("sample",)
PRIOR, FITTED = "the prior", "the fitted density"


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    explorer = page.explorer
    gr.Markdown("Texts of draws of z. The same seed gives the same texts.")
    with gr.Row():
        count = gr.Number(10, label="Texts", precision=0, min_width=100)
        seed = gr.Number(0, label="Seed of the first", precision=0, min_width=100)
        temperature = gr.Slider(
            0.0, 2.0, 1.0, step=0.05, label="Temperature (0: the likeliest words)"
        )
        top_p = gr.Slider(0.05, 1.0, 1.0, step=0.05, label="Top p (1: all words)")
    source = gr.Radio(
        [PRIOR, FITTED],
        value=PRIOR,
        label="z is drawn from",
        visible=explorer.has_option("sample", "fitted"),
    )
    button = gr.Button("Draw", variant="primary")
    line = gr.HTML()
    texts = gr.HTML(elem_id="samples")

    def draw(count, seed, temperature, top_p, source):
        fitted = None
        if explorer.has_option("sample", "fitted"):
            fitted = source == FITTED
        return listed(explorer.sample(count, seed, temperature, top_p, fitted))

    ask(
        [button.click, count.submit, seed.submit],
        draw,
        [count, seed, temperature, top_p, source],
        [texts],
        line,
    )
