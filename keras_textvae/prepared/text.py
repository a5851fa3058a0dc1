"""How texts become ids: what a codec is learned by, before there is a vocabulary."""

import dataclasses

from keras_textvae.tokens import check_split, positions

LEVELS = ("words", "subwords", "characters", "bytes")
WORDS = 10_000  # of a vocabulary of words that nobody has chosen
TOO_LONG = ("error", "drop", "cut")
# Fields that older corpora lack, and what they are there.
YOUNGER = {"split": "blanks", "algorithm": "unigram", "nfkc": False, "sampled": 0}
OF_SUBWORDS = ("algorithm", "nfkc", "sampled")  # fields that no other level has


@dataclasses.dataclass(frozen=True)
class Text:
    """How the texts of a corpus become ids.

    Attributes:
        level: "words", "subwords", "characters" or "bytes".
        length: the most words, or pieces of another level, of a sentence, as
            `tokenizers.Codec` counts them; of a crop, all of them. None means as many
            as 99 % of the training sentences have at most.
        form: "sentence" or "crop", see `tokenizers.Codec`.
        too_long: what happens to a longer sentence: "error"; "drop"; or "cut", which
            keeps its first `length` words, and so trains on no `<eos>` that was not
            there. The last two are counted.
        vocabulary: the most ids, special ones included. None keeps all; of subwords it
            learns as many as `SubwordTokenizer` does.
        lower: whether text is lower-cased.
        tweets: whether texts are split as tweets are, see `tokenizers`.
        right_to_left: whether sentences begin with the last word, see `tokenizers`.
        split: "blanks", at which words are split; or "punctuation", where each mark is
            a word too, see `tokenizers.WordTokenizer`.
        algorithm: "unigram" or "bpe", by which subwords are learned.
        nfkc: whether subwords are those of texts in the normal form NFKC.
        sampled: how often the training split is there, each time in segmentations drawn
            anew, which are longer than the best (Kudo 2018); an epoch passes over all
            of them. 0 has the best ones alone, as validation and test always have.

    Raises:
        ValueError: for a value that there is not, or that the level does not have.
    """

    level: str
    length: int | None
    form: str = "sentence"
    too_long: str = "error"
    vocabulary: int | None = None
    lower: bool = False
    tweets: bool = False
    right_to_left: bool = False
    split: str = "blanks"
    algorithm: str = "unigram"
    nfkc: bool = False
    sampled: int = 0

    @property
    def positions(self) -> int:
        """The most ids that a model of such texts predicts.

        Raises:
            ValueError: if the length is left to a corpus.
        """
        if self.length is None:
            raise ValueError("A text without `length` takes that of its corpus.")
        return positions(self.length, self.form)

    def at(self, level: str) -> "Text":
        """Returns how texts become ids at another level.

        What was chosen for words says nothing about characters: the vocabulary's size
        and the length of sentences are left to the corpus, and longer ones dropped.
        """
        if level == self.level:
            return self
        fields: dict = YOUNGER | {"level": level, "vocabulary": None}
        if level == "words":
            fields["vocabulary"] = WORDS
        if self.form == "sentence":
            too_long = "drop" if self.too_long == "error" else self.too_long
            fields |= {"length": None, "too_long": too_long}
        return dataclasses.replace(self, **fields)

    def __post_init__(self):
        if self.level not in LEVELS:
            raise ValueError(
                f"`level` is one of {', '.join(LEVELS)}. Received: level={self.level!r}"
            )
        positions(1 if self.length is None else self.length, self.form)
        check_split(self.split, self.tweets, self.level)
        if self.too_long not in TOO_LONG:
            raise ValueError(
                f"`too_long` is one of {', '.join(TOO_LONG)}. "
                f"Received: too_long={self.too_long!r}"
            )
        if self.sampled < 0:
            raise ValueError(
                f"`sampled` must not be negative. Received: sampled={self.sampled}"
            )
        if self.form == "crop" and self.level not in ("characters", "bytes"):
            raise ValueError(
                "Crops of running text are of characters or bytes. "
                f"Received: level={self.level!r}"
            )
        if self.length is None and (self.form == "crop" or self.too_long == "error"):
            raise ValueError(
                "Only sentences of which longer ones are dropped or cut may leave "
                "`length` to the corpus. "
                f"Received: form={self.form!r}, too_long={self.too_long!r}"
            )
        for name in () if self.level == "subwords" else OF_SUBWORDS:
            if (value := getattr(self, name)) != getattr(Text, name):
                raise ValueError(
                    f"`{name}` is for subwords. Received: {name}={value!r} and "
                    f"level={self.level!r}"
                )

    def get_config(self) -> dict:
        """Returns what a corpus of such texts is known by, as JSON has it."""
        return dataclasses.asdict(self)
