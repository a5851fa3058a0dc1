"""The normalisations that convolutional models use."""

import keras

NORMALIZATIONS = ("layer", "batch")

# Semeniuta et al. 2017, the authors' code.
_EPSILON = 1e-4
_MOMENTUM = 0.9


def normalization(kind: str, dtype: str | keras.DTypePolicy) -> keras.layers.Layer:
    """Returns a new layer that normalises feature maps [B, T, C].

    Batch normalisation uses its moving averages outside training. In training it
    looks at all positions, later ones too, and at the rows of all devices; layer
    normalisation never does.

    Args:
        kind: "layer", over the maps of one position, or "batch", of each map over batch
            and time.
        dtype: the layer's policy.

    Raises:
        ValueError: for another kind.
    """
    if kind == "layer":
        return keras.layers.LayerNormalization(epsilon=_EPSILON, dtype=dtype)
    if kind == "batch":
        return batch_normalization(dtype, momentum=_MOMENTUM, epsilon=_EPSILON)
    raise ValueError(
        f"A normalization is one of {', '.join(NORMALIZATIONS)}. Received: {kind!r}"
    )


def batch_normalization(dtype: "keras.DTypePolicy | str", **options):
    """Returns Keras's layer, whose batch is that of all devices.

    Args:
        dtype: the layer's policy.
        options: of `keras.layers.BatchNormalization`.
    """
    # On JAX a batch is one array, however many devices hold it.
    synchronized = keras.backend.backend() == "tensorflow"
    return keras.layers.BatchNormalization(
        synchronized=synchronized, dtype=dtype, **options
    )
