"""What does a training step of a large vocabulary take, its loss in chunks or not?

    python benchmarks/large_vocabulary.py --vocabulary=32000 --chunked_loss
    python benchmarks/large_vocabulary.py --vocabulary=32000 --nochunked_loss

An LSTM VAE of tied embeddings and Adam, sentences without padding. CPU seconds of a
step on one thread, median over --steps after the first, and the most memory that the
process had, TensorFlow's own some 800 MB included.
"""

import os
import pathlib
import resource
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from keras_textvae import lstm_vae
from keras_textvae.tokens import BOS, FIRST_WORD

FLAGS = flags.FLAGS
flags.DEFINE_bool("chunked_loss", True, "have a part of the logits in memory at once")
flags.DEFINE_integer("vocabulary", 32_000, "ids")
flags.DEFINE_integer("batch", 256, "sentences")
flags.DEFINE_integer("length", 32, "ids predicted a sentence")
flags.DEFINE_integer("units", 256, "of LSTMs and embeddings")
flags.DEFINE_enum(
    "precision", "float32", ["float32", "mixed_bfloat16"], "Keras's precision policy"
)
flags.DEFINE_integer("steps", 10, "steps that count")


def main(argv):
    del argv
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(FLAGS.precision)
    model = lstm_vae(
        FLAGS.vocabulary,
        embedding_dim=FLAGS.units,
        units=FLAGS.units,
        latent_dim=64,
        tied=True,
        chunked_loss=FLAGS.chunked_loss,
    )
    model.compile(optimizer="adam")
    rng = np.random.default_rng(0)
    shape = FLAGS.batch, FLAGS.length + 1
    ids = rng.integers(FIRST_WORD, FLAGS.vocabulary, shape, dtype="int32")
    ids[:, 0] = BOS
    seconds = []
    for _ in range(1 + FLAGS.steps):
        started = time.process_time()
        model.train_on_batch(ids)
        seconds.append(time.process_time() - started)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"vocabulary {FLAGS.vocabulary:,}, {FLAGS.batch} x {FLAGS.length}, "
        f"{FLAGS.precision}, {'in chunks' if FLAGS.chunked_loss else 'at once'}: "
        f"{statistics.median(seconds[1:]) * 1e3:.0f} ms of CPU a step, "
        f"{memory:.2f} GB"
    )


if __name__ == "__main__":
    app.run(main)
