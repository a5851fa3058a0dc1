"""Initial values of weights."""

import keras

# An initializer, or the name or the configuration of one.
Initializer = keras.initializers.Initializer | str | dict


def own_initializer(initializer: Initializer | None, default: str) -> Initializer:
    """Returns an initializer that draws numbers of its own; `default` for None.

    Keras's initializers choose their seed when they are made: shared between weights,
    one would start all of them with the same numbers.
    """
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.clone()
    return initializer or default


def dense(
    units: int,
    initializer: Initializer | None,
    dtype: str | keras.DTypePolicy,
    **kwargs,
) -> keras.layers.Dense:
    """Returns a `Dense` with one initializer for kernel and bias, None for its own."""
    return keras.layers.Dense(
        units,
        kernel_initializer=own_initializer(initializer, "glorot_uniform"),
        bias_initializer=own_initializer(initializer, "zeros"),
        dtype=dtype,
        **kwargs,
    )
