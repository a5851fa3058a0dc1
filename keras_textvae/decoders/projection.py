"""Projections of a decoder's inputs and outputs.

B: batch size. T: time. H: hidden size. V: vocabulary size.
"""

import keras
from keras import ops

from keras_textvae.layers import own_initializer


def one_hot_rows(vocabulary_size, size, initializer, dtype):
    """Returns the rows of a kernel [V, size] that a one-hot id selects, a layer."""
    return keras.layers.Embedding(
        vocabulary_size,
        size,
        embeddings_initializer=own_initializer(initializer, "uniform"),
        dtype=dtype,
    )


def project_rows(projection, x):
    """Applies `projection` to x [B, T, H] as one matrix product -> [B, T, V]."""
    batch, time = ops.shape(x)[:2]
    rows = projection(ops.reshape(x, (-1, x.shape[-1])))
    return ops.reshape(rows, (batch, time, rows.shape[-1]))
