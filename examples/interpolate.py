r"""Walks from one sentence to another through the latent space of a trained model.

    python examples/interpolate.py --run_dir=runs/demo \
        --start='the chef cooked the soup .' --end='a farmer feeds the horse .'

prints the sentences on the line between the two posteriors' means, which begins and
ends with the reconstructions of the two (Bowman et al. 2016, section 6.3). With
--spherical they are on an arc, as far from the origin as the two means.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts
    from export import space_flags

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    space_flags.define()
    flags.DEFINE_string("start", None, "sentence at the beginning; must be given")
    flags.DEFINE_string("end", None, "sentence at the end; must be given")
    flags.DEFINE_integer("steps", 8, "sentences to print, both ends included")
    flags.DEFINE_boolean("spherical", False, "go along an arc, not a line")
    texts.define_json()


def main(argv):
    space = space_flags.open_space(argv, "start", "end")
    path = space.interpolate(FLAGS.start, FLAGS.end, FLAGS.steps, FLAGS.spherical)
    for step, text in enumerate(path):
        texts.show({"step": step, "text": text})


if __name__ == "__main__":
    run(main, define_flags)
