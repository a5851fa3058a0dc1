"""The tab that bounds the likelihood of sentences."""

import functools

import gradio as gr

from examples.playground_app.asking import Page, ask_of_lines
from examples.playground_app.rendering import table

TITLE = "Score"
NEEDS = ("score",)
HEADER = ["sentence", "bound", "recon\u00adstruction", "KL", "unknown"]


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown(
        "The bound on -log p(sentence), which is reconstruction and KL, in nats; and "
        "how many words or pieces are unknown."
    )
    render = functools.partial(table, HEADER)
    compute = page.explorer.score
    ask_of_lines(page.examples, TITLE, "scores", compute, render, "scores")
