r"""Turns a corpus into ids, once, as `train.py` does if that is not done yet.

    python examples/prepare.py --recipe=bowman2016-ptb --data_dir=DIR
    python examples/prepare.py --recipe=bowman2016-ptb --data_dir=DIR --prepared=FOLDER
    python examples/prepare.py --train_files=reviews.csv --text_column=review

The folder is all that `train.py --prepared=FOLDER` needs: copied to a machine with a
GPU, it is trained there by KERAS_BACKEND=jax, without TensorFlow.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    from examples import corpus_flags, recipe_flags
    from keras_textvae import prepare
    from keras_textvae.training import console

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command begins again"


def define_flags():
    recipe_flags.define()


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    recipe = recipe_flags.recipe()
    files = corpus_flags.files(recipe.data.corpus)
    corpus = prepare(files, recipe.text, FLAGS.prepared)
    console.describe_corpus(corpus)
    print(f"prepared corpus: {corpus.folder}")


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED, command_line.BACKENDS)
