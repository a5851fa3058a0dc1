r"""Walks from one sentence to another through the latent space of a trained model.

    python examples/interpolate.py --run_dir=runs/hybrid-grammar \
        --start='the chef cooked the soup .' --end='a farmer feeds the horse .'

prints the sentences on the line between the two posteriors' means, which begins and
ends with the reconstructions of the two (Bowman et al. 2016, section 6.3).
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
    flags.DEFINE_string("start", None, "sentence at the beginning")
    flags.DEFINE_string("end", None, "sentence at the end")
    flags.DEFINE_integer("steps", 8, "sentences to print, both ends included")


def parse_flags(argv):
    try:
        return FLAGS(argv)
    except flags.Error as error:
        sys.exit(_usage_error(error))


def main(argv):
    try:
        given = FLAGS.run_dir and FLAGS.start is not None and FLAGS.end is not None
        if len(argv) > 1 or not given:
            raise ValueError(
                "--run_dir, --start and --end are needed, and no argument without a "
                "name."
            )
        space = keras_textvae.open_space(FLAGS.run_dir)
        texts = space.interpolate(FLAGS.start, FLAGS.end, FLAGS.steps)
    except (OSError, ValueError) as error:
        sys.exit(_usage_error(error))
    print(*texts, sep="\n")


def _usage_error(error):
    print(f"interpolate.py: {str(error).splitlines()[0]}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    define_flags()
    app.run(main, flags_parser=parse_flags)
