"""The tab that bounds the likelihood of sentences."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import table, wrong

TITLE = "Score"
NEEDS = ("score",)
HEADER = ["sentence", "bound", "recon\u00adstruction", "KL", "unknown"]


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown(
        "The bound on -log p(sentence), which is reconstruction and KL, in nats; and "
        "how many words or pieces are unknown."
    )
    lines = gr.Textbox(
        "\n".join(page.examples),
        lines=4,
        max_lines=12,
        label="Sentences, one a line (Shift + Enter scores them)",
    )
    button = gr.Button("Score", variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id="scores")

    def score(lines):
        scores = page.explorer.score(lines)
        rows = table(HEADER, scores.rows) if scores.rows else ""
        return wrong(scores.refused) + rows

    ask([button.click, lines.submit], score, [lines], [result], line)
