"""Latent spaces that hold sentences."""

from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import Data, Model, Schedule, Terms, Training
from keras_textvae.zoo.recipe import Recipe

RECIPES = {
    "short-sentences": Recipe(
        reference=(
            "An LSTM VAE whose z holds a short sentence: the KL weighs little, words "
            "are hidden from the encoder, which pools all of them, and a mixture of "
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
    ),
}
