"""Exports a run's best model as a versioned SavedModel, text in and text out.

    python export/export_saved_model.py --run_dir=runs/hybrid-grammar \
        --output_dir=exported/textvae

writes `exported/textvae/1`, ready for `serving/server.py` or TensorFlow Serving. A
version appears whole or not at all.
"""

import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags, logging

from serving.command_line import quiet_imports, run

# A graph traced beside a GPU may hold cuDNN operations, which no CPU runs.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

with quiet_imports():
    import keras_textvae

FLAGS = flags.FLAGS


def define_flags():
    flags.DEFINE_string("run_dir", None, "run or text space; must be given")
    flags.DEFINE_string("output_dir", None, "folder of its versions; must be given")
    flags.DEFINE_integer(
        "version", None, "version to write (default: one more than the newest)"
    )


def main(argv):
    logging.set_verbosity(logging.ERROR)
    if len(argv) > 1 or not (FLAGS.run_dir and FLAGS.output_dir):
        raise ValueError(
            "--run_dir and --output_dir are needed, and no argument without a name."
        )
    space = keras_textvae.open_space(FLAGS.run_dir)
    version = export(space, FLAGS.output_dir, FLAGS.version)
    print(f"exported {FLAGS.run_dir} to {version} ({_megabytes(version):.1f} MB)")


def export(space, output_dir, version: int | None = None) -> pathlib.Path:
    """Writes `output_dir/version` by writing beside it and renaming.

    TensorFlow Serving loads any folder with an integer's name as soon as it sees it, so
    the name must come last. What a killed export left is removed first.

    Args:
        space: `keras_textvae.TextSpace`.
        output_dir: str. Created if it does not exist.
        version: int or None. None means one more than the newest.

    Returns:
        The version's folder.

    Raises:
        FileExistsError: if the version exists.
        ValueError: if it is not positive.
    """
    folder = pathlib.Path(output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    version = _next_version(folder) if version is None else version
    if version < 1:
        raise ValueError(f"A version is a positive integer. Received: {version}")
    final = folder / str(version)
    if final.exists():
        raise FileExistsError(f"Version {version} exists already: {final}")
    for left in folder.glob(".partial-*"):
        shutil.rmtree(left)
    partial = folder / f".partial-{version}"
    try:
        space.export(str(partial))
        _flush(partial)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def _next_version(folder):
    versions = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    return max(versions, default=0) + 1


def _flush(folder):
    """Puts every file on the disk, so that a renamed version is never empty."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _megabytes(folder):
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


if __name__ == "__main__":
    run(main, define_flags)
