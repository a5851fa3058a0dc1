"""The tab that encodes a sentence and decodes it again."""

import gradio as gr

from examples.playground_app.asking import Page, ask, needed
from examples.playground_app.rendering import noted, said, table

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
        answer = page.explorer.reconstruct(text, needed(collection))
        words = f", {answer.unknown} unknown words" if answer.unknown else ""
        rows = [(text, cosine) for cosine, text in answer.neighbours]
        return (
            said(answer.text, f"KL {answer.kl:.2f} nats{words}")
            + noted("Nearest by the cosine of the means:")
            + table(["sentence of the map", "cosine"], rows)
        )

    ask(
        [button.click, text.submit],
        reconstruct,
        [text, page.collection],
        [result],
        line,
    )
