"""The tab that tells which labels sentences have."""

import gradio as gr

from examples.playground_app.asking import Page, ask
from examples.playground_app.rendering import shares, wrong

TITLE = "Classify"
NEEDS = ("classify",)
MOST_LABELS = 5  # of a sentence


def build(page: Page):
    """Builds the tab, of a model with `NEEDS`."""
    gr.Markdown(
        f"The probabilities of a sentence's labels, of the {MOST_LABELS} likeliest."
    )
    lines = gr.Textbox(
        page.examples[0],
        lines=4,
        max_lines=12,
        label="Sentences, one a line (Shift + Enter classifies them)",
    )
    button = gr.Button("Classify", variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id="classes")

    def classify(lines):
        classes = page.explorer.classify(lines)
        rows = [(text, labels[:MOST_LABELS]) for text, labels in classes.rows]
        header = "sentence", "label", "probability"
        return wrong(classes.refused) + (shares(header, rows) if rows else "")

    ask([button.click, lines.submit], classify, [lines], [result], line)
