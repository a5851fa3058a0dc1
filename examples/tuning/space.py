"""The space that a search goes through: hyperparameters of LSTM models."""

from typing import NamedTuple

from keras_textvae.zoo import CONSTANT, Recipe, Schedule

ARCHITECTURES = ("lstm", "rnnlm")


class Axis(NamedTuple):
    """The values of a hyperparameter, from `low` to `high`, both included."""

    low: float
    high: float
    logarithmic: bool = True
    whole: bool = True

    def rounded(self, value: float) -> float:
        """Rounds to a whole number, or to three significant digits."""
        return round(value) if self.whole else float(f"{value:.3g}")


class Scale(NamedTuple):
    """How large a search is.

    Attributes:
        sizes: arguments of the model -> their axes.
        fields: of the recipe, in place of its own.
    """

    sizes: dict[str, Axis]
    fields: dict


SCALES = {
    "smoke": Scale(
        sizes={
            "embedding_dim": Axis(4, 16),
            "units": Axis(4, 16),
            "latent_dim": Axis(2, 8),
        },
        fields={"steps_per_epoch": 3, "valid_steps": 1, "epochs": 2},
    ),
    "small": Scale(
        sizes={
            "embedding_dim": Axis(100, 256),
            "units": Axis(50, 256),
            "latent_dim": Axis(4, 64),
        },
        fields={"epochs": 4},
    ),
    # Around what Table 9 of Bowman et al. 2016 has.
    "paper": Scale(
        sizes={
            "embedding_dim": Axis(100, 600),
            "units": Axis(50, 600),
            "latent_dim": Axis(4, 128),
        },
        fields={},
    ),
}
KEEP_RATE = Axis(0.3, 1.0, logarithmic=False, whole=False)
FREE = {"tied": False, "encoder_units": None}  # of what would bind the sizes
REACH = 4.0  # how many times the recipe's own value, or what part of it


def axes(recipe: Recipe, scale: Scale) -> dict[str, Axis]:
    """Returns what is searched of a recipe, by name.

    Besides arguments of the model: `learning_rate`, and `annealing`, the step at which
    the KL weight is one half. What the recipe lacks is not searched: z or annealing of
    a language model, the keep rate of an inputless decoder.
    """
    sizes = recipe.model.arguments
    searched = {name: axis for name, axis in scale.sizes.items() if sizes.get(name)}
    if sizes["keep_rate"]:
        searched["keep_rate"] = KEEP_RATE
    searched["learning_rate"] = _around(recipe.training.learning_rate, whole=False)
    if has_kl(recipe) and recipe.terms.schedule != CONSTANT:
        searched["annealing"] = _around(_middle(recipe.terms.schedule), whole=True)
    return searched


def has_kl(recipe: Recipe) -> bool:
    """Whether the recipe is a VAE, not a language model or an autoencoder."""
    deterministic = recipe.model.arguments.get("posterior") == "deterministic"
    return recipe.model.architecture == "lstm" and not deterministic


def with_values(recipe: Recipe, values: dict[str, float]) -> Recipe:
    """Returns the recipe with the values of a trial.

    Its embeddings are untied, since the two sizes would have to be equal, and encoder
    and decoder have the same units.
    """
    values = dict(values)
    if middle := values.pop("annealing", None):
        values["schedule"] = _stretched(recipe.terms.schedule, middle)
    freed = {n: v for n, v in FREE.items() if n in recipe.model.arguments}
    return recipe.replace(**values, **freed)


def _around(value, whole):
    low, high = value / REACH, value * REACH
    return Axis(
        round(low) if whole else low, round(high) if whole else high, True, whole
    )


def _middle(schedule):
    """Returns the step at which the KL weight is one half, ignoring the floor."""
    if schedule.name == "sigmoid":
        return schedule.arguments[0]
    start, end = schedule.arguments[:2]
    return (start + end) / 2


def _stretched(schedule, step):
    """Returns the schedule stretched or compressed so that its middle is at `step`."""
    factor = step / _middle(schedule)
    if schedule.name == "sigmoid":
        _, steepness = schedule.arguments
        return Schedule("sigmoid", (step, steepness / factor))
    start, end, *floor = schedule.arguments
    return Schedule("linear", (start * factor, end * factor, *floor))
