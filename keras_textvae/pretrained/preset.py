"""What is said of a trained text space: what it is, of which data, and how good."""

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class About:
    """What the maker of a preset says of it.

    Attributes:
        summary: a sentence: what texts it is for.
        corpus: what it was trained on, and where that comes from.
        language: of the texts, as in ISO 639, such as "en".
        licence: of the weights, as in SPDX, such as "CC-BY-2.0".
        attribution: what the licence of the data asks to be said.
        command: that trains it.
        limits: what it is not for.
        ends: two texts, between which the card shows how to interpolate; or none.
        figures: name -> value of its report, such as "bound" and "kl", in nats a text.
        excerpts: heading -> texts that show it, unpicked.
    """

    summary: str = ""
    corpus: str = ""
    language: str = ""
    licence: str = ""
    attribution: str = ""
    command: str = ""
    limits: str = ""
    ends: Sequence[str] = ()
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    excerpts: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Preset:
    """A trained text space that has a name.

    Attributes:
        name: by which `TextSpace.from_preset` finds it, or that of its folder.
        about: what its maker says.
        level: "words", "subwords", "characters" or "bytes".
        parameters: how many numbers the model has.
        methods: what it can do, such as "sample" and "interpolate": the signatures of
            its SavedModel.
        files: name -> (bytes, SHA-256) of each file.
        installed: whether its files are on this machine.
    """

    name: str
    about: About
    level: str
    parameters: int
    methods: tuple[str, ...]
    files: Mapping[str, tuple[int, str]]
    installed: bool = True

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())

    def __str__(self):
        about, figures = self.about, self.about.figures
        nats = [
            f"{name} {figures[key]:.1f}"
            for name, key in (("bound", "bound"), ("KL", "kl"))
            if key in figures
        ]
        parts = [
            f"{self.size / 1e6:.1f} MB",
            about.corpus,
            self.level,
            *nats,
            about.licence,
            "" if self.installed else "not on this machine",
        ]
        return f"{self.name}: {', '.join(part for part in parts if part)}"
