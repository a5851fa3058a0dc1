"""How many sentences a second does imputation complete?

    python benchmarks/imputation.py
    python benchmarks/imputation.py --model=rnnlm --precision=mixed_bfloat16

Sentences of --words words read from right to left, the last fifth hidden, so that the
search begins with them (Bowman et al. 2016, section 5): 3 steps of 5 beams of the VAE,
15 beams of the language model, at the paper's 512 units and a vocabulary of 20,000.
Sentences per CPU second, together and one at a time, after a warm-up: where nothing
else runs, two cores complete twice as many by the clock.
"""

import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from keras_textvae import imputation, lstm_vae, rnnlm
from keras_textvae.tokens import BOS, EOS, FIRST_WORD

VOCABULARY, UNITS = 20_000, 512
# Beams, and steps.
SEARCHES = {"vae": (5, 3), "rnnlm": (15, 1)}

FLAGS = flags.FLAGS
flags.DEFINE_enum("model", "vae", [*SEARCHES], "what completes")
policies = ["float32", "mixed_bfloat16", "mixed_float16"]
flags.DEFINE_enum("precision", "float32", policies, "Keras's precision policy")
flags.DEFINE_integer("words", 15, "of a sentence")
flags.DEFINE_integer("sentences", 128, "completed together")


def main(argv):
    del argv
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(FLAGS.precision)
    sizes = VOCABULARY, UNITS, UNITS
    if FLAGS.model == "vae":
        model = lstm_vae(*sizes, latent_dim=32, z_every_step=True, tied=True)
    else:
        model = rnnlm(*sizes, tied=True)
    width, steps = SEARCHES[FLAGS.model]
    ids, hidden = sentences()
    spec = [tf.TensorSpec([None, None], dtype) for dtype in (tf.int32, tf.bool)]
    complete = tf.function(
        lambda ids, hidden: imputation.impute(model, ids, hidden, width, steps).ids,
        input_signature=spec,
    )
    together = rate(complete, ids, hidden)
    alone = rate(complete, ids[:1], hidden[:1])
    print(
        f"{FLAGS.model} {FLAGS.precision}, {FLAGS.words} words: {together:.1f} "
        f"sentences per CPU second, {len(ids)} together; {alone:.1f} one at a time "
        f"({together / alone:.1f} times)"
    )


def sentences():
    """Returns random sentences from right to left, and which words are hidden."""
    rng = np.random.default_rng(0)
    shape = FLAGS.sentences, FLAGS.words + 2
    ids = rng.integers(FIRST_WORD, VOCABULARY, shape, dtype="int32")
    ids[:, 0], ids[:, -1] = BOS, EOS
    hidden = np.zeros(shape, bool)
    hidden[:, 1 : 1 + max(1, FLAGS.words // 5)] = True
    return ids, hidden


def rate(complete, ids, hidden) -> float:
    """Returns sentences per CPU second, over at least five."""
    complete(ids, hidden)
    count, started = 0, time.process_time()
    while time.process_time() - started < 5.0:
        complete(ids, hidden)
        count += len(ids)
    return count / (time.process_time() - started)


if __name__ == "__main__":
    app.run(main)
