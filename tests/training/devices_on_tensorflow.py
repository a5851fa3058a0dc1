"""Prints the rows of a run on one device, and on two of TensorFlow's.

A process of its own, as a process has one processor once TensorFlow has begun.
"""

import json
import sys

import tensorflow as tf

from keras_textvae import PreparedCorpus, Run, zoo

SMALL = {
    "units": 4,
    "latent_dim": 2,
    "channels": (4, 6),
    "features": 4,
    "convolution_norm": "batch",
    "vocabulary": 40,
    "length": 15,
    "bucket_width": 16,
    "batch_size": 8,
    "steps_per_epoch": 3,
    "epochs": 1,
}


def main(ids, folder):
    processor, *_ = tf.config.list_physical_devices("CPU")
    devices = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, devices)
    corpus, rows = PreparedCorpus(ids), {}
    for count in (1, 2):
        recipe = zoo.recipe("hybrid-grammar").replace(**SMALL)
        run = Run(f"{folder}/{count}", recipe, corpus, devices=count)
        run.train(verbose=0)
        rows[count] = run.history.rows
    # One device goes on with what two have begun.
    run = Run.resume(f"{folder}/2", devices=1, epochs=2)
    run.train(verbose=0)
    print(json.dumps(rows | {"epochs": len(run.history.rows)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
