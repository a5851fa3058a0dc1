"""A recipe, made of its parts, and its configuration."""

import dataclasses
import typing

from keras_textvae.callbacks import TargetKL
from keras_textvae.models import GenerativeModel
from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import (
    Data,
    Density,
    Model,
    Schedule,
    Stage,
    Terms,
    Training,
)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that a run needs: a configuration of the zoo.

    Attributes:
        reference: where it comes from and what differs.
        text: how texts become ids, `prepared.Text`.
        data, model, terms, training, density: see there.
        stages: what is trained before, in this order.
    """

    reference: str
    text: Text
    data: Data
    model: Model
    terms: Terms = Terms()
    training: Training = Training()
    density: Density = Density()
    stages: tuple[Stage, ...] = ()

    def build_model(
        self, vocabulary_size: int, length: int | None = None
    ) -> GenerativeModel:
        """Returns the model, built, for a vocabulary of this size.

        Args:
            vocabulary_size: int. V.
            length: of the corpus; None for that of `text`.

        Raises:
            ValueError: if the model cannot be built, or the terms do not fit its
                objective, or its posterior.
        """
        text = self.text
        if length is not None:
            text = dataclasses.replace(text, length=length)
        model = self.model.build(vocabulary_size, text.positions, self.terms.build())
        weighing = self.terms.weighing()
        if isinstance(weighing, TargetKL):
            weighing.check(model)
        return model

    def replace(self, **fields) -> "Recipe":
        """Returns a copy with some fields replaced, each in the part that has it.

        So `replace(epochs=5, length=20, units=128)` changes `training`, `text` and the
        model's arguments. A whole part is a field too. Another `architecture` keeps
        the arguments that it takes, and another `level` takes a length and vocabulary
        that fit it (`Text.at`); the other fields are replaced after these two.

        Raises:
            ValueError: for a field that no part has.
        """
        recipe = self
        for name in sorted(fields, key=lambda name: name not in FIRST):
            recipe = recipe._replace_one(name, fields[name])
        return recipe

    def _replace_one(self, name, value):
        if name in _names(Recipe):
            return dataclasses.replace(self, **{name: value})
        if name == "level":
            return dataclasses.replace(self, text=self.text.at(value))
        if name == "architecture":
            return dataclasses.replace(self, model=self.model.with_architecture(value))
        if name in self.model.all_arguments:
            return self._replace_one("arguments", self.model.arguments | {name: value})
        for part, kind in PARTS_OF_A_RECIPE.items():
            if name in _names(kind):
                changed = dataclasses.replace(getattr(self, part), **{name: value})
                return dataclasses.replace(self, **{part: changed})
        raise ValueError(f"A recipe has no field {name!r}.")

    def stage(self, stage: Stage) -> "Recipe":
        """Returns the recipe of a stage."""
        return self.replace(stages=(), density=Density(), **stage.changes)

    def get_config(self) -> dict:
        """Returns what `from_config` restores this recipe from; JSON can hold it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict) -> "Recipe":
        """Returns a recipe from its configuration, or from what JSON made of it.

        Fields that were added after it was written take their defaults.
        """
        return _made(cls, config)


FIRST = ("architecture", "level")  # fields that change others
PARTS_OF_A_RECIPE = {
    "text": Text,
    "data": Data,
    "model": Model,
    "terms": Terms,
    "training": Training,
    "density": Density,
}


def _names(part):
    return [field.name for field in dataclasses.fields(part)]


def _made(kind, value):
    """Returns a value of the type of a field from what JSON made of it."""
    if kind is Stage:
        changes = {name: _made(_kind(name), x) for name, x in value["changes"].items()}
        return Stage(value["name"], changes, tuple(value["keep"]))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _made(hints[name], x) for name, x in value.items()})
    if kind is Schedule:
        return Schedule(value[0], tuple(value[1]))
    if typing.get_origin(kind) is tuple:
        element = typing.get_args(kind)[0]
        return tuple(_made(element, x) for x in value)
    if isinstance(value, dict):  # arguments of a model
        return {name: _tuples(x) for name, x in value.items()}
    return _tuples(value)


def _kind(field):
    """Returns the type of a field of a recipe or its parts; None for an argument."""
    for part in (Recipe, *PARTS_OF_A_RECIPE.values()):
        if field in _names(part):
            return typing.get_type_hints(part)[field]
    return None


def _tuples(value):
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value
