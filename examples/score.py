r"""Bounds the likelihood of texts, in nats: bound = reconstruction + KL.

    python examples/score.py --run_dir=runs/demo --text='the chef sang .'
    python examples/score.py --run_dir=runs/demo --file=texts.txt.gz --json

Texts come from --text, --file or standard input, one a line. --json prints `text`, and
in nats per text `bound`, which is at least -log p(text), and its parts
`reconstruction` and `kl`; `unknown`, how many words or characters are not in the
vocabulary, in whose places the bound is that of `<unk>`; and `bound_per_token`, the
bound by the words or characters, the end of a sentence counted. A text that is too long
is told on standard error; the others are answered, and the exit code is 2.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts
    from keras_textvae.tokens import PAD

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    texts.define_flags()
    flags.DEFINE_integer("seed", 0, "of the one draw of noise that all texts share")


def main(argv):
    space = texts.open_space(argv)

    def score(rows):
        nats = space.score(rows, FLAGS.seed)
        tokens = np.count_nonzero(space.ids(rows)[:, 1:] != PAD, axis=1)
        return nats._asdict() | {"bound_per_token": nats.bound / tokens}

    return texts.answer(argv, score)


if __name__ == "__main__":
    run(main, define_flags)
