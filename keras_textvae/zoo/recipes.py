"""The published configurations, by name.

`examples/train.py --recipe=NAME` trains one; every field can be replaced.
"""

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
    data=Data("tweets", steps_per_epoch=1000),
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

# Bowman et al. 2016 on the Penn Treebank, decoders that see the history...
_LARGE = {
    "embedding_dim": 640,
    "units": 640,
    "dropout": 0.5,
    "shared_dropout": True,
    "recurrent_dropout": 0.3,
    "tied": True,
}
# ... and others.
_MIDDLE = {"embedding_dim": 512, "units": 512, "dropout": 0.5, "tied": True}
_PTB_WORDS = Recipe(
    reference=(
        "Bowman et al. 2016, table 2 (VAE, standard). Sizes and keep rate, z at "
        "every step, dropout and tied embeddings are ours; docs/results.md has "
        "those of table 9 too."
    ),
    text=Text("words", length=99),
    data=Data("ptb"),
    model=Model(
        "lstm",
        _LARGE
        | {
            "latent_dim": 16,
            "keep_rate": 0.8,
            "z_every_step": True,
            "encoder_units": 256,
        },
    ),
    terms=Terms(schedule=Schedule("sigmoid", (2500, 0.0025))),
    training=Training(
        epochs=15,
        learning_rate=1.5e-3,
        rate_schedule=Schedule("geometric", (4, 0.75)),
        clip_norm=5.0,
        patience=4,
    ),
)
# Bowman et al. 2016 on fiction.
_FICTION = Recipe(
    reference=(
        "Bowman et al. 2016, sections 5 and 6: VAE of 512 units with keep rate 0.75, "
        "on other novels than theirs. The vocabulary's size and all else are ours."
    ),
    text=Text("words", length=30, vocabulary=20_000),
    data=Data("fiction", steps_per_epoch=2500),
    model=Model(
        "lstm",
        {
            "embedding_dim": 512,
            "units": 512,
            "latent_dim": 32,
            "keep_rate": 0.75,
            "z_every_step": True,
            "dropout": 0.1,
            "tied": True,
            "posterior": "gaussian",
        },
    ),
    terms=Terms(schedule=Schedule("sigmoid", (10_000, 0.0008))),
    training=Training(
        epochs=40, rate_schedule=Schedule("geometric", (29, 0.8)), clip_norm=5.0
    ),
)
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

# A space that holds short sentences: ...
_SHORT_SENTENCES = Recipe(
    reference=(
        "An LSTM VAE whose z holds a short sentence: the KL weighs little, words are "
        "hidden from the encoder, which takes the maximum over time, and a mixture of "
        "Gaussians says where the sentences lie."
    ),
    text=Text("words", length=15, too_long="drop", vocabulary=10_000),
    data=Data("yelp"),
    model=Model(
        "lstm",
        {
            "embedding_dim": 384,
            "units": 384,
            "latent_dim": 64,
            "keep_rate": 0.9,
            "encoder_keep_rate": 0.9,
            "z_every_step": True,
            "pooling": "max",
            "tied": True,
        },
    ),
    terms=Terms(beta=0.2),
    training=Training(
        epochs=9, rate_schedule=Schedule("geometric", (3, 0.7)), clip_norm=5.0
    ),
)

RECIPES = {
    "bowman2016-ptb": _PTB_WORDS,
    "bowman2016-ptb-rnnlm": _PTB_WORDS.replace(
        reference=(
            "Bowman et al. 2016, table 2 (RNNLM, standard). Sizes, dropout, tied "
            "embeddings and that all words are kept are ours."
        ),
        model=Model("rnnlm", _LARGE | {"keep_rate": 1.0}),
    ),
    "bowman2016-ptb-inputless": _PTB_WORDS.replace(
        reference=(
            "Bowman et al. 2016, table 2 (VAE, inputless decoder). Sizes but for z's, "
            "z at every step, an encoder that takes the maximum over time, slow linear "
            "annealing, dropout and tied embeddings are ours."
        ),
        # The paper's sigmoid schedule and the encoder's last output keep less in z,
        # more units overfit: docs/results.md.
        arguments={
            "embedding_dim": 256,
            "units": 256,
            "latent_dim": 111,
            "keep_rate": 0.0,
            "z_every_step": True,
            "pooling": "max",
            "dropout": 0.2,
            "tied": True,
        },
        schedule=Schedule("linear", (0, 10_000)),
        epochs=14,
        rate_schedule=Schedule("geometric", (8, 0.7)),
    ),
    "bowman2016-ptb-inputless-rnnlm": _PTB_WORDS.replace(
        reference=(
            "Bowman et al. 2016, table 2 (RNNLM, inputless decoder), which knows "
            "positions alone. Sizes, dropout and tied embeddings are ours."
        ),
        model=Model("rnnlm", _MIDDLE | {"keep_rate": 0.0}),
    ),
    "bowman2016-fiction": _FICTION,
    "bowman2016-fiction-rnnlm": _FICTION.replace(
        reference=(
            "Bowman et al. 2016, section 5: the RNNLM that imputes words. Sizes, and "
            "that all words are kept, are ours."
        ),
        model=Model("rnnlm", _MIDDLE | {"dropout": 0.1, "keep_rate": 1.0}),
    ),
    "bowman2016-fiction-autoencoder": _FICTION.replace(
        reference=(
            "Bowman et al. 2016, section 2.1 and table 1: the sequence autoencoder, "
            "without a prior, all words kept."
        ),
        posterior="deterministic",
        keep_rate=1.0,
        terms=Terms(),
    ),
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
        terms=Terms(schedule=Schedule("linear", (50_000, 60_000))),
        clip_norm=100.0,
    ),
    "bag-of-words-tweets": Recipe(
        reference=(
            "An LSTM encoder under the bag-of-words decoder of Miao et al. 2016, on "
            "the words of tweets: an encoder for classifiers. Words are hidden from "
            "it, and the KL weighs little, so that z says much of a tweet."
        ),
        text=Text(
            "words",
            length=119,
            too_long="cut",
            vocabulary=15_000,
            lower=True,
            tweets=True,
        ),
        data=Data("tweets", batch_size=64),
        model=Model(
            "bag_of_words",
            {
                "embedding_dim": 256,
                "units": 256,
                "latent_dim": 64,
                "keep_rate": 0.7,
                "dropout": 0.2,
                "pooling": "mean",
                "hidden": 0,
            },
        ),
        terms=Terms(beta=0.15),
        training=Training(
            epochs=6, rate_schedule=Schedule("geometric", (5, 0.7)), clip_norm=5.0
        ),
    ),
    "hybrid-grammar": _GRAMMAR.replace(
        reference=(
            "A small hybrid of Semeniuta et al. 2017 on the words of the built-in "
            "corpus, for a demonstration of minutes."
        ),
        model=Model(
            "hybrid",
            {"latent_dim": 32, "units": 128, "channels": (64, 128), "features": 64},
        ),
        terms=Terms(schedule=Schedule("linear", (200, 1000, 0.001)), alpha=0.2),
        batch_size=64,
        steps_per_epoch=500,
        epochs=3,
    ),
    "lstm-grammar": _GRAMMAR,
    "demo": _GRAMMAR.replace(
        reference=(
            "An LSTM VAE whose z holds what a sentence of the built-in corpus says, "
            "for a demonstration of minutes."
        ),
        units=256,
        latent_dim=32,
        keep_rate=1.0,
        pooling="max",
        terms=Terms(beta=0.4, schedule=Schedule("linear", (0, 1500))),
        training=Training(
            epochs=3,
            learning_rate=3e-3,
            rate_schedule=Schedule("geometric", (0, 0.4)),
            clip_norm=5.0,
        ),
    ),
    "short-sentences": _SHORT_SENTENCES,
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
