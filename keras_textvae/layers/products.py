"""Matrix products over all rows of an array at once, however many axes they stand in.

I, J: sizes of the last axes.

TensorFlow merges the axes before it multiplies: its own products of three axes are as
many as there are sentences, also in the gradient. Other backends must not: where devices
share a batch, time and rows merged into one axis are shared by none, and each device
would compute them all.
"""

import keras
from keras import ops


def by_matrix(x, matrix):  # [..., I], [I, J] -> [..., J]
    """Returns the product of every row with a matrix."""
    if keras.backend.backend() != "tensorflow":
        return ops.matmul(x, matrix)
    product = ops.matmul(_merged(x), matrix)
    return ops.reshape(product, (*ops.shape(x)[:-1], matrix.shape[-1]))


def summed_outer(x, y):  # [..., I], [..., J] -> [I, J]
    """Returns the sum of x y^T over all rows."""
    if keras.backend.backend() != "tensorflow":
        axes = tuple(range(len(x.shape) - 1))
        return ops.tensordot(x, y, axes=(axes, axes))
    return ops.matmul(ops.transpose(_merged(x)), _merged(y))


def _merged(x):
    return ops.reshape(x, (-1, x.shape[-1]))
