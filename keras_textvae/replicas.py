"""The replicas of TensorFlow's strategies: which rows of a batch are a device's own.

`tf.distribute` gives every replica an equal slice of a batch, but for the last ones,
which may have fewer rows or none. Elsewhere, and on other backends, all rows are one
replica's.

B: rows of this replica. R: replicas.
"""

import functools
from typing import TYPE_CHECKING

import keras
from keras import ops

if TYPE_CHECKING:
    import tensorflow as tf


def devices() -> tuple[str, ...]:
    """Returns the names of the GPUs that TensorFlow has, or else of the processors."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    return tuple(d.name for d in gpus or tf.config.list_logical_devices("CPU"))


@functools.cache  # two strategies of the same devices would meet in each other's sums
def strategy(devices: tuple[str, ...]) -> "tf.distribute.Strategy":
    """Returns what has models made in its scope trained by a replica on each device."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(devices)


def rows_before(rows):
    """Returns the rows of the batch that lie before this replica's, an int or int32 [].

    Args:
        rows: B, the number of this replica's own rows.
    """
    context = _context()
    if context is None:
        return 0
    number, count = context.replica_id_in_sync_group, context.num_replicas_in_sync
    own = rows * ops.cast(ops.one_hot(number, count), "int32")
    return number * ops.max(total_of_all(own))


def share_of(rows):
    """Returns R times this replica's share of the batch's rows, 1 for equal slices.

    The mean over replicas of means over their rows, each times this, is the mean over
    all rows.

    Args:
        rows: B, the number of this replica's own rows.
    """
    context = _context()
    if context is None:
        return 1.0
    total = ops.cast(total_of_all(rows), "float32")
    return ops.cast(context.num_replicas_in_sync * rows, "float32") / total


def mean_of_all(values):  # float [B] -> []
    """Returns the mean over the rows of all replicas."""
    if _context() is None:
        return ops.mean(values)
    count = ops.cast(total_of_all(ops.shape(values)[0]), values.dtype)
    return total_of_all(ops.sum(values)) / count


def total_of_all(values):
    """Returns the sum of a tensor, or of a list of them, over all replicas."""
    context = _context()
    if context is None:
        return values
    import tensorflow as tf

    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def _context():
    """Returns the replica's context, or None for the only one."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context and context.num_replicas_in_sync > 1 else None
