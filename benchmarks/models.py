"""The models that the benchmarks measure, by name."""

import bisect

from keras_textvae import bytenet_vae, feedforward_vae, hybrid_vae, lstm_vae

VOCABULARY = 10_000  # of words
CHARACTERS = 54  # of the Penn Treebank, special ids included


def _lstm(length):
    return lstm_vae(VOCABULARY, embedding_dim=256, units=256, latent_dim=32)


def _character_lstm(length):
    return lstm_vae(
        CHARACTERS, None, 500, 100, keep_rate=0.8, layer_norm=True, initial_range=0.1
    )


def _equal_hybrid(length):
    """The hybrid with about as many parameters as the LSTM VAE."""

    def parameters(units):
        return hybrid_vae(CHARACTERS, length, units=units).count_params()

    sizes = range(4, 1000, 4)
    lstm_parameters = _character_lstm(length).count_params()
    units = sizes[bisect.bisect(sizes, lstm_parameters, key=parameters)]
    return hybrid_vae(CHARACTERS, length, units=units)


# Name -> the model of texts of a length; of words, and those of Semeniuta et al. 2017
# at the authors' sizes.
MODELS = {
    "lstm": _lstm,
    "feedforward": lambda length: feedforward_vae(CHARACTERS, length),
    "hybrid": lambda length: hybrid_vae(CHARACTERS, length),
    "equal_hybrid": _equal_hybrid,
    "character_lstm": _character_lstm,
    "bytenet": lambda length: bytenet_vae(CHARACTERS, length, block="highway"),
}
