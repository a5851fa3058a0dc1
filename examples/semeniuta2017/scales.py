"""What a scale changes in the recipes of Semeniuta et al. 2017, and what it tries."""

from typing import NamedTuple

from keras_textvae import zoo
from keras_textvae.zoo import Schedule


class Scale(NamedTuple):
    """What a scale changes in the recipes, and which settings it tries.

    Attributes:
        steps: training steps in an epoch.
        epochs: epochs of figures 4 to 6.
        anneal: first and last step of the KL weight's rise, hybrid models.
        lstm_anneal: the same of LSTM VAEs.
        sizes: arguments of the models on PTB, by architecture.
        valid_steps: batches of a validation.
        epochs3, lengths3: of figure 3.
        lengths4: of figure 4.
        alphas5: of figure 5.
        layers6, alphas6: of figure 6.
        tweet_sizes: arguments of the models of tweets, by architecture.
        tweet_epochs, tweet_anneal: of models of tweets.
    """

    steps: int
    epochs: int
    anneal: tuple
    lstm_anneal: tuple
    sizes: dict
    valid_steps: int | None
    epochs3: int
    lengths3: tuple
    lengths4: tuple
    alphas5: tuple
    layers6: tuple
    alphas6: tuple
    tweet_sizes: dict
    tweet_epochs: int
    tweet_anneal: tuple


_THIN = {"channels": (8, 8), "features": 8}

SCALES = {
    "smoke": Scale(
        steps=10,
        epochs=2,
        anneal=(2, 15),
        lstm_anneal=(2, 15),
        sizes={
            "lstm": {"units": 8},
            "feedforward": _THIN,
            "hybrid": {"units": 8} | _THIN,
            "bytenet": {"hidden": 8} | _THIN,
        },
        valid_steps=2,
        epochs3=2,
        lengths3=(10, 30),
        lengths4=(12, 24),
        alphas5=(0.2,),
        layers6=(1, 3),
        alphas6=(0.0, 0.2),
        tweet_sizes={
            "lstm": {"units": 8},
            "hybrid": {"units": 8, "channels": (8,) * 5, "features": 8},
        },
        tweet_epochs=2,
        tweet_anneal=(2, 15),
    ),
    "small": Scale(
        steps=200,
        epochs=20,
        anneal=(500, 2500),
        lstm_anneal=(1000, 2500),
        sizes={
            "lstm": {"units": 256},
            "hybrid": {"units": 256},
            "bytenet": {"hidden": 128},
        },
        valid_steps=20,
        epochs3=12,
        lengths3=(10, 20, 30, 50, 100),
        lengths4=(12, 36, 60),
        alphas5=(0.1, 0.4, 1.0),
        layers6=(1, 3, 10),
        alphas6=(0.0, 0.2, 0.5),
        tweet_sizes={
            "lstm": {"units": 256},
            "hybrid": {"units": 256, "channels": (128, 256, 256, 256, 256)},
        },
        tweet_epochs=40,
        tweet_anneal=(3000, 5000),
    ),
    "paper": Scale(
        steps=1000,
        epochs=100,
        anneal=(1000, 8000),
        lstm_anneal=(10_000, 17_000),
        sizes={},
        valid_steps=100,
        epochs3=30,
        lengths3=(10, 20, 30, 50, 75, 100),
        lengths4=(12, 24, 36, 48, 60),
        alphas5=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
        layers6=(1, 2, 3, 5, 7, 10),
        alphas6=(0.0, 0.2, 0.5),
        tweet_sizes={},
        tweet_epochs=100,
        tweet_anneal=(50_000, 60_000),
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
    architecture = recipe.model.architecture
    if recipe.data.corpus == "tweets":
        sizes, epochs, rise = scale.tweet_sizes, scale.tweet_epochs, scale.tweet_anneal
    else:
        sizes, epochs = scale.sizes, scale.epochs
        rise = scale.lstm_anneal if architecture == "lstm" else scale.anneal
    floor = recipe.terms.schedule.arguments[2:]
    scaled = sizes.get(architecture, {}) | {
        "steps_per_epoch": scale.steps,
        "valid_steps": scale.valid_steps,
        "epochs": epochs,
        "schedule": Schedule("linear", (*rise, *floor)),
    }
    return recipe.replace(**scaled | fields)
