"""Does training on a large file take more memory than on a small one?

    python benchmarks/memory.py --lines=50000
    python benchmarks/memory.py --lines=1000000

Trains a small LSTM VAE for --steps on that many lines of the built-in grammar, made
anew in a temporary folder, and prints the most memory that the process ever held.
"""

import os
import resource
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import app, flags

from keras_textvae import SentenceBatches, WordTokenizer, grammar, lstm_vae

FLAGS = flags.FLAGS
flags.DEFINE_integer("lines", 50_000, "lines of the training file")
flags.DEFINE_integer("steps", 200, "training steps")


def main(argv):
    del argv
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "train.txt")
        write_lines(path, FLAGS.lines)
        tokenizer = WordTokenizer.learn([path])
        batches = SentenceBatches([path], tokenizer, 32)
        model = lstm_vae(tokenizer.vocabulary_size, 64, 64, 16)
        model.compile("adam")
        steps = min(FLAGS.steps, batches.steps_per_epoch)
        model.fit(batches.from_step(0), steps_per_epoch=steps, shuffle=False, verbose=0)
        count = batches.count()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count.sentences:,} sentences, {count.tokens:,} tokens: {peak:,.0f} MB")


def write_lines(path, lines):
    """Writes sentences of the grammar, the first 50,000 again and again."""
    texts = [example.text for example in grammar.generate(min(lines, 50_000), seed=0)]
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, lines, len(texts)):
            file.writelines(f"{text}\n" for text in texts[: lines - start])


if __name__ == "__main__":
    app.run(main)
