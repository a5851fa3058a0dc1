"""Small models of the built-in corpus, whose entropy is known exactly."""

from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import Data, Model, Schedule, Stage, Terms, Training
from keras_textvae.zoo.recipe import Recipe

_GRAMMAR = Recipe(
    reference="A small LSTM VAE of Bowman et al. 2016 on the built-in corpus.",
    text=Text("words", length=39),
    data=Data("grammar"),
    model=Model(
        "lstm",
        {
            "embedding_dim": 128,
            "units": 128,
            "latent_dim": 16,
            "keep_rate": 0.75,
            "z_every_step": True,
        },
    ),
    terms=Terms(schedule=Schedule("sigmoid", (1500, 0.004))),
    training=Training(epochs=5, learning_rate=2e-3, clip_norm=5.0),
)

# An encoder learns the words first, without their order.
_WORDS_FIRST = Stage(
    "words",
    {
        "architecture": "bag_of_words",
        "terms": Terms(beta=0.15),
        "epochs": 1,
        "learning_rate": 3e-3,
    },
    keep=("encoder", "posterior"),
)

_DEMO = _GRAMMAR.replace(
    reference=(
        "An LSTM VAE whose z says what a sentence of the built-in corpus is about "
        "and how it is built, for a demonstration of minutes: the encoder is "
        "trained under a bag of words first."
    ),
    units=256,
    latent_dim=32,
    keep_rate=1.0,
    pooling="max",
    terms=Terms(beta=0.8, schedule=Schedule("linear", (0, 3000))),
    training=Training(
        epochs=3,
        learning_rate=3e-3,
        rate_schedule=Schedule("geometric", (0, 0.4)),
        clip_norm=5.0,
    ),
    stages=(_WORDS_FIRST,),
)

RECIPES = {
    "hybrid-grammar": _GRAMMAR.replace(
        reference=(
            "A small hybrid of Semeniuta et al. 2017 on the words of the built-in "
            "corpus, for a demonstration of minutes. Layer normalisation is ours."
        ),
        model=Model(
            "hybrid",
            {
                "latent_dim": 32,
                "units": 128,
                "channels": (64, 128),
                "features": 64,
                "convolution_norm": "layer",
            },
        ),
        terms=Terms(schedule=Schedule("linear", (200, 1000, 0.001)), alpha=0.2),
        batch_size=64,
        steps_per_epoch=500,
        epochs=3,
    ),
    "lstm-grammar": _GRAMMAR,
    "demo": _DEMO,
    "grammar": _DEMO.replace(
        reference=(
            "`demo`, larger and trained for longer: an LSTM VAE of the built-in "
            "corpus, to be compared with its exact entropy."
        ),
        units=320,
        latent_dim=48,
        beta=0.7,
        schedule=Schedule("linear", (0, 8000)),
        epochs=10,
        learning_rate=2e-3,
        rate_schedule=Schedule("geometric", (4, 0.6)),
    ),
}
