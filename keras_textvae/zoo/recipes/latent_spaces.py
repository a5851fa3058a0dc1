"""Latent spaces that hold sentences."""

from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import (
    CONSTANT,
    Data,
    Density,
    Model,
    Schedule,
    Stage,
    Terms,
    Training,
)
from keras_textvae.zoo.recipe import Recipe

# The methods against collapse are compared by it: Li et al. 2019 have an LSTM of these
# sizes on the Penn Treebank, annealed in 10 epochs. Half of that, a high rate and less
# dropout come furthest in twenty minutes of a core.
_PTB_STEPS = 1316  # in an epoch
_PTB_SIZES = {"embedding_dim": 256, "units": 256, "dropout": 0.3, "tied": True}
_PTB = Recipe(
    reference=(
        "An LSTM VAE with the sizes of Li et al. 2019 on the Penn Treebank, annealed "
        "in 5 epochs. Adam, dropout, tied embeddings and an encoder that pools all "
        "words are ours."
    ),
    text=Text("words", length=99),
    data=Data("ptb"),
    model=Model(
        "lstm", _PTB_SIZES | {"latent_dim": 32, "z_every_step": True, "pooling": "max"}
    ),
    terms=Terms(schedule=Schedule("linear", (0, 5 * _PTB_STEPS))),
    training=Training(
        epochs=10,
        learning_rate=3e-3,
        rate_schedule=Schedule("geometric", (4, 0.6)),
        clip_norm=5.0,
    ),
)
_FREE_BITS = {"free_bits": 8.0, "free_bits_over": "dimension"}
_SHORT = Recipe(
    reference=(
        "An LSTM VAE whose z holds a short sentence: the KL weighs little, words "
        "are hidden from the encoder, which pools all of them, and a Gaussian "
        "fitted to the posteriors' means says where the sentences lie."
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
    density=Density(components=1, fitted=True, density_noise=0.0),
)
_TEXTS = _SHORT.replace(
    reference=(
        "`short-sentences` for text as people write it, in subwords: it goes in and "
        "comes out as it stands."
    ),
    text=Text("subwords", length=None, too_long="drop"),
    corpus="grammar",
    learning_rate=2e-3,
)

RECIPES = {
    "ptb-annealed": _PTB,
    "ptb-cyclical": _PTB.replace(
        reference=(
            "Fu et al. 2019: `ptb-annealed` with four cycles of the KL's weight and of "
            "the learning rate."
        ),
        schedule=Schedule("cyclical", (2 * _PTB_STEPS, 4)),
        rate_schedule=Schedule("restarted", (2, 0, 0.1)),
    ),
    "ptb-free-bits": _PTB.replace(
        reference="Kingma et al. 2016: `ptb-annealed` with 8 nats of the KL for free.",
        **_FREE_BITS,
    ),
    "ptb-pretrained": _PTB.replace(
        reference=(
            "Li et al. 2019: `ptb-free-bits` after an autoencoder, whose encoder and "
            "posterior it keeps."
        ),
        stages=(
            Stage(
                "autoencoder",
                {"terms": Terms(beta=0.0), "epochs": 4, "rate_schedule": CONSTANT},
                keep=("encoder", "posterior"),
            ),
        ),
        **_FREE_BITS,
    ),
    "ptb-batch-normalized": _PTB.replace(
        reference="Zhu et al. 2020: `ptb-annealed` with batch-normalised means.",
        posterior="batch_normalized",
        mean_scale=0.6,
    ),
    "ptb-target": _PTB.replace(
        reference="Shao et al. 2020: `ptb-annealed` with its KL held at 8 nats.",
        terms=Terms(target_kl=8.0),
    ),
    "ptb-rnnlm": _PTB.replace(
        reference="The language model of the sizes of `ptb-annealed`, to compare.",
        model=Model("rnnlm", _PTB_SIZES),
        terms=Terms(),
    ),
    "short-sentences": _SHORT,
    "short-texts": _TEXTS,
    "short-english": _TEXTS.replace(
        reference="`short-texts` on English sentences of Tatoeba, of 12 MB at most.",
        corpus="tatoeba/eng",
        vocabulary=8000,
        embedding_dim=160,
        units=480,
        beta=0.22,
        density_scale=0.8,
        epochs=12,
        rate_schedule=Schedule("geometric", (6, 0.6)),
    ),
    "hybrid-characters": _TEXTS.replace(
        reference=(
            "The hybrid of Semeniuta et al. 2017 on the characters of English "
            "sentences of Tatoeba, of 5 MB at most: trained to copy them first, and "
            "then at a larger weight of the KL."
        ),
        text=Text("characters", length=None, too_long="drop"),
        corpus="tatoeba/eng",
        model=Model(
            "hybrid",
            {
                "latent_dim": 64,
                "units": 384,
                "channels": (128, 256),
                "features": 200,
                "convolution_norm": "layer",
            },
        ),
        terms=Terms(
            beta=0.9, schedule=Schedule("linear", (0, 12_000, 0.55)), alpha=0.2
        ),
        learning_rate=1e-3,
        epochs=6,
        rate_schedule=Schedule("geometric", (2, 0.6)),
        stages=(
            Stage(
                "copying",
                {
                    "terms": Terms(
                        beta=0.5,
                        schedule=Schedule("linear", (6000, 18_000, 0.2)),
                        alpha=0.2,
                    ),
                    "epochs": 6,
                    "rate_schedule": CONSTANT,
                },
            ),
        ),
    ),
}
