"""What every room agrees on: the special ids, what ids are, how long a text is.

A sentence is ``<bos> w ... w <eos> <pad> ...``, a crop of running text is
``<bos> c ... c``; the ids of words, subwords or characters follow from `FIRST_WORD` on.
The length of either is its number of those. Words end at
blanks, or at punctuation too.

B: batch size. T: time, `<bos>` included.
"""

import numpy as np

PAD = 0
BOS = 1
EOS = 2
UNK = 3
SPECIAL_TOKENS = ("<pad>", "<bos>", "<eos>", "<unk>")
FIRST_WORD = len(SPECIAL_TOKENS)
FORMS = ("sentence", "crop")
WORD_SPLITS = ("blanks", "punctuation")


def require_ids(ids, vocabulary_size: int):
    """Raises ValueError for an array, or a tensor's specification, that is not of ids.

    Args:
        ids: integers [B, T] from 0 on, below `vocabulary_size`; of a specification,
            such as `tf.TensorSpec`, the values are not known.
        vocabulary_size: int. V.
    """
    dtype, shape = getattr(ids, "dtype", None), getattr(ids, "shape", ())
    kind = np.dtype(getattr(dtype, "as_numpy_dtype", dtype)).kind if dtype else "O"
    if kind not in "iu" or len(shape) != 2 or hasattr(ids, "ragged_rank"):
        hint = "" if kind in "iuf" else "; a `Codec` makes them of texts"
        raise ValueError(
            f"Ids are one array of integers, [B, T]{hint}. Received: "
            f"{type(ids).__name__} of {dtype}, shape {shape}"
        )
    if not hasattr(ids, "__array__"):
        return
    values = np.asarray(ids)
    if values.size and not 0 <= values.min() <= values.max() < vocabulary_size:
        outside = values[(values < 0) | (values >= vocabulary_size)][0]
        raise ValueError(f"{outside_vocabulary(vocabulary_size)} Received: {outside}")


def outside_vocabulary(vocabulary_size: int) -> str:
    """Returns what is said of ids that are not below a vocabulary's size."""
    return f"Ids must lie in [0, {vocabulary_size}), the vocabulary."


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


def check_split(split: str, tweets: bool = False, level: str = "words"):
    """Raises ValueError for another way to split texts, or one that does not fit.

    Args:
        split: "blanks"; or "punctuation", for words that are not of tweets.
        tweets: whether texts are split as tweets are.
        level: what texts are split into, see `tokenizers.learn`.
    """
    if split not in WORD_SPLITS:
        raise ValueError(
            f"`split` is one of {', '.join(WORD_SPLITS)}. Received: split={split!r}"
        )
    if split != "blanks" and (tweets or level != "words"):
        raise ValueError(
            "Only words are split at punctuation, and tweets in a way of their own. "
            f"Received: split={split!r}, level={level!r}, tweets={tweets}"
        )
