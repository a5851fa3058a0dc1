r"""Compares ways to classify texts with few labels over a pretrained encoder.

    python examples/classify.py --run_dir=runs/bag-of-words-tweets \
        --labelled=emotion/train.tsv --test=emotion/test.tsv --labels_per_class=10,50

A labelled file has a label, a tab and a text in each line, or, with
--labelled_columns=stars,review, these two columns of any file that `train.py` takes.
Methods:

    bag_of_words      logistic regression on words, without the encoder
    scratch           the encoder's network from new weights
    frozen            a head on the encoder, which stays as it is
    fine_tuned        head and encoder trained together
    gradual           the same, the encoder thawed from the head downwards
    semi_supervised   labels and the autoencoder's bound on --unlabelled texts at once

Each is trained once for each seed, which draws the labelled texts too. A warning tells
where the pretrained encoder is worth less than new weights. Writes
`results.jsonl`, `table.md` and `table.png` into --output_dir; the same command goes on
where a killed one was. --save_dir keeps a classifier of all labels, which
`export/export_saved_model.py --run_dir=DIR` exports as the signature `classify`.
"""

import itertools
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags, logging

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    import keras_textvae
    from examples import experiments
    from examples.classification import labelled
    from export import space_flags
    from keras_textvae import models, space_files
    from keras_textvae.atomic_files import read_json, write_json
    from keras_textvae.corpora import one_line, read_lines, read_rows
    from keras_textvae.prepared import sha256

try:
    from examples.classification import methods, report
except ImportError:  # scikit-learn is an extra
    methods = None

FLAGS = flags.FLAGS
METHODS = "bag_of_words,scratch,frozen,fine_tuned,semi_supervised"
HELD_OUT = 0.2  # of the labelled texts, where there is no --test
INTERRUPTED = "interrupted; the same command goes on after the last result"


def define_flags():
    space_flags.define()
    flags.DEFINE_string("labelled", None, "file of label, tab, text; must be given")
    labelled.define_columns()
    flags.DEFINE_string(
        "test", None, "another one (default: a fifth of the labelled one, held out)"
    )
    flags.DEFINE_list(
        "unlabelled", [], "files of texts, one a line, beside the labelled ones'"
    )
    flags.DEFINE_list(
        "labels_per_class", ["10", "50", "200", "all"], "how many texts of each label"
    )
    flags.DEFINE_list("methods", METHODS.split(","), "which, see above")
    flags.DEFINE_integer("seeds", 5, "repetitions", 1)
    flags.DEFINE_enum(
        "features", "both", models.FEATURES, "what of the encoder classifiers read"
    )
    flags.DEFINE_integer("hidden", 0, "units of the head's hidden layer; 0: none", 0)
    flags.DEFINE_float("learning_rate", 1e-3, "of Adam", 0.0)
    flags.DEFINE_string("output_dir", "runs/classify", "folder of the results")
    flags.DEFINE_string("save_dir", None, "folder for a fine-tuned classifier")


def main(argv):
    # Each classifier traces graphs of its own, of which TensorFlow would warn.
    logging.set_verbosity(logging.ERROR)
    if methods is None:
        raise ValueError("scikit-learn is needed: pip install keras_textvae[classify]")
    folder = space_flags.folder(argv, "labelled")
    sizes = {name: _size(name) for name in FLAGS.labels_per_class}
    for name in FLAGS.methods:
        if name not in methods.METHODS:
            names = ", ".join(methods.METHODS)
            raise ValueError(f"--methods={name}: the methods are {names}.")
    space = keras_textvae.open_space(folder).in_float32()
    train = labelled.read_fitting(
        FLAGS.labelled, space.codec, columns=FLAGS.labelled_columns
    )
    if FLAGS.test:
        test = labelled.read_fitting(
            FLAGS.test, space.codec, train.names, FLAGS.labelled_columns
        )
    else:
        train, test = _split(train)
    problem = _problem(space, train)
    results = Results(FLAGS.output_dir, _configuration(folder))
    cells = itertools.product(range(FLAGS.seeds), sizes, FLAGS.methods)
    _compare(problem, train, test, sizes, [*cells], results)
    _report(train, results)
    if FLAGS.save_dir:
        methods.classifier(problem, train, 0, "fine_tuned").save(FLAGS.save_dir)
        print(f"saved: {FLAGS.save_dir}")


class Results:
    """The scores so far, one a line of `results.jsonl`.

    Args:
        folder: str. Created if it does not exist.
        configuration: dict, what the scores depend on.

    Raises:
        ValueError: if the folder has results of another configuration.
    """

    def __init__(self, folder, configuration):
        os.makedirs(folder, exist_ok=True)
        described = os.path.join(folder, "config.json")
        if os.path.exists(described):
            before = read_json(described)
            for key, value in configuration.items():
                if before.get(key) != value:
                    raise ValueError(
                        f"{folder} holds results of another comparison: {key} is "
                        f"{before.get(key)!r} there, {value!r} here (files by their "
                        "SHA-256). Choose another --output_dir."
                    )
        write_json(described, configuration)
        self._path = os.path.join(folder, "results.jsonl")
        self.scores = {}
        if os.path.exists(self._path):
            self._drop_torn_line()
            for number, line in read_lines(self._path):
                self._take(self._parsed(number, line))

    def _drop_torn_line(self):
        """Cuts off half a last line, which a kill left; its cell is done again."""
        with open(self._path, "r+b") as file:
            content = file.read()
            file.truncate(content.rfind(b"\n") + 1)

    def _parsed(self, number, line):
        try:
            return json.loads(line)
        except ValueError as error:
            raise ValueError(f"{self._path}, line {number}: {error}") from None

    def add(self, cell, score):
        """Appends the score of a cell (seed, size, method)."""
        row = dict(zip(("seed", "size", "method"), cell, strict=True))
        row |= score._asdict()
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._take(row)

    def _take(self, row):
        cell = row["seed"], row["size"], row["method"]
        self.scores[cell] = methods.Score(row["accuracy"], row["macro_f1"])


def _size(name):
    if name == "all":
        return None
    if not name.isdigit() or int(name) < 1:
        raise ValueError(f'--labels_per_class={name}: a number, or "all".')
    return int(name)


def _split(train):
    """Returns what is trained on and what is held out; tells which labels are not."""
    train, test = labelled.split(train, HELD_OUT, seed=0)
    if not test.texts:
        raise ValueError(
            f"{FLAGS.labelled}: each label has one text, and none can be held out to "
            "test on: give --test."
        )
    if untested := sorted({*train.names} - {*test.names}):
        names = ", ".join(untested)
        print(f"one text each of {names}: trained on, and not tested.", file=sys.stderr)
    return train, test


def _problem(space, train):
    texts = []
    for path in FLAGS.unlabelled:
        rows = [(n, one_line(text)) for n, text, _ in read_rows(path) if text.strip()]
        numbers, added = zip(*rows, strict=True) if rows else ((), ())
        labelled.check_lengths(path, numbers, [*added], space.codec)
        texts += added
    return methods.Problem(
        space,
        train.names,
        [*texts, *train.texts],
        FLAGS.features,
        FLAGS.learning_rate,
        FLAGS.hidden,
    )


def _configuration(folder):
    """Returns what the scores depend on; files by their content."""
    model = os.path.join(space_files.folder_of(folder), space_files.WEIGHTS)
    options = ("features", "hidden", "learning_rate", "labelled_columns")
    return {
        "model": sha256(model),
        "labelled": sha256(FLAGS.labelled),
        "test": FLAGS.test and sha256(FLAGS.test),
        "unlabelled": [sha256(path) for path in FLAGS.unlabelled],
    } | {name: FLAGS[name].value for name in options}


def _compare(problem, train, test, sizes, cells, results):
    open_cells = [cell for cell in cells if cell not in results.scores]
    started = time.monotonic()
    for done, cell in enumerate(open_cells, start=1):
        seed, size, name = cell
        sample = labelled.sample(train, sizes[size], seed)
        predict = methods.METHODS[name](problem, sample, seed)
        results.add(cell, methods.score(predict, test))
        left = (time.monotonic() - started) / done * (len(open_cells) - done)
        print(
            f"{name}, {size} a class, seed {seed}: macro-F1 "
            f"{100 * results.scores[cell].macro_f1:.1f} ({done} of {len(open_cells)}; "
            f"about {left / 60:.0f} min left)",
            flush=True,
        )


def _report(train, results):
    """Writes the table and the plot of all scores, earlier commands' too."""
    scores = {}
    for (_, size, method), score in results.scores.items():
        scores.setdefault((method, size), []).append(score)
    names, sizes = ({*column} for column in zip(*scores, strict=True))
    counts = {size: len(labelled.sample(train, _size(size), 0).texts) for size in sizes}
    sizes = sorted(counts, key=counts.get)
    tried = [name for name in methods.METHODS if name in names]
    text = report.text(tried, sizes, scores)
    figure = report.plot(tried, sizes, [counts[size] for size in sizes], scores)
    experiments.save_report(FLAGS.output_dir, "table", text, figure)
    if warning := report.warning(tried, sizes, results.scores):
        print(f"warning: {warning}", file=sys.stderr)


if __name__ == "__main__":
    run(main, define_flags, INTERRUPTED)
