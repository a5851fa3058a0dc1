"""What callbacks are tested with: as little of a model as they use, and ids."""

import types

import keras
import numpy as np

from keras_textvae.tokens import BOS, EOS, FIRST_WORD

V = 12
IDS = np.random.default_rng(0).integers(FIRST_WORD, V, (14, 4)).astype("int32")
IDS[:, 0], IDS[:, -1] = BOS, EOS


def fake_model():
    """What the callbacks use of a model, and nothing to compute."""
    return types.SimpleNamespace(
        kl_weight=keras.Variable(1.0),
        optimizer=keras.optimizers.Adam(0.8),
        stop_training=False,
    )
