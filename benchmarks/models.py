"""The models that the benchmarks measure, by name."""

from keras_textvae import bytenet_vae, feedforward_vae, hybrid_vae, lstm_vae

VOCABULARY = 10_000  # of words
CHARACTERS = 54  # of the Penn Treebank, special ids included


def _lstm(length):
    return lstm_vae(VOCABULARY, embedding_dim=256, units=256, latent_dim=32)


def _character_lstm(length):
    return lstm_vae(
        CHARACTERS, None, 500, 100, keep_rate=0.8, layer_norm=True, initial_range=0.1
    )


# Name -> the model of texts of a length; of words, and those of Semeniuta et al. 2017
# at the authors' sizes.
MODELS = {
    "lstm": _lstm,
    "feedforward": lambda length: feedforward_vae(CHARACTERS, length),
    "hybrid": lambda length: hybrid_vae(CHARACTERS, length),
    "character_lstm": _character_lstm,
    "bytenet": lambda length: bytenet_vae(CHARACTERS, length, block="highway"),
}
