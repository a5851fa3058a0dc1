"""What our docstrings have that Google's style, as Griffe reads it, does not."""

import re

import griffe

# The comment beside a function's colon: shapes of what it takes and returns.
SHAPES = re.compile(r":  # ([^\n]*\[[^\n]*)\n\s+(?:r?\"\"\")")
RETURNS = re.compile(r"^(Returns|Yields):\n((?:\n* {4}.*)+)", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Adds shapes to the docstrings of functions, and names other sections."""

    def on_object(self, *, obj, **others):
        if not obj.docstring or obj.is_attribute:
            return
        text = obj.docstring.value
        if obj.is_function and (shapes := SHAPES.search(obj.source)):
            summary, _, rest = text.partition("\n\n")
            text = f"{summary}\n\n`{shapes[1]}`\n\n{rest}"
        text = re.sub(r"^(Call arguments):$", r"Args: \1:", text, flags=re.MULTILINE)
        obj.docstring.value = RETURNS.sub(_in_words, text)


def _in_words(section):
    """Returns a section without the type that Griffe expects at its beginning."""
    body = re.sub("^ {4}", "", section[2], flags=re.MULTILINE)
    return f"**{section[1]}:**\n\n{body}"
