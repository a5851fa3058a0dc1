r"""Hands a run over to `train_on_jax.py`, and takes it back when it is trained.

    python examples/hand_over.py --preset=bowman2016-ptb --data_dir=DIR --run_dir=RUN
    # RUN to a machine with a GPU, with JAX and Keras and without TensorFlow; there:
    KERAS_BACKEND=jax python examples/train_on_jax.py --run_dir=RUN
    # RUN back; then, with the same flags:
    python examples/hand_over.py --preset=bowman2016-ptb --data_dir=DIR --run_dir=RUN \
        --back

Text needs TensorFlow and ids do not: handed over is the run folder, with the ids of all
splits in RUN/ids.npz. Taken back it is a run like any other, which `train.py` and
`reproduce_bowman2016.py` find trained. The flags are those of `train.py`.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae import command_line

with command_line.quiet_imports():
    import numpy as np

    from examples import train
    from examples.train_on_jax import BEST, IDS, SPLITS, START, assign, save_state
    from keras_textvae import zoo
    from keras_textvae.atomic_files import replacing
    from keras_textvae.tokens import PAD

FLAGS = flags.FLAGS
INTERRUPTED = "interrupted; the same command does it again"


def define_flags():
    train.define_flags()
    flags.DEFINE_bool("back", False, "take a trained run back")


def main(argv):
    if len(argv) > 1:
        raise ValueError(f"Unexpected argument {argv[1]!r}.")
    if zoo.preset(FLAGS.preset).crops:
        raise ValueError(f"--preset={FLAGS.preset} trains on crops, not on sentences.")
    run = train.build_run()
    if FLAGS.back:
        take_back(run)
    else:
        hand_over(run)


def hand_over(run):
    """Writes the ids of a run's sentences into its folder."""
    arrays = {}
    for split in SPLITS:
        ids = [np.asarray(x) for x in getattr(run, f"{split}_batches").epoch(0)]
        rows = [row[row != PAD] for batch in ids for row in batch]
        arrays[f"{split}_values"] = np.concatenate(rows).astype("int32")
        arrays[f"{split}_lengths"] = np.array([len(row) for row in rows], "int32")
        print(f"{split}: {len(rows):,} sentences, {sum(map(len, rows)):,} ids")
    with replacing(run.path(IDS)) as partial:
        vocabulary = np.array(run.tokenizer.vocabulary_size)
        np.savez_compressed(partial, vocabulary_size=vocabulary, **arrays)
    if FLAGS.start_from:
        save_state(run.model, run.path(START))
    print(f"next, on JAX: examples/train_on_jax.py --run_dir={run.folder}")


def take_back(run):
    """Saves the text space of the best epoch, and reports it as `train.py` does."""
    assign(run.model, run.path(BEST))
    run.space().save(run.path("best"))
    train.report(run)


if __name__ == "__main__":
    command_line.run(main, define_flags, INTERRUPTED)
