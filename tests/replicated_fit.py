"""Prints the histories of the same training without a strategy, and on replicas.

A process of its own, as a process has one processor once TensorFlow has begun.
"""

import json

import keras
import numpy as np
import tensorflow as tf

from keras_textvae import KLAnnealing, schedules, zoo
from keras_textvae.tokens import BOS, EOS, FIRST_WORD

V, LENGTH = 13, 8


def sentences(count, seed):
    """Ids [B, T] of sentences of several lengths."""
    rng = np.random.default_rng(seed)
    ids = np.zeros((count, LENGTH + 1), "int32")
    ids[:, 0] = BOS
    for row, words in enumerate(rng.integers(1, LENGTH, count)):
        ids[row, 1 : words + 1] = rng.integers(FIRST_WORD, V, words)
        ids[row, words + 1] = EOS
    return ids


def lstm():
    return zoo.lstm_vae(V, 6, 8, 3, keep_rate=0.5)


def hybrid():
    sizes = {"units": 8, "channels": (6, 8), "features": 5}
    return zoo.hybrid_vae(V, LENGTH, 3, keep_rate=0.7, **sizes)


def adam():
    return keras.optimizers.Adam(0.01, global_clipnorm=0.5)


def scaled_adam():
    return keras.optimizers.LossScaleOptimizer(adam(), initial_scale=256.0)


# Name -> model, optimizer, precision policy, and numbers of replicas.
CASES = {
    "lstm": (lstm, adam, "float32", (0, 1, 2)),
    "lstm in mixed_float16": (lstm, scaled_adam, "mixed_float16", (0, 2)),
    "hybrid": (hybrid, adam, "float32", (0, 2)),
}


def fit(strategy, make, optimizer, policy):
    """Trains on two batches of 8 and a smaller one, and validates on unequal slices."""
    keras.config.set_dtype_policy(policy)
    # Of a batch of one row one replica has none, which convolutions do not take.
    ids = sentences(19 if make is hybrid else 17, seed=0)
    valid = sentences(7, seed=1)
    # What replicas are compared with needs no graph, which takes seconds to trace.
    eagerly = not isinstance(strategy, tf.distribute.MirroredStrategy)
    with strategy.scope():
        keras.utils.set_random_seed(3)
        model = make()
        model.compile(optimizer(), run_eagerly=eagerly)
    start = model.get_weights()
    annealing = KLAnnealing(schedules.linear(0, 6))
    options = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    history = model.fit(
        ids, validation_data=(valid,), callbacks=[annealing], **options
    ).history
    # But for the KL weight, which is no array.
    pairs = zip(model.get_weights(), start, strict=True)
    moved = [np.ravel(after - before) for after, before in pairs if np.ndim(after)]
    moved = {"moved": [float(np.linalg.norm(np.concatenate(moved)))]}
    return history | moved | without_finite_gradients(model, ids, options)


def without_finite_gradients(model, ids, options):
    """Trains an epoch more, in which there are none."""
    bias = model.decoder.logits.projection.bias
    bias.assign(np.full(bias.shape, np.nan))
    start = model.get_weights()
    skipped = model.fit(ids, **options | {"epochs": 1}).history["skipped_steps"]
    pairs = zip(model.get_weights(), start, strict=True)
    changed = [not np.array_equal(*pair, equal_nan=True) for pair in pairs]
    return {"skipped": skipped, "changed by skipped steps": [sum(changed)]}


def main():
    processor, *_ = tf.config.list_physical_devices("CPU")
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, devices)
    strategies = [
        tf.distribute.get_strategy(),
        tf.distribute.MirroredStrategy(["CPU:0"]),
        tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
    ]
    histories = {
        name: {replicas: fit(strategies[replicas], *case) for replicas in numbers}
        for name, (*case, numbers) in CASES.items()
    }
    print(json.dumps(histories, default=float))


if __name__ == "__main__":
    main()
