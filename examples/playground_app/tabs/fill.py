"""The tab that fills in hidden words."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import filled

TITLE = "Fill in blanks"
NEEDS = ("impute",)


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    explorer = page.explorer
    gr.Markdown("Write _ in the place of each hidden word.")
    text = gr.Textbox(_with_blank(page.examples[0]), label="Sentence with blanks")
    pieces = gr.Slider(
        1,
        8,
        4,
        step=1,
        label="Most pieces of a word",
        visible=explorer.has_option("impute", "max_pieces"),
    )
    button = gr.Button("Fill in", variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id="filled")

    def fill(text, pieces):
        if not explorer.has_option("impute", "max_pieces"):
            pieces = None
        return filled(text, explorer.fill(text, pieces))

    ask([button.click, text.submit], fill, [text, pieces], [result], line)


def _with_blank(text):
    """Returns a text of several words with the second one hidden."""
    words = text.split(" ")
    return " ".join([words[0], "_", *words[2:]]) if len(words) > 2 else ""
