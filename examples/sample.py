r"""Draws sentences from the prior of a trained model.

    python examples/sample.py --run_dir=runs/hybrid-grammar --count=10
    python examples/sample.py --run_dir=runs/hybrid-grammar --temperature=0.8 \
        --top_p=0.95

The same seed draws the same sentences.
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from absl import app, flags

import keras_textvae

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    flags.DEFINE_string("run_dir", None, "run folder, or folder of a text space")
    flags.DEFINE_integer("count", 10, "how many sentences")
    flags.DEFINE_integer("seed", 0, "of the first sentence; each next one has the next")
    flags.DEFINE_float("temperature", 1.0, "below 1, closer to the likeliest; 0 greedy")
    flags.DEFINE_integer("top_k", 0, "only from the k likeliest words; 0 is off")
    flags.DEFINE_float("top_p", 1.0, "only from the likeliest words of this sum")


def parse_flags(argv):
    try:
        return FLAGS(argv)
    except flags.Error as error:
        sys.exit(_usage_error(error))


def main(argv):
    try:
        if len(argv) > 1 or not FLAGS.run_dir:
            raise ValueError("--run_dir is needed, and no argument without a name.")
        space = keras_textvae.open_space(FLAGS.run_dir)
        texts = space.sample(
            FLAGS.count, FLAGS.seed, FLAGS.temperature, FLAGS.top_k, FLAGS.top_p
        )
    except (OSError, ValueError) as error:
        sys.exit(_usage_error(error))
    print(*texts, sep="\n")


def _usage_error(error):
    print(f"sample.py: {str(error).splitlines()[0]}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    define_flags()
    app.run(main, flags_parser=parse_flags)
