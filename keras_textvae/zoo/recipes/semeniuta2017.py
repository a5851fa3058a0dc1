"""The configurations of Semeniuta et al. 2017."""

from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import Data, Model, Schedule, Terms, Training
from keras_textvae.zoo.recipe import Recipe

_CONVOLUTIONS = {"channels": (128, 256), "features": 200}
_LSTM = {"embedding_dim": None, "layer_norm": True, "initial_range": 0.1}
# The authors' settings of every model of Semeniuta et al. 2017 on the Penn Treebank...
_CHARACTERS = Recipe(
    reference=(
        "Semeniuta et al. 2017, section 4.1, hybrid on crops of 60 characters with the "
        "authors' hyperparameters; 1,000 iterations are an epoch."
    ),
    text=Text("characters", length=60, form="crop"),
    data=Data("ptb", batch_size=64, steps_per_epoch=1000),
    model=Model("hybrid", _CONVOLUTIONS | {"latent_dim": 50, "units": 500}),
    terms=Terms(schedule=Schedule("linear", (1000, 8000, 0.001)), alpha=0.2),
    training=Training(epochs=100, epsilon=1e-8),
)
# ... and on tweets.
_TWEETS = Recipe(
    reference=(
        "Semeniuta et al. 2017, section 4.3, hybrid on tweets of at most 127 bytes "
        "with the authors' hyperparameters; longer tweets are dropped. Their loss "
        "counts <pad>, ours does not."
    ),
    text=Text("bytes", length=127, too_long="drop", tweets=True),
    # Batch normalisation wants batches of any lengths, which are the authors' too.
    data=Data("tweets", steps_per_epoch=1000, by_length=False),
    model=Model(
        "hybrid",
        {
            "latent_dim": 100,
            "units": 1000,
            "channels": (128, 256, 512, 512, 512),
            "features": 200,
        },
    ),
    terms=Terms(schedule=Schedule("linear", (50_000, 60_000, 0.001)), alpha=0.2),
    training=Training(
        epochs=100, rate_schedule=Schedule("geometric", (69, 0.95)), epsilon=1e-8
    ),
)

RECIPES = {
    "semeniuta2017-ptb": _CHARACTERS.replace(
        rate_schedule=Schedule("geometric", (19, 0.95))
    ),
    "semeniuta2017-ptb-feedforward": _CHARACTERS.replace(
        reference=(
            "Semeniuta et al. 2017, figure 2(a), with the authors' hyperparameters, "
            "annealed as their hybrid: they trained it without the KL (figure 3)."
        ),
        model=Model("feedforward", _CONVOLUTIONS | {"latent_dim": 100}),
        alpha=0.0,
    ),
    "semeniuta2017-ptb-lstm": _CHARACTERS.replace(
        reference=(
            "Semeniuta et al. 2017, section 4.1, the LSTM VAE that they compare with, "
            "with the authors' hyperparameters and input dropout 0.2."
        ),
        model=Model(
            "lstm", _LSTM | {"units": 500, "latent_dim": 100, "keep_rate": 0.8}
        ),
        terms=Terms(schedule=Schedule("linear", (10_000, 17_000))),
        clip_norm=100.0,
    ),
    "semeniuta2017-ptb-bytenet": _CHARACTERS.replace(
        reference=(
            "Semeniuta et al. 2017, section 4.2 and figure 6, with the block and the "
            "hyperparameters of the authors' code, but layer normalisation in place of "
            "batch normalisation, which looks at later characters."
        ),
        model=Model(
            "bytenet",
            _CONVOLUTIONS
            | {
                "latent_dim": 50,
                "layers": 3,
                "hidden": 256,
                "block": "highway",
                "width": 2,
                "dilations": (1,),
                "norm": "layer",
            },
        ),
        length=56,
        rate_schedule=Schedule("geometric", (19, 0.95)),
    ),
    "semeniuta2017-tweets": _TWEETS,
    "semeniuta2017-tweets-lstm": _TWEETS.replace(
        reference=(
            "Semeniuta et al. 2017, section 4.3, the LSTM VAE with input dropout 0.5 "
            "on tweets, its annealing and learning rate those of the hybrid."
        ),
        model=Model(
            "lstm", _LSTM | {"units": 1000, "latent_dim": 100, "keep_rate": 0.5}
        ),
        by_length=True,
        terms=Terms(schedule=Schedule("linear", (50_000, 60_000))),
        clip_norm=100.0,
    ),
}
