r"""Completes sentences whose hidden words are written "_".

    python examples/impute.py --run_dir=runs/demo \
        --text='the chef cooked _ _ .' --text='_ farmer feeds the horse .'

The words are searched in 3 steps of 5 beams, or of a language model in one of 15
(Bowman et al. 2016, section 5). In a model of subwords each may have several.

Texts come from --text, --file or standard input, one a line. --json prints `text` and
`imputation`. A text that can't be completed, with no hidden word or too many words, is
told on standard error; the others are completed, and the exit code is 2.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    texts.define_flags()
    flags.DEFINE_integer("beams", None, "of each search (default: 5, or 15)", 1)
    flags.DEFINE_integer("steps", 3, "searches of a model with a latent space", 1)
    flags.DEFINE_integer(
        "max_pieces", None, "of a hidden word, of a model of subwords (default: 4)", 1
    )


def main(argv):
    space = texts.open_space(argv)

    def impute(rows):
        search = FLAGS.beams, FLAGS.steps, FLAGS.max_pieces
        return {"imputation": space.impute(rows, *search)}

    return texts.answer(argv, impute)


if __name__ == "__main__":
    run(main, define_flags)
