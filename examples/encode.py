r"""Encodes texts: the posterior of each in the latent space.

    python examples/encode.py --run_dir=runs/demo --text='the chef sang .'
    python examples/encode.py --run_dir=runs/demo --file=texts.txt --json
    python examples/encode.py --run_dir=runs/demo --file=texts.txt \
        --output=vectors.npz

Texts come from --text, --file or standard input, one a line. --json prints `text`,
`mean`, the posterior's mode, `log_var`, if the posterior is Gaussian, `kl`, in nats,
and `unknown`, how many words or characters are not in the vocabulary. --output writes
the same as float32 arrays with a row for each text, NumPy's .npz, or `mean` alone,
.npy; they are held in memory until the end. A text that is too long is told on standard
error, and is a row of NaN; the exit code is then 2.
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts
    from keras_textvae.atomic_files import replacing

FLAGS = flags.FLAGS


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    texts.define_flags()
    flags.DEFINE_string("output", None, "FILE.npz or FILE.npy (default: print)")


def main(argv):
    if FLAGS.output is not None:
        check(FLAGS.output)
    space = texts.open_space(argv)

    def encode(rows):
        columns = space.encode(rows)._asdict()
        return {name: column for name, column in columns.items() if column is not None}

    if FLAGS.output is None:
        return texts.answer(argv, encode)
    records = []
    code = texts.answer(argv, encode, records.append)
    if any(records):
        save(FLAGS.output, records)
    return code


def check(output):
    """Raises ValueError unless a file of that name can be written."""
    folder = os.path.dirname(output) or "."
    if not output.endswith((".npz", ".npy")):
        raise ValueError(f"--output={output}: a name that ends in .npz or .npy.")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"--output={output}: no file can be written in {folder}.")


def save(output, records):
    """Writes a float32 array of each number, a row a record; that of None is NaN."""
    first = next(filter(None, records))
    arrays = {
        name: np.stack(
            [r[name] if r else np.full(np.shape(first[name]), np.nan) for r in records],
            dtype="float32",
        )
        for name in first
        if name != "text"
    }
    with replacing(output) as partial:
        if output.endswith(".npz"):
            np.savez(partial, **arrays)
        else:
            np.save(partial, arrays["mean"])


if __name__ == "__main__":
    run(main, define_flags)
