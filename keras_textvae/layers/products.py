"""Matrix products over all rows of an array at once, however many axes they stand in.

I, J: sizes of the last axes.

For TensorFlow the axes are merged first: its own product of three axes is as many as
there are sentences, also in the gradient. On JAX they must not be: where devices share
a batch, time and rows merged into one axis are shared by none, and each device would
compute them all.
"""

import keras
from keras import ops


def by_matrix(x, kernel):  # [..., I], [I, J] -> [..., J]
    """Returns the product of every row with a matrix."""
    if keras.backend.backend() != "tensorflow":
        return ops.matmul(x, kernel)
    product = ops.matmul(_merged(x), kernel)
    return ops.reshape(product, (*ops.shape(x)[:-1], kernel.shape[-1]))


def summed_outer(x, y):  # [..., I], [..., J] -> [I, J]
    """Returns the sum of x y^T over all rows."""
    if keras.backend.backend() != "tensorflow":
        axes = tuple(range(len(x.shape) - 1))
        return ops.tensordot(x, y, axes=(axes, axes))
    return ops.matmul(ops.transpose(_merged(x)), _merged(y))


def _merged(x):
    return ops.reshape(x, (-1, x.shape[-1]))
