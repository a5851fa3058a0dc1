"""Encoders to put under a classifier."""

from keras_textvae.prepared import Text
from keras_textvae.zoo.parts import Data, Model, Schedule, Terms, Training
from keras_textvae.zoo.recipe import Recipe

RECIPES = {
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
}
