"""How fast is decoding?

    python benchmarks/decoding.py --temperature=0
    python benchmarks/decoding.py --model=bytenet --lengths=64,128,256,512

Greedy at temperature 0, sampling above it. 1,000 texts, one thread, CPU seconds,
medians of --runs. `lstm` has words: LSTM 256, embedding 256, z 32, vocabulary 10,000;
the others are the character models of Semeniuta et al. 2017 at the authors' sizes.
`<eos>` is forbidden, so that every text has all its tokens.
"""

import os
import pathlib
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from benchmarks.models import MODELS
from keras_textvae import samplers
from keras_textvae.generation import generate
from keras_textvae.tokens import EOS, UNK

FLAGS = flags.FLAGS
flags.DEFINE_integer("sentences", 1000, "sentences in a batch")
flags.DEFINE_enum("model", "lstm", [*MODELS], "what decodes")
flags.DEFINE_list("lengths", ["60"], "tokens of each sentence")
flags.DEFINE_float("temperature", 0.0, "0 decodes greedily")
flags.DEFINE_integer("runs", 5, "runs that count")


def main(argv):
    del argv
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for length in FLAGS.lengths:
        measure(int(length))


def measure(length):
    """Prints how long texts of a length take."""
    keras.utils.set_random_seed(0)
    model = MODELS[FLAGS.model](length)
    z = tf.random.normal([FLAGS.sentences, model.latent_dim])
    noise = 1.0 - tf.random.uniform([FLAGS.sentences, length])
    sampler = samplers.categorical(FLAGS.temperature)

    @tf.function(autograph=False)
    def decode(z):
        return generate(model.decoder, z, length, sampler, noise, (UNK, EOS))

    decode(z)
    seconds = []
    for _ in range(FLAGS.runs):
        started = time.process_time()
        ids = decode(z).numpy()
        seconds.append(time.process_time() - started)
    median = statistics.median(seconds)
    print(
        f"{FLAGS.model}, {ids.shape[0]:,} x {ids.shape[1]} tokens: {median:.2f} CPU s, "
        f"{ids.size / median:,.0f} tokens per CPU second"
    )


if __name__ == "__main__":
    app.run(main)
