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

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from examples.experiments import Settings
from serving import command_line

with command_line.quiet_imports():
    from examples.semeniuta2017 import figures, tweets
    from examples.semeniuta2017.scales import SCALES

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after each run's last epoch"

FIGURES = {
    "3": figures.figure3,
    "4": figures.figure4,
    "5": figures.figure5,
    "6": figures.figure6,
}
TABLES = {"2": tweets.table2, "3": tweets.table3, "6": tweets.table6}


def define_flags():
    flags.DEFINE_list("figure", [], "figures: 3, 4, 5, 6")
    flags.DEFINE_list("table", [], "tables: 2, 3, 6")
    flags.DEFINE_enum("scale", "smoke", [*SCALES], "how large, see above")
    flags.DEFINE_string(
        "data_dir", None, "folder of the corpora ptb and tweets (default: download ptb)"
    )
    flags.DEFINE_string("output_dir", "runs/semeniuta2017", "folder of all of it")
    flags.DEFINE_integer("jobs", os.cpu_count(), "runs at a time", 1)
    policies = ["float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "float32", policies, "Keras's precision policy")


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    require("--figure", FLAGS.figure, FIGURES)
    require("--table", FLAGS.table, TABLES)
    if not FLAGS.figure + FLAGS.table:
        raise ValueError("--figure or --table is needed, see --help.")
    scale = SCALES[FLAGS.scale]
    folder = os.path.join(FLAGS.output_dir, FLAGS.scale)
    settings = Settings(folder, FLAGS.data_dir, FLAGS.precision, FLAGS.jobs)
    for name in FLAGS.figure:
        FIGURES[name](scale, settings)
    if FLAGS.table:
        models = [*tweets.tweet_models(scale, settings)]
        for name in FLAGS.table:
            TABLES[name](models, folder)


def require(flag, names, known):
    for name in names:
        if name not in known:
            raise ValueError(f"{flag}={name}: the paper's are {', '.join(known)}.")


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
