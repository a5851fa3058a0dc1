"""What the programs `reproduce_<paper>.py` share: the flags, and what they ask for."""

import os

from absl import flags

from examples.experiments import Settings

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command goes on after each run's last epoch"


def define_flags(figures, tables, output_dir: str):
    """Defines the flags of a paper's figures and tables, by their numbers."""
    flags.DEFINE_list("figure", [], f"figures: {', '.join(figures)}")
    flags.DEFINE_list("table", [], f"tables: {', '.join(tables)}")
    flags.DEFINE_enum(
        "scale", "smoke", ["smoke", "small", "paper"], "how large, see above"
    )
    flags.DEFINE_string(
        "data_dir", None, "folder of the corpora (default: download what can be)"
    )
    flags.DEFINE_string("output_dir", output_dir, "folder of all of it")
    flags.DEFINE_integer("jobs", os.cpu_count(), "runs at a time", 1)
    policies = ["float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "float32", policies, "Keras's precision policy")


def check(argv, figures, tables):
    """Checks what the command line asks for.

    Raises:
        ValueError: for a figure or table that the paper lacks, or none at all.
    """
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    for flag, names in {"figure": figures, "table": tables}.items():
        for name in FLAGS[flag].value:
            if name not in names:
                raise ValueError(
                    f"--{flag}={name}: the paper's are {', '.join(names)}."
                )
    if not FLAGS.figure + FLAGS.table:
        raise ValueError("--figure or --table is needed, see --help.")


def settings() -> Settings:
    """Returns what all runs share, as the flags say."""
    folder = os.path.join(FLAGS.output_dir, FLAGS.scale)
    return Settings(folder, FLAGS.data_dir, FLAGS.precision, FLAGS.jobs)
