"""What every room agrees on: the special ids, and how long a text is.

A sentence is ``<bos> w ... w <eos> <pad> ...``, a crop of running text is
``<bos> c ... c``; the ids of words and characters follow from `FIRST_WORD` on. The
length of either is its number of words or characters.
"""

PAD = 0
BOS = 1
EOS = 2
UNK = 3
SPECIAL_TOKENS = ("<pad>", "<bos>", "<eos>", "<unk>")
FIRST_WORD = len(SPECIAL_TOKENS)
FORMS = ("sentence", "crop")


def positions(length: int, form: str) -> int:
    """Returns the most ids that a model of texts of a length and form predicts.

    These are all ids after `<bos>`: `length`, and in a sentence also `<eos>`.

    Raises:
        ValueError: for no length, or another form.
    """
    if length < 1:
        raise ValueError(f"`length` must be positive. Received: length={length}")
    if form not in FORMS:
        raise ValueError(
            f"`form` is one of {', '.join(FORMS)}. Received: form={form!r}"
        )
    return length + (form == "sentence")
