r"""Encodes texts and decodes them again: what the latent space keeps of each.

    python examples/reconstruct.py --run_dir=runs/demo \
        --text='the chef cooked the soup .' --text='my aunt sang .'
    python examples/reconstruct.py --run_dir=runs/demo --file=texts.txt --json

Texts come from --text, --file or standard input, one a line. --json prints `text` and
`reconstruction`. A text that is too long is told on standard error; the others are
answered, and the exit code is 2.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts

define_flags = texts.define_flags


def main(argv):
    space = texts.open_space(argv)
    return texts.answer(argv, lambda rows: {"reconstruction": space.reconstruct(rows)})


if __name__ == "__main__":
    run(main, define_flags)
