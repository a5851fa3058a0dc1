"""Random numbers for the rows of a batch, the same however many devices share it.

B: batch size, of this device.
"""

import keras

from keras_textvae.replicas import rows_before


def standard_normal(shape: tuple, seed: keras.random.SeedGenerator):
    """Returns float32 numbers of a shape [B, ...], see `keras.random.normal`.

    Args:
        shape: of the result; those of the rows before this device's are drawn too.
        seed: `keras.random.SeedGenerator`.
    """
    return _own_rows(keras.random.normal, shape, seed)


def uniform(shape: tuple, seed: keras.random.SeedGenerator):
    """Returns float32 numbers in [0, 1), see `keras.random.uniform`.

    Args:
        shape, seed: see `standard_normal`.
    """
    return _own_rows(keras.random.uniform, shape, seed)


def _own_rows(draw, shape, seed):
    before = rows_before(shape[0])
    numbers = draw((before + shape[0], *shape[1:]), dtype="float32", seed=seed)
    return numbers[before:]
