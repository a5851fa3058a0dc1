"""The tab that tells which labels sentences have."""

import gradio as gr

from examples.playground_app.asking import Page, ask_of_lines
from examples.playground_app.rendering import shares

TITLE = "Classify"
NEEDS = ("classify",)
HEADER = "sentence", "label", "probability"
MOST_LABELS = 5  # of a sentence


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown(
        f"The probabilities of a sentence's labels, of the {MOST_LABELS} likeliest."
    )

    def render(rows):
        return shares(HEADER, [(text, labels[:MOST_LABELS]) for text, labels in rows])

    texts, compute = page.examples[:1], page.explorer.classify
    ask_of_lines(texts, TITLE, "classifies", compute, render, "classes")
