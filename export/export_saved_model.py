"""Exports a run's best model as a versioned SavedModel, text in and text out.

    python export/export_saved_model.py --run_dir=runs/demo \
        --output_dir=exported/textvae

writes `exported/textvae/1`, ready for `serving/server.py` or TensorFlow Serving, with
the requests that a server warms up with, a description in `assets/keras_textvae.json`,
and the checksums of all files in `SHA256SUMS`. A version appears whole or not at all.
"""

import os
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags, logging

from keras_textvae.command_line import quiet_imports, run

# A graph traced beside a GPU may hold cuDNN operations, which no CPU runs.
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

with quiet_imports():
    import keras
    import tensorflow as tf

    import keras_textvae
    from export import space_flags, warm_up
    from keras_textvae import corpora, text_space
    from keras_textvae.atomic_files import read_json, write_json
    from serving.saved_model import manifest

FLAGS = flags.FLAGS
DESCRIPTION = pathlib.Path("assets") / "keras_textvae.json"


def define_flags():
    space_flags.define()
    flags.DEFINE_string("output_dir", None, "folder of its versions; must be given")
    flags.DEFINE_integer(
        "version", None, "version to write (default: one more than the newest)"
    )
    flags.DEFINE_bool(
        "bfloat16", False, "half the bytes: weights rounded to 8 bits of precision"
    )
    flags.DEFINE_integer(
        "batching_rows",
        0,
        "rows of concurrent calls that the graph decodes together; 0: each call alone",
        0,
    )
    flags.DEFINE_float(
        "batching_timeout_ms", 2.0, "how long a call waits for others to come", 0.0
    )


def main(argv):
    logging.set_verbosity(logging.ERROR)
    folder = space_flags.folder(argv, "output_dir")
    text_space.check_path(FLAGS.output_dir)
    space = keras_textvae.open_space(folder)
    batching = None
    if FLAGS.batching_rows:
        batching = keras_textvae.Batching(
            FLAGS.batching_rows, FLAGS.batching_timeout_ms
        )
    version = export(
        space,
        FLAGS.output_dir,
        FLAGS.version,
        batching=batching,
        bfloat16=FLAGS.bfloat16,
        run=of_run(folder),
    )
    source = FLAGS.preset or FLAGS.run_dir
    print(f"exported {source} to {version} ({_megabytes(version):.1f} MB)")


def export(
    space,
    output_dir,
    version: int | None = None,
    *,
    batching=None,
    bfloat16: bool = False,
    run: dict | None = None,
) -> pathlib.Path:
    """Writes `output_dir/version` by writing beside it and renaming.

    It computes in float32, in whatever precision the model was trained: few processors
    that serve have products of their own for half precision.

    TensorFlow Serving loads any folder with an integer's name as soon as it sees it, so
    the name must come last. What a killed export left is removed first. Of two
    processes that export to one folder at once the second waits for the first.

    Args:
        space: `keras_textvae.TextSpace`.
        output_dir: created if it does not exist.
        version: int or None. None means one more than the newest.
        batching, bfloat16: see `TextSpace.export`.
        run: what the description says of the training, see `of_run`.

    Returns:
        The version's folder.

    Raises:
        FileExistsError: if the version exists.
        ValueError: if it is not positive, or nothing could load it from that path.
    """
    text_space.check_path(output_dir)
    folder = pathlib.Path(output_dir)
    with corpora.locked(folder):
        return _export(space, folder, version, batching, bfloat16, run)


def _export(space, folder, version, batching, bfloat16, run):
    version = _next_version(folder) if version is None else version
    if version < 1:
        raise ValueError(f"A version is a positive integer. Received: {version}")
    final = folder / str(version)
    if final.exists():
        raise FileExistsError(f"Version {version} exists already: {final}")
    for left in folder.glob(".partial-*"):
        shutil.rmtree(left)
    partial = folder / f".partial-{version}"
    space = space.in_float32()
    try:
        space.export(str(partial), batching, bfloat16)
        warm_up.write(warm_up.requests(space), partial)
        said = description(space, batching, bfloat16, run or {})
        write_json(str(partial / DESCRIPTION), said)
        manifest.write(partial)
        _flush(partial)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def description(space, batching, bfloat16, run) -> dict:
    """Returns what `assets/keras_textvae.json` says of an export."""
    return {
        "versions": {
            "keras_textvae": keras_textvae.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
        "weights": "bfloat16" if bfloat16 else "float32",
        "batching": batching and batching._asdict(),
        "model": type(space.model).__name__,
        "latent_dim": space.model.latent_dim,
        "density": space.density
        and {"components": space.density.components, "fitted": space.fitted},
        "length": space.codec.length,
        "form": space.codec.form,
        "tokenizer": {
            "class": type(space.codec.tokenizer).__name__,
            "vocabulary_size": space.codec.vocabulary_size,
            "right_to_left": space.codec.tokenizer.right_to_left,
        },
        "labels": getattr(space.model, "labels", None),  # as `classify` orders them
    } | run


def of_run(run_dir) -> dict:
    """Returns the `recipe` and the test's `metrics` of a run folder, if it has them."""
    config = pathlib.Path(run_dir) / "config.json"
    result = pathlib.Path(run_dir) / "result.json"
    details = {}
    if config.is_file():
        details["recipe"] = read_json(str(config))["recipe"]
    if result.is_file():
        details["metrics"] = read_json(str(result))
    return details


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
