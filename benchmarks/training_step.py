"""How fast is a training step, and what share of the machine does it reach?

    python benchmarks/training_step.py --model=lstm
    python benchmarks/training_step.py --model=hybrid --precision=mixed_bfloat16

One thread, CPU seconds of the step (forward, backward, Adam), median over --steps after
a warm-up. `plain_keras` is the LSTM VAE as one would write it from Keras's own layers;
`lstm` is ours at the same sizes. The others are the character models of Semeniuta et
al. 2017 at the authors' sizes. The peak is a float32 matrix product of 2048 x 2048,
measured in the same process.
"""

import os
import pathlib
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags
from keras import ops

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks.models import CHARACTERS, MODELS, VOCABULARY

BATCH, TOKENS = 32, 22  # of words, as a PTB batch
CROPS = 64  # of characters

FLAGS = flags.FLAGS
flags.DEFINE_enum("model", "lstm", ["plain_keras", *MODELS], "what to train")
flags.DEFINE_enum("optimizer", "adam", ["adam", "sgd"], "optimizer")
flags.DEFINE_enum(
    "precision",
    "float32",
    ["float32", "mixed_bfloat16", "mixed_float16"],
    "Keras's precision policy",
)
flags.DEFINE_integer("length", 60, "of the crops of character models")
flags.DEFINE_integer("steps", 30, "steps that count")
flags.DEFINE_integer("threads", 1, "of TensorFlow's operations")


class PlainKeras(keras.Model):
    """The LSTM VAE of `lstm`'s sizes from Keras's own layers."""

    def __init__(self):
        super().__init__()
        layers = keras.layers
        self.source = layers.Embedding(VOCABULARY, 256)
        self.encoder = layers.LSTM(256)
        self.posterior = layers.Dense(64)
        self.initial = layers.Dense(512, activation="tanh")
        self.target = layers.Embedding(VOCABULARY, 256)
        self.decoder = layers.LSTM(256, return_sequences=True)
        self.output_projection = layers.Dense(VOCABULARY)

    def call(self, ids):
        features = self.encoder(self.source(ids))
        mean, log_var = ops.split(self.posterior(features), 2, axis=-1)
        noise = keras.random.normal(ops.shape(mean))
        z = mean + ops.exp(0.5 * log_var) * noise
        state = ops.split(self.initial(z), 2, axis=-1)
        hidden = self.decoder(self.target(ids[:, :-1]), initial_state=state)
        kl = 0.5 * ops.sum(ops.exp(log_var) + mean**2 - 1.0 - log_var, axis=-1)
        return self.output_projection(hidden), kl

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        logits, kl = y_pred
        nll = ops.sparse_categorical_crossentropy(x[:, 1:], logits, from_logits=True)
        return ops.mean(ops.sum(nll, axis=-1) + kl)


class StepTimes(keras.callbacks.Callback):
    """Notes the CPU seconds of every step."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_train_batch_begin(self, batch, logs=None):
        self.started = time.process_time()

    def on_train_batch_end(self, batch, logs=None):
        self.seconds.append(time.process_time() - self.started)


def main(argv):
    del argv
    tf.config.threading.set_intra_op_parallelism_threads(FLAGS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(FLAGS.threads)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(FLAGS.precision)
    model, ids = build()
    rate = keras.optimizers.Adam() if FLAGS.optimizer == "adam" else "sgd"
    model.compile(optimizer=rate)
    data = tf.data.Dataset.from_tensors(ids).repeat()
    times = StepTimes()
    warm_up = 5
    steps = warm_up + FLAGS.steps
    model.fit(data, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[times])
    seconds = statistics.median(times.seconds[warm_up:])
    tokens = ids.shape[0] * (ids.shape[1] - 1)
    reached, peak = work(model) / seconds / 1e9, matrix_product_peak() / 1e9
    print(
        f"{FLAGS.model} {FLAGS.precision} {FLAGS.optimizer}: "
        f"{model.count_params():,} parameters, "
        f"{seconds * 1e3:.0f} ms of CPU a step, {tokens / seconds:,.0f} tokens per CPU "
        f"second, {reached:.0f} of {peak:.0f} GFLOP/s ({reached / peak:.0%})"
    )


def build():
    """Returns the model and one batch of ids without padding."""
    rng = np.random.default_rng(0)
    if FLAGS.model in ("lstm", "plain_keras"):
        ids = rng.integers(4, VOCABULARY, (BATCH, TOKENS + 1), dtype="int32")
    else:
        ids = rng.integers(4, CHARACTERS, (CROPS, FLAGS.length + 1), dtype="int32")
    ids[:, 0] = 1
    plain = FLAGS.model == "plain_keras"
    return PlainKeras() if plain else MODELS[FLAGS.model](FLAGS.length), ids


def work(model) -> float:
    """Floating-point operations of a step's matrix products, forward and backward."""
    if FLAGS.model in ("lstm", "plain_keras"):
        rows = BATCH * TOKENS
        lstm = rows * (256 + 256) * 1024
        return 3 * 2 * (2 * lstm + rows * 256 * VOCABULARY)
    rows = CROPS * FLAGS.length
    if FLAGS.model == "character_lstm":
        return 3 * 2 * rows * (2 * 500 * 2000 + 500 * CHARACTERS)
    quarter = CROPS * FLAGS.length // 4
    deconvolutions = quarter * 3 * (256 * 128 + 2 * 128 * 200)
    convolutions = quarter * 3 * 128 * 256
    dense = quarter * 256 * 3 * (100 if FLAGS.model == "feedforward" else 50)
    units = getattr(model.decoder, "units", 0)
    decoder = {
        "feedforward": 0,
        "hybrid": (200 + units) * 4 * units + units * CHARACTERS,
        "bytenet": 200 * 512 + 3 * 512 * 768 + 256 * CHARACTERS,
    }[FLAGS.model.removeprefix("equal_")]
    outputs = rows * (decoder + 200 * CHARACTERS)
    return 3 * 2 * (convolutions + deconvolutions + dense + outputs)


def matrix_product_peak() -> float:
    """Floating-point operations per CPU second of a large float32 product."""
    size = 2048
    a = tf.random.normal([size, size])
    seconds = []
    for _ in range(7):
        started = time.process_time()
        tf.linalg.matmul(a, a).numpy()
        seconds.append(time.process_time() - started)
    return 2 * size**3 / statistics.median(seconds[2:])


if __name__ == "__main__":
    app.run(main)
