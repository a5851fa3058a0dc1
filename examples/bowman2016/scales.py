"""What a scale changes in the recipes of Bowman et al. 2016, and what it tries."""

from typing import NamedTuple

from keras_textvae import zoo
from keras_textvae.zoo import Schedule


class Scale(NamedTuple):
    """What a scale changes in the recipes, and how much is evaluated.

    Attributes:
        ptb: fields of the recipes on PTB.
        ptb_sizes: arguments of their models.
        inputless_latent_dim: of the inputless VAE on PTB.
        fiction: fields of the recipes on fiction.
        fiction_sizes: arguments of their models.
        figure2: fields of the run whose KL is plotted, in many short epochs.
        variations: fields of the recipe that section 3's runs share.
        variation_sizes: arguments of their models.
        train_batches: batches of the training set that table 2 evaluates; None for all.
        test_batches: batches for the importance-weighted likelihood; None for all.
        samples: of z for each sentence there.
        imputed: sentences that are imputed, and as many true ones, for table 4; None
            for all.
    """

    ptb: dict
    ptb_sizes: dict
    inputless_latent_dim: int
    fiction: dict
    fiction_sizes: dict
    figure2: dict
    variations: dict
    variation_sizes: dict
    train_batches: int | None
    test_batches: int | None
    samples: int
    imputed: int | None


_TINY = {"embedding_dim": 8, "units": 8}
_SHORT = {
    "steps_per_epoch": 10,
    "valid_steps": 2,
    "epochs": 2,
    "schedule": Schedule("sigmoid", (10, 0.5)),
    "patience": None,
}

SCALES = {
    "smoke": Scale(
        ptb=_SHORT,
        ptb_sizes=_TINY,
        inputless_latent_dim=4,
        fiction=_SHORT | {"vocabulary": 100},
        fiction_sizes=_TINY,
        figure2=_SHORT,
        variations=_SHORT,
        variation_sizes=_TINY,
        train_batches=2,
        test_batches=2,
        samples=5,
        imputed=100,
    ),
    "small": Scale(
        ptb={"epochs": 9, "rate_schedule": Schedule("geometric", (4, 0.6))},
        ptb_sizes={"embedding_dim": 256, "units": 256, "dropout": 0.3},
        inputless_latent_dim=64,
        fiction={
            "vocabulary": 10_000,
            "batch_size": 64,
            "steps_per_epoch": 1000,
            "epochs": 10,
            "schedule": Schedule("sigmoid", (2500, 0.0025)),
            "rate_schedule": Schedule("geometric", (6, 0.6)),
        },
        fiction_sizes={"embedding_dim": 256, "units": 256, "dropout": 0.0},
        figure2={
            "steps_per_epoch": 250,
            "valid_steps": 10,
            "epochs": 48,
            "rate_schedule": Schedule("constant", (1.0,)),
            "patience": None,
        },
        variations={},
        variation_sizes={},
        train_batches=200,
        test_batches=30,
        samples=100,
        imputed=None,
    ),
    "paper": Scale(
        ptb={},
        ptb_sizes={},
        inputless_latent_dim=111,
        fiction={},
        fiction_sizes={},
        figure2={
            "steps_per_epoch": 500,
            "valid_steps": 20,
            "epochs": 100,
            "rate_schedule": Schedule("constant", (1.0,)),
            "patience": None,
        },
        variations={},
        variation_sizes={},
        train_batches=None,
        test_batches=None,
        samples=500,
        imputed=None,
    ),
}


def changed(name, scale, **fields):
    """Returns a recipe at a scale.

    Args:
        name: str. See `zoo.RECIPES`.
        scale: `Scale`.
        fields: what else to change, see `zoo.Recipe.replace`.
    """
    recipe = zoo.recipe(name)
    ptb = recipe.data.corpus == "ptb"
    sizes = scale.ptb_sizes if ptb else scale.fiction_sizes
    scaled = scale.ptb if ptb else scale.fiction
    if recipe.terms.schedule == zoo.CONSTANT:  # nothing to anneal
        scaled = scaled | {"schedule": zoo.CONSTANT}
    recipe = recipe.replace(**scaled | sizes | fields)
    sizes = recipe.model.arguments
    if "encoder_units" in sizes:  # never more than the decoder's
        units = min(sizes["encoder_units"], sizes["units"])
        recipe = recipe.replace(encoder_units=units)
    return recipe
