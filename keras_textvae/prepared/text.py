"""How texts become ids: what a codec is learned by, before there is a vocabulary."""

import dataclasses

from keras_textvae.tokens import positions

TOO_LONG = ("error", "drop", "cut")
OF_SUBWORDS = ("algorithm", "nfkc", "sampled")  # fields that no other level has


@dataclasses.dataclass(frozen=True)
class Text:
    """How the texts of a corpus become ids.

    Attributes:
        level: "words", "subwords", "characters" or "bytes".
        length: the most words, or pieces of another level, of a sentence, as
            `tokenizers.Codec` counts them; of a crop, all of them.
        form: "sentence" or "crop", see `tokenizers.Codec`.
        too_long: what happens to a longer sentence: "error"; "drop"; or "cut", which
            keeps its first `length` words, and so trains on no `<eos>` that was not
            there. The last two are counted.
        vocabulary: the most ids, special ones included. None keeps all.
        lower: whether words or subwords are lower-cased.
        tweets: whether texts are split as tweets are, see `tokenizers`.
        right_to_left: whether sentences begin with the last word, see `tokenizers`.
        algorithm: "unigram" or "bpe", by which subwords are learned.
        nfkc: whether subwords are those of texts in the normal form NFKC.
        sampled: how often the training split is there, each time in segmentations drawn
            anew, which are longer than the best (Kudo 2018); an epoch passes over all
            of them. 0 has the best ones alone, as validation and test always have.

    Raises:
        ValueError: for a value that there is not, or that the level does not have.
    """

    level: str
    length: int
    form: str = "sentence"
    too_long: str = "error"
    vocabulary: int | None = None
    lower: bool = False
    tweets: bool = False
    right_to_left: bool = False
    algorithm: str = "unigram"
    nfkc: bool = False
    sampled: int = 0

    @property
    def positions(self) -> int:
        """The most ids that a model of such texts predicts."""
        return positions(self.length, self.form)

    def __post_init__(self):
        positions(self.length, self.form)
        if self.too_long not in TOO_LONG:
            raise ValueError(
                f"`too_long` is one of {', '.join(TOO_LONG)}. "
                f"Received: too_long={self.too_long!r}"
            )
        if self.sampled < 0:
            raise ValueError(
                f"`sampled` must not be negative. Received: sampled={self.sampled}"
            )
        if self.level == "subwords" and self.form == "crop":
            raise ValueError("Crops are of characters or bytes, not of subwords.")
        for name in () if self.level == "subwords" else OF_SUBWORDS:
            if (value := getattr(self, name)) != getattr(Text, name):
                raise ValueError(
                    f"`{name}` is for subwords. Received: {name}={value!r} and "
                    f"level={self.level!r}"
                )

    def get_config(self) -> dict:
        """Returns what a corpus of such texts is known by, as JSON has it.

        What subwords alone have is left out elsewhere.
        """
        config = dataclasses.asdict(self)
        for name in () if self.level == "subwords" else OF_SUBWORDS:
            del config[name]
        return config
