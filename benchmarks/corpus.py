"""How fast is a corpus prepared, opened and batched, and in how much memory?

    python benchmarks/corpus.py --lines=200000
    python benchmarks/corpus.py --lines=10000000 --level=subwords

Prepares that many lines of the built-in grammar, made anew in a temporary folder, opens
them again, makes batches of 32 sentences on one core, and trains a small LSTM VAE for
--steps steps. Prints the most memory that the process has held after each.
"""

import os
import resource
import tempfile
import time

from absl import app, flags

from keras_textvae import Text, corpora, grammar, lstm_vae, prepare

TEXTS = {
    "words": Text("words", length=41),
    "subwords": Text("subwords", length=None, too_long="drop"),
    "bytes": Text("bytes", length=None, too_long="drop"),
}

FLAGS = flags.FLAGS
flags.DEFINE_integer("lines", 200_000, "lines of the training file")
flags.DEFINE_integer("batches", 4000, "batches that are timed")
flags.DEFINE_integer("steps", 200, "training steps")
flags.DEFINE_enum("level", "words", [*TEXTS], "what texts are cut into")


def main(argv):
    del argv
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{split}.txt") for split in ("train", "valid")]
        for path, lines in zip(paths, (FLAGS.lines, 100), strict=True):
            write_lines(path, lines)
        megabytes = os.path.getsize(paths[0]) / 1e6
        print(f"{FLAGS.lines:,} lines, {megabytes:.0f} MB")
        files, prepared = corpora.from_files(*paths), os.path.join(folder, "prepared")
        text = TEXTS[FLAGS.level]
        seconds = timed("prepared", lambda: prepare(files, text, prepared))
        print(f"  {FLAGS.lines / seconds:,.0f} lines a second")
        timed("opened again", lambda: prepare(files, text, prepared))
        corpus = prepare(files, text, prepared)
        batches = corpus.train.batches(32, shuffle=True)
        timed("first batch", lambda: batches.batch(0))
        count = min(FLAGS.batches, len(batches))
        started = time.process_time()
        for step in range(count):
            batches.batch(step)
        rate = count / (time.process_time() - started)
        print(f"  {rate:,.0f} batches a second of one core")
        model = lstm_vae(corpus.vocabulary_size, 64, 64, 16)
        model.compile("adam")
        some = corpus.train.batches(32, shuffle=True, steps=FLAGS.steps)
        timed(f"{FLAGS.steps} training steps", lambda: model.fit(some, verbose=0))


def timed(what, compute) -> float:
    """Calls a function, and prints and returns how long it took."""
    started = time.monotonic()
    compute()
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.2f} s, {peak:,.0f} MB", flush=True)
    return seconds


def write_lines(path, lines):
    """Writes sentences of the grammar, 50,000 again and again, with another number."""
    texts = [example.text for example in grammar.generate(min(lines, 50_000), seed=0)]
    with open(path, "w", encoding="utf-8") as file:
        for number, start in enumerate(range(0, lines, len(texts))):
            some = texts[: lines - start]
            file.writelines(f"{text} {number}\n" for text in some)


if __name__ == "__main__":
    app.run(main)
