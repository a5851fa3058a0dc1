"""Words, subwords or bytes: which pieces describe raw text best, at equal time?

    python benchmarks/levels.py --data=DIR/tatoeba/eng --pieces=subwords-8000
    python benchmarks/levels.py --data=DIR/tatoeba/deu --pieces=bytes --minutes=30

Trains the recipe `short-texts` on one thread for --minutes of CPU, at a rate that falls
in a straight line to nothing over their second half, and prints a row of Markdown: bits
a byte of the test texts under the bound, what of them unknown words are charged, bound
and KL in nats a text, the share of 1,000 texts that come back exactly, and passes over
the corpus; then reconstructions and samples, the first ones. Texts of more than --bytes
bytes are left out at every level, so that all are judged by the same texts.
"""

import itertools
import os
import pathlib
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from absl import app, flags

from keras_textvae import Text, TextSpace, corpora, evaluation, prepare, zoo

PIECES = {
    "words": {"level": "words", "vocabulary": 10_000},
    "punctuation": {"level": "words", "vocabulary": 10_000, "split": "punctuation"},
    "subwords-4000": {"level": "subwords", "vocabulary": 4_000},
    "subwords-8000": {"level": "subwords", "vocabulary": 8_000},
    "subwords-14000": {"level": "subwords", "vocabulary": 14_000},
    "subwords-16000": {"level": "subwords", "vocabulary": 16_000},
    "bytes": {"level": "bytes"},
}
SAMPLES = 10

FLAGS = flags.FLAGS
flags.DEFINE_string("data", None, "folder of train, valid and test", required=True)
flags.DEFINE_enum("pieces", "subwords-8000", PIECES, "what texts are cut into")
flags.DEFINE_float("minutes", 30.0, "of CPU that training may take")
flags.DEFINE_integer("bytes", 100, "longest text")
flags.DEFINE_integer("exact", 1000, "test texts that are to come back exactly")
flags.DEFINE_float("rate", None, "learning rate; that of the recipe by default")
flags.DEFINE_string("precision", "mixed_bfloat16", "Keras's precision policy")
flags.DEFINE_string("save", None, "folder for the trained space")


class Budget(keras.callbacks.Callback):
    """Ends training after some CPU seconds, to which the rate has fallen to nothing.

    Args:
        seconds: of CPU, of all threads.
        rate: the learning rate until half of them are gone.
    """

    def __init__(self, seconds: float, rate: float):
        super().__init__()
        self.seconds = seconds
        self.rate = rate
        self.steps = 0

    def on_train_begin(self, logs=None):
        self.started = time.process_time()

    def on_train_batch_begin(self, batch, logs=None):
        share = (time.process_time() - self.started) / self.seconds
        self.model.optimizer.learning_rate = self.rate * min(1, max(0, 2 - 2 * share))

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if time.process_time() - self.started >= self.seconds:
            self.model.stop_training = True


def main(argv):
    del argv
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    recipe = zoo.recipe("short-texts")
    with tempfile.TemporaryDirectory() as folder:
        texts = short_texts(pathlib.Path(folder))
        text = Text(**PIECES[FLAGS.pieces], length=FLAGS.bytes, too_long="drop")
        corpus = prepare(corpora.load(folder), text, os.path.join(folder, "prepared"))
        space, passes = trained(recipe, corpus)
    if FLAGS.save:
        space.save(FLAGS.save)
    report(space, texts, passes)


def short_texts(folder) -> list[str]:
    """Writes what of the corpus is short enough, and returns the test texts of it."""
    files = corpora.load(FLAGS.data)
    for split in corpora.SPLITS:
        texts = corpora.read_texts(getattr(files, split))
        lines = [text for text in texts if len(text.encode()) <= FLAGS.bytes]
        (folder / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lines


def trained(recipe, corpus) -> tuple[TextSpace, float]:
    """Returns the trained space, and how often it has seen the corpus."""
    rate = FLAGS.rate or recipe.training.learning_rate
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(FLAGS.precision)
    model = recipe.build_model(corpus.vocabulary_size, corpus.length)
    keras.config.set_dtype_policy("float32")
    model.compile(optimizer=recipe.training.build_optimizer())
    batches = corpus.train.batches(recipe.data.batch_size, shuffle=True)
    budget = Budget(60 * FLAGS.minutes, rate)
    model.fit(
        batches, epochs=1000, verbose=2, callbacks=[recipe.terms.weighing(), budget]
    )
    return TextSpace(model, corpus.codec), budget.steps / len(batches)


def report(space, texts, passes):
    """Prints what the docs have of a space."""
    bits = evaluation.bits_per_byte(space, texts)
    score = space.score(texts)
    tried = texts[: FLAGS.exact]
    rebuilt = space.reconstruct(tried)
    exact = sum(map(str.__eq__, tried, rebuilt)) / len(tried)
    unknown = float(score.unknown.sum()) / max(1, sum(len(t.split()) for t in texts))
    print(
        f"| {FLAGS.pieces} | {bits.bits:.3f} | {bits.charged:.3f} | "
        f"{score.bound.mean():.2f} | {score.kl.mean():.2f} | {100 * exact:.1f} % | "
        f"{passes:.1f} |  unknown {unknown:.4f}, {bits.size:,} bytes"
    )
    for text, again in itertools.islice(zip(tried, rebuilt, strict=True), SAMPLES):
        print(f"    {text}\n    -> {again}")
    for text in space.sample(SAMPLES, temperature=0.0):
        print(f"    {text}")


if __name__ == "__main__":
    app.run(main)
