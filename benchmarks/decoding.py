"""How fast is decoding?

    python benchmarks/decoding.py --temperature=0

Greedy at temperature 0, sampling above it. 1,000 sentences of 60 tokens, LSTM 256,
embedding 256, z 32, vocabulary 10,000, one thread, CPU seconds. `<eos>` is forbidden,
so that every sentence has all its tokens.
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from absl import app, flags

from keras_textvae import lstm_vae, samplers
from keras_textvae.generation import generate
from keras_textvae.tokens import EOS, UNK

FLAGS = flags.FLAGS
flags.DEFINE_integer("sentences", 1000, "sentences in a batch")
flags.DEFINE_integer("length", 60, "tokens of each")
flags.DEFINE_float("temperature", 0.0, "0 decodes greedily")
flags.DEFINE_integer("runs", 5, "runs that count")


def main(argv):
    del argv
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    model = lstm_vae(10_000, 256, 256, 32)
    model(tf.ones([1, 4], tf.int32))
    z = tf.random.normal([FLAGS.sentences, 32])
    noise = 1.0 - tf.random.uniform([FLAGS.sentences, FLAGS.length])
    sampler = samplers.categorical(FLAGS.temperature)

    @tf.function(autograph=False)
    def decode(z):
        return generate(model.decoder, z, FLAGS.length, sampler, noise, (UNK, EOS))

    decode(z)
    seconds = []
    for _ in range(FLAGS.runs):
        started = time.process_time()
        ids = decode(z).numpy()
        seconds.append(time.process_time() - started)
    median = statistics.median(seconds)
    print(
        f"{ids.shape[0]:,} x {ids.shape[1]} tokens: {median:.2f} CPU s, "
        f"{ids.size / median:,.0f} tokens per CPU second"
    )


if __name__ == "__main__":
    app.run(main)
