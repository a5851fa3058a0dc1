r"""Completes sentences whose hidden words are written "_".

    python examples/impute.py --run_dir=runs/hybrid-grammar \
        --text='the chef cooked _ _ .' --text='_ farmer feeds the horse .'

The words are searched in 3 steps of 5 beams, or of a language model in one of 15
(Bowman et al. 2016, section 5). Without --text, one sentence a line of standard input.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    import keras_textvae
    from keras_textvae import corpora

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    flags.DEFINE_string("run_dir", None, "run or text space; must be given")
    flags.DEFINE_multi_string("text", None, "a sentence (default: standard input)")
    flags.DEFINE_integer("beams", None, "of each search (default: 5, or 15)", 1)
    flags.DEFINE_integer("steps", 3, "searches of a model with a latent space", 1)


def main(argv):
    if len(argv) > 1 or not FLAGS.run_dir:
        raise ValueError("--run_dir is needed, and no argument without a name.")
    space = keras_textvae.open_space(FLAGS.run_dir)
    texts = FLAGS.text or [text for _, text in corpora.read_input()]
    if not texts:
        raise ValueError("No sentence: give --text, or one a line on standard input.")
    print(*space.impute(texts, FLAGS.beams, FLAGS.steps), sep="\n")


if __name__ == "__main__":
    run(main, define_flags)
