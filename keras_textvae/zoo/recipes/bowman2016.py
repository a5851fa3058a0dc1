"""The configurations of Bowman et al. 2016."""

from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import Data, Model, Schedule, Terms, Training
from keras_textvae.zoo.recipe import Recipe

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
}
