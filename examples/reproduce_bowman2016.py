r"""Reproduces tables and figures of "Generating Sentences from a Continuous Space"
(Bowman et al. 2016).

    python examples/reproduce_bowman2016.py --scale=small --table=2 --data_dir=DIR
    python examples/reproduce_bowman2016.py --scale=small --figure=3 --table=5 \
        --data_dir=DIR

Table 2 and figure 2 are of the Penn Treebank; the others of a corpus of fiction, the
folder `fiction` in --data_dir. Table 8 has those of tables 1 and 10 too. The table
`section3` compares what that section says was tried (posteriors, highway layers, no
annealing and so on) on the built-in corpus, which needs no --data_dir. Each run is a
folder of its own in --output_dir/SCALE, and the same command goes on where a killed one
was; tables and figures that need the same runs share them. Tables are written as
Markdown and figures as PNG beside them. Scales:

    smoke  minutes each, models that learn nothing: does it run?
    small  up to two hours each on 2 cores: smaller models, fewer steps and sentences
    paper  the recipes as they are, as large as the paper's models or larger, all
           sentences: days on a CPU
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    from examples import reproduction
    from examples.bowman2016 import (
        imputing,
        language_modelling,
        latent_space,
        variations,
        word_dropout,
    )
    from examples.bowman2016.scales import SCALES
    from keras_textvae import corpora

FLAGS = flags.FLAGS

FIGURES = {"2": language_modelling.figure2, "3": word_dropout.figure3}
TABLES = {
    "2": language_modelling.table2,
    "3": imputing.table3,
    "4": imputing.table4,
    "5": word_dropout.table5,
    "6": latent_space.table6,
    "7": latent_space.table7,
    "8": latent_space.table8,
    "section3": variations.section3,
}


CORPORA = {
    "2": "ptb",
    "section3": "grammar",
}  # of a figure or table; the others are of fiction


def define_flags():
    reproduction.define_flags(FIGURES, TABLES, "runs/bowman2016")


def main(argv):
    reproduction.check(argv, FIGURES, TABLES)
    scale, settings = SCALES[FLAGS.scale], reproduction.settings()
    numbers = FLAGS.figure + FLAGS.table
    for name in sorted({CORPORA.get(number, "fiction") for number in numbers}):
        check_splits(corpora.load(name, settings.data_dir))
    for name in FLAGS.figure:
        FIGURES[name](scale, settings)
    for name in FLAGS.table:
        TABLES[name](scale, settings)


def check_splits(corpus):
    """Refuses a corpus without test sentences before hours of training."""
    if not corpus.test:
        folder = os.path.dirname(corpus.train[0])
        raise FileNotFoundError(f"{folder} has no test.txt or test.txt.gz.")


if __name__ == "__main__":
    command_line.run(main, define_flags, reproduction.INTERRUPTED)
