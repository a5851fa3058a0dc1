r"""Draws sentences from the prior of a trained model.

    python examples/sample.py --run_dir=runs/hybrid-grammar --count=10
    python examples/sample.py --run_dir=runs/hybrid-grammar --temperature=0.8 \
        --top_p=0.95

The same seed draws the same sentences.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    import keras_textvae

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    flags.DEFINE_string("run_dir", None, "run or text space; must be given")
    flags.DEFINE_integer("count", 10, "how many sentences", 1)
    flags.DEFINE_integer("seed", 0, "of the first sentence; each next one has the next")
    flags.DEFINE_float("temperature", 1.0, "below 1, closer to the likeliest; 0 greedy")
    flags.DEFINE_integer("top_k", 0, "only from the k likeliest words; 0 is off")
    flags.DEFINE_float("top_p", 1.0, "only from the likeliest words of this sum")


def main(argv):
    if len(argv) > 1 or not FLAGS.run_dir:
        raise ValueError("--run_dir is needed, and no argument without a name.")
    space = keras_textvae.open_space(FLAGS.run_dir)
    texts = space.sample(
        FLAGS.count, FLAGS.seed, FLAGS.temperature, FLAGS.top_k, FLAGS.top_p
    )
    print(*texts, sep="\n")


if __name__ == "__main__":
    run(main, define_flags)
