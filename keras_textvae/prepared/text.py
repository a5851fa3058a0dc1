"""How texts become ids: what a codec is learned by, before there is a vocabulary."""

import dataclasses

from keras_textvae.tokens import check_split, positions

TOO_LONG = ("error", "drop", "cut")
YOUNGER = {"split": "blanks"}  # fields that older corpora lack, and what they are there


@dataclasses.dataclass(frozen=True)
class Text:
    """How the texts of a corpus become ids.

    Attributes:
        level: "words", "characters" or "bytes".
        length: the most words or characters of a sentence, as `tokenizers.Codec` counts
            them; of a crop, all of them.
        form: "sentence" or "crop", see `tokenizers.Codec`.
        too_long: what happens to a longer sentence: "error"; "drop"; or "cut", which
            keeps its first `length` words, and so trains on no `<eos>` that was not
            there. The last two are counted.
        vocabulary: the most ids, special ones included. None keeps all.
        lower: whether words are lower-cased.
        tweets: whether texts are split as tweets are, see `tokenizers`.
        right_to_left: whether sentences begin with the last word, see `tokenizers`.
        split: "blanks", at which words are split; or "punctuation", where each mark is
            a word too, see `tokenizers.WordTokenizer`.
    """

    level: str
    length: int
    form: str = "sentence"
    too_long: str = "error"
    vocabulary: int | None = None
    lower: bool = False
    tweets: bool = False
    right_to_left: bool = False
    split: str = "blanks"

    @property
    def positions(self) -> int:
        """The most ids that a model of such texts predicts."""
        return positions(self.length, self.form)

    def __post_init__(self):
        positions(self.length, self.form)
        check_split(self.split, self.tweets, self.level)
        if self.too_long not in TOO_LONG:
            raise ValueError(
                f"`too_long` is one of {', '.join(TOO_LONG)}. "
                f"Received: too_long={self.too_long!r}"
            )
