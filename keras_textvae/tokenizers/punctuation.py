"""Marks and symbols as words of their own, and text as it was written from them.

A joiner, "￭", at the beginning or the end of a mark says that no blank stood there: the
words of `(or "so")` are `(￭`, `or`, `"￭`, `so`, `￭"` and `￭)`. Between two marks it is
the second that has one, and what is no mark never has any.

B: batch size.
"""

import tensorflow as tf

from keras_textvae.tokens import SPECIAL_TOKENS

JOINER = "\uffed"
_AS_READ = "\u25a0"  # a joiner that a text has of itself: the same square, but wide
# A mark, with the variation selectors that follow it. An apostrophe stays in its word,
# "#" and "@" at its beginning, and "_" hides a word.
MARK = r"([^\pL\pN\pM\s#@_'’]\pM*)"
_NAMES = "|".join(token[1:-1] for token in SPECIAL_TOKENS)


def marks_apart(text):  # [B] -> [B]
    """Returns texts with each mark between blanks, and with the joiners that it needs.

    A special token, such as "<unk>", is no mark; a blank beyond ASCII is one.
    """
    replaced = tf.strings.regex_replace
    text = replaced(text, r"[\s\v]+", " ")
    text = replaced(text, JOINER, _AS_READ)
    text = replaced(text, f"<({_NAMES})>", "\t\\1\t")
    # A new line is a blank that nobody wrote. It and a joiner surround each mark, and
    # go again beside a blank, at the ends of the text and, once, between two marks.
    text = replaced(text, MARK, f"\n{JOINER}\\1{JOINER}\n")
    text = replaced(text, f"{JOINER}\n( |$|\n{JOINER})", r"\1")
    text = replaced(text, f"(^| )\n{JOINER}", r"\1")
    return replaced(text, f"\t({_NAMES})\t", r"<\1>")


def marks_joined(text):  # [B] -> [B]
    """Returns texts of words between spaces as they are written, without joiners."""
    return tf.strings.regex_replace(text, f"(^|{JOINER}? ){JOINER}|{JOINER}( |$)", "")
