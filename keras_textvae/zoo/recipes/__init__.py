"""The configurations of the zoo, by name.

`examples/train.py --recipe=NAME` trains one; every field can be replaced.
"""

from keras_textvae.zoo.recipe import Recipe
from keras_textvae.zoo.recipes import (
    bowman2016,
    built_in,
    classifiers,
    latent_spaces,
    semeniuta2017,
)

RECIPES = {
    **bowman2016.RECIPES,
    **semeniuta2017.RECIPES,
    **latent_spaces.RECIPES,
    **classifiers.RECIPES,
    **built_in.RECIPES,
}


def recipe(name: str) -> Recipe:
    """Returns a recipe by name.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    if name not in RECIPES:
        raise ValueError(
            f"Unknown recipe {name!r}. Known recipes: {', '.join(sorted(RECIPES))}"
        )
    return RECIPES[name]
