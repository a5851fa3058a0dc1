"""TensorFlow without graphs: to trace one takes longer than to run it a few times."""

import contextlib
import warnings

import tensorflow as tf


@contextlib.contextmanager
def step_by_step():
    """Runs graph functions operation by operation; a block, or a test's decorator."""
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            # Those of tf.data stay graphs, which it would say each time.
            warnings.filterwarnings("ignore", "Even though the `tf.config")
            yield
    finally:
        tf.config.run_functions_eagerly(False)
