r"""Reports on the latent space of a trained model: what is in it, and what is wrong.

    python examples/report.py --run_dir=runs/demo
    python examples/report.py --run_dir=runs/demo --texts=mine.txt \
        --labels=labels.txt --output=report

Prints the report in short, and writes all of it: report.html, one page with plots and
examples, report.md and report.json. Texts are those of the test set, or else of the
validation set, of the run's corpus, unless --texts names a file with one a line; a file
of --labels has a label in each line, by which the plot of the space is coloured. The
fluency of what the model writes is judged by a small language model of the run's
training texts, or of --training_texts. BLEU needs the extra `eval`, plots the extra
`plot`.
"""

import csv
import itertools
import os
import pathlib
import sys
from collections.abc import Iterable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    import keras_textvae
    from export import space_flags
    from keras_textvae import Corpus, evaluation
    from keras_textvae.atomic_files import replacing, write_json
    from keras_textvae.corpora import read_texts
    from keras_textvae.prepared import files_from_config
    from keras_textvae.training import config_of, recipe_of
    from keras_textvae.zoo import Recipe

FLAGS = flags.FLAGS
TRAINING_TEXTS = 100_000  # from which the language model is learned


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    text, number = flags.DEFINE_string, flags.DEFINE_integer
    space_flags.define()
    text("texts", None, "file of texts, one a line (default: the run's test texts)")
    text("labels", None, "file of their labels, one a line (default: none)")
    text("training_texts", None, "file of training texts (default: the run's)")
    text(
        "output",
        None,
        "folder of the report (default: RUN_DIR/report; of a preset, runs/NAME/report)",
    )
    number("samples", 1000, "texts to sample from each source; 0 for none", 0)
    number("paths", 100, "paths between two sentences; 0 for none", 0)
    number(
        "importance_samples", 100, "samples of z for each importance weight; 0: none", 0
    )
    number("seed", 0, "of all that is drawn", 0)


def main(argv):
    run_dir = space_flags.folder(argv)
    name = FLAGS.preset or os.path.abspath(run_dir)
    name = os.path.basename(name.rstrip("/").partition("@")[0])
    if FLAGS.labels and not FLAGS.texts:
        raise ValueError("--labels needs --texts, of which they are.")
    space = keras_textvae.open_space(run_dir).in_float32()
    texts = list(read_texts(FLAGS.texts or corpus(run_dir).held_out))
    labels = list(read_texts(FLAGS.labels)) if FLAGS.labels else None
    folder = FLAGS.output or os.path.join(FLAGS.run_dir or f"runs/{name}", "report")
    os.makedirs(folder, exist_ok=True)
    report = evaluation.report(
        space,
        texts,
        labels,
        itertools.islice(training_texts(run_dir), TRAINING_TEXTS),
        samples=FLAGS.samples,
        paths=FLAGS.paths,
        importance_samples=FLAGS.importance_samples,
        seed=FLAGS.seed,
        title=f"The latent space of {name}",
        description=description(run_dir),
        history=history(run_dir),
        verbose=2 if sys.stdout.isatty() else 1,
    )
    print(report.short())
    write(os.path.join(folder, "report.md"), report.markdown())
    write(os.path.join(folder, "report.html"), report.html())
    write_json(os.path.join(folder, "report.json"), report.to_json())
    print(f"report: {os.path.join(folder, 'report.html')} (and .md, .json)")


def corpus(run_dir) -> Corpus:
    """Returns the files of the run's corpus.

    Raises:
        ValueError: if the folder is no run's.
    """
    try:
        return files_from_config(config_of(run_dir)["files"])
    except FileNotFoundError:
        raise ValueError(
            f"{run_dir} is a text space, and has no corpus: --texts is needed."
        ) from None


def training_texts(run_dir) -> Iterable[str]:
    """Returns the training texts, or none where they are not known or gone."""
    if FLAGS.training_texts:
        return read_texts(FLAGS.training_texts)
    try:
        files = files_from_config(config_of(run_dir)["files"]).train
    except FileNotFoundError:
        return ()
    return read_texts(files) if all(map(os.path.exists, files)) else ()


def history(run_dir) -> list[dict]:
    """Returns the rows of the run's figures, an epoch each; none if it is no run."""
    path = os.path.join(run_dir, "metrics.csv")
    if not os.path.exists(path):
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{name: float(value) for name, value in row.items()} for row in rows]


def description(run_dir) -> str:
    """Returns what the run's recipe says, or nothing if it is no run."""
    try:
        recipe: Recipe = recipe_of(run_dir)
    except FileNotFoundError:
        return ""
    model, terms = recipe.model, recipe.terms
    arguments = ", ".join(f"{name}={value}" for name, value in model.arguments.items())
    annealing = ",".join(map(str, (terms.schedule.name, *terms.schedule.arguments)))
    reference = recipe.reference.removesuffix(".")
    return (
        f"{reference}. Model {model.architecture}: {arguments}; "
        f"beta={terms.beta}, free_bits={terms.free_bits}, annealing={annealing}."
    )


def write(path, text):
    """Writes a text, replacing the file whole."""
    with (
        replacing(path) as partial,
        open(partial, "w", encoding="utf-8", errors="surrogateescape") as file,
    ):
        file.write(text)


if __name__ == "__main__":
    run(main, define_flags)
