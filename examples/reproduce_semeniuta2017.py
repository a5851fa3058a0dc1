r"""Reproduces figures and tables of "A Hybrid Convolutional Variational Autoencoder for
Text Generation" (Semeniuta et al. 2017).

    python examples/reproduce_semeniuta2017.py --scale=small --figure=3 --data_dir=DIR
    python examples/reproduce_semeniuta2017.py --scale=small --table=2,3,6 \
        --data_dir=DIR

Each run is a folder of its own in --output_dir/SCALE, and the same command goes on
where a killed one was; figures and tables that need the same runs share them. Tables
are written as Markdown and figures as PNG beside them. Scales:

    smoke  minutes, models that learn nothing: does it run?
    small  about an hour of one core each: smaller models, fewer iterations and
           settings, annealing sooner
    paper  the authors' sizes, 100,000 iterations a run: days without an accelerator
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    from examples import reproduction
    from examples.semeniuta2017 import figures, tweets
    from examples.semeniuta2017.scales import SCALES

FLAGS = flags.FLAGS

FIGURES = {
    "3": figures.figure3,
    "4": figures.figure4,
    "5": figures.figure5,
    "6": figures.figure6,
}
TABLES = {"2": tweets.table2, "3": tweets.table3, "6": tweets.table6}


def define_flags():
    reproduction.define_flags(FIGURES, TABLES, "runs/semeniuta2017")


def main(argv):
    reproduction.check(argv, FIGURES, TABLES)
    scale, settings = SCALES[FLAGS.scale], reproduction.settings()
    for name in FLAGS.figure:
        FIGURES[name](scale, settings)
    if FLAGS.table:
        models = [*tweets.tweet_models(scale, settings)]
        for name in FLAGS.table:
            TABLES[name](models, settings.folder)


if __name__ == "__main__":
    command_line.run(main, define_flags, reproduction.INTERRUPTED)
