"""How the page asks: a mistake is a line in it, and never a window on top of it."""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import gradio as gr
import grpc

from examples.playground_app.explorer import Answers, Collection, Explorer, reason
from examples.playground_app.rendering import wrong


class Page(NamedTuple):
    """What the tabs share.

    Attributes:
        explorer: `Explorer`.
        collection: `gr.State` of the map's `Collection`, or of None.
        examples: list of three str, sentences to begin with.
        ends: the Path tab's two boxes, not rendered yet, which the map fills too.
    """

    explorer: Explorer
    collection: gr.State
    examples: list[str]
    ends: tuple[gr.Textbox, gr.Textbox]


def ask(
    events: Sequence,
    compute: Callable,
    inputs: Sequence,
    outputs: Sequence,
    line: gr.HTML,
    trigger_mode: str = "always_last",
):
    """Has events compute outputs of inputs; what goes wrong is shown in `line`.

    Args:
        events: of components, such as `button.click`.
        compute: values of the inputs -> one value for each output, as a tuple; or
            one value for the one output. It may take a `gr.EventData` too.
        inputs, outputs: components. Of a mistake outputs that are HTML become empty.
        line: what `wrong` says is shown there.
        trigger_mode: what becomes of events that come meanwhile, see `gr.on`.
    """

    @functools.wraps(compute)  # by whose hints Gradio passes the event
    def answer(*values):
        try:
            answers = compute(*values)
        except (ValueError, OverflowError, OSError, grpc.RpcError) as error:
            cleared = ["" if isinstance(o, gr.HTML) else gr.skip() for o in outputs]
            return wrong(reason(error)), *cleared
        return "", *(answers if len(outputs) > 1 else [answers])

    return gr.on(
        events,
        answer,
        [*inputs],
        [line, *outputs],
        trigger_mode=trigger_mode,
        show_progress_on=[line],
        api_visibility="private",
    )


def ask_of_lines(
    texts: Sequence[str],
    title: str,
    does: str,
    compute: Callable[[str], Answers],
    render: Callable[[list[tuple]], str],
    elem_id: str,
):
    """Builds a box of sentences, and below it what is computed of them.

    Args:
        texts: in the box at first.
        title: of the button.
        does: what Shift and Enter do to the sentences, such as "scores".
        compute: the box's lines -> `Answers`.
        render: their rows, of which there is one at least -> HTML.
        elem_id: of what is shown.
    """
    lines = gr.Textbox(
        "\n".join(texts),
        lines=4,
        max_lines=12,
        label=f"Sentences, one a line (Shift + Enter {does} them)",
    )
    button = gr.Button(title, variant="primary")
    line = gr.HTML()
    result = gr.HTML(elem_id=elem_id)

    def answer(lines):
        answers = compute(lines)
        rows = render(answers.rows) if answers.rows else ""
        return wrong(answers.refused) + rows

    ask([button.click, lines.submit], answer, [lines], [result], line)


def needed(collection: Collection | None) -> Collection:
    """Returns the map's collection; ValueError if there is none yet."""
    if collection is None:
        raise ValueError("the map has no sentences yet: give it some in the tab Map")
    return collection


def _nearest(slider: gr.Slider, number: float | None) -> float:
    """Returns a number that was typed, or the end of the slider that it is beyond."""
    if number is None:  # the box is empty
        return slider.minimum
    return min(max(number, slider.minimum), slider.maximum)


# The page sends a number before it has corrected it, for which Gradio's own raises. Of
# a subclass Gradio would write a file beside this one.
gr.Slider.preprocess = _nearest
