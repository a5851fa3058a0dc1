"""How texts become ids: what a codec is learned by, before there is a vocabulary."""

import dataclasses

from keras_textvae.tokens import positions

TOO_LONG = ("error", "drop", "cut")


@dataclasses.dataclass(frozen=True)
class Text:
    """How the texts of a corpus become ids.

    Attributes:
        level: "words", "characters" or "bytes".
        length: the most words or characters of a sentence, as `tokenizers.Codec` counts
            them; of a crop, all of them. None means as many as 99 % of the training
            sentences have at most.
        form: "sentence" or "crop", see `tokenizers.Codec`.
        too_long: what happens to a longer sentence: "error"; "drop"; or "cut", which
            keeps its first `length` words, and so trains on no `<eos>` that was not
            there. The last two are counted.
        vocabulary: the most ids, special ones included. None keeps all.
        lower: whether words are lower-cased.
        tweets: whether texts are split as tweets are, see `tokenizers`.
        right_to_left: whether sentences begin with the last word, see `tokenizers`.
    """

    level: str
    length: int | None
    form: str = "sentence"
    too_long: str = "error"
    vocabulary: int | None = None
    lower: bool = False
    tweets: bool = False
    right_to_left: bool = False

    @property
    def positions(self) -> int:
        """The most ids that a model of such texts predicts.

        Raises:
            ValueError: if the length is left to a corpus.
        """
        if self.length is None:
            raise ValueError("A text without `length` takes that of its corpus.")
        return positions(self.length, self.form)

    def __post_init__(self):
        positions(1 if self.length is None else self.length, self.form)
        if self.too_long not in TOO_LONG:
            raise ValueError(
                f"`too_long` is one of {', '.join(TOO_LONG)}. "
                f"Received: too_long={self.too_long!r}"
            )
        if self.length is None and (self.form == "crop" or self.too_long == "error"):
            raise ValueError(
                "Only sentences of which longer ones are dropped or cut may leave "
                "`length` to the corpus. "
                f"Received: form={self.form!r}, too_long={self.too_long!r}"
            )
