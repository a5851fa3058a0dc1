"""The tab that encodes a sentence and decodes it again."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import said, table

TITLE = "Reconstruct"
NEEDS = ("encode", "reconstruct")


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown("A sentence through its vector, and the map's sentences nearest to it.")
    text = gr.Textbox(page.examples[0], label="Sentence")
    button = gr.Button("Reconstruct", variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id="reconstruction")

    def reconstruct(text, collection):
        answer = page.explorer.reconstruct(text, collection)
        words = f", {answer.unknown} unknown words" if answer.unknown else ""
        shown = said(answer.text, f"KL {answer.kl:.2f} nats{words}")
        rows = [(text, cosine) for cosine, text in answer.neighbours]
        if rows:
            shown += table(["the nearest of the map", "cosine of the means"], rows)
        return shown

    ask(
        [button.click, text.submit],
        reconstruct,
        [text, page.collection],
        [result],
        line,
    )
