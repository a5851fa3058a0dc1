r"""Turns sentences of one kind into another by arithmetic in the latent space.

    python examples/arithmetic.py --run_dir=runs/reviews --labelled=train.tsv \
        --from=negative --to=positive --scale=1,2 --text='the soup was cold .'
    python examples/arithmetic.py --run_dir=runs/reviews --labelled=train.tsv \
        --evaluate=test.tsv --scale=1,1.5,2

A labelled file has a label, a tab and a text in each line, or, with
--labelled_columns=stars,review, these two columns of any file that `train.py` takes. A
text is decoded, greedily, from z + scale * (mean of --to - mean of --from), where z is
the mean of its posterior, and the two others are the means of all z of a label's texts
(Shen et al. 2020, section 5.3).

Texts come from --text, --file or standard input, one a line. --json prints `text` and
`becomes`, a text by its scale. A text that is too long is told on standard error; the
others are answered, and the exit code is 2.

--evaluate shifts the texts of another labelled file, in both directions if there are
two labels and --from and --to name none. Its table has, by scale:

    turned          percent of the texts that a classifier takes for --to: a logistic
                    regression on the words of --labelled, whose accuracy is told
    self-BLEU       of the texts that they become, against what they were
    nats a word     under a trigram model of --labelled; the end counts as a word

Scale 0 is the reconstruction. Ten examples follow, the first of the file. --evaluate
needs the extra `classify`, and BLEU the extra `eval`.
"""

import json
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from absl import flags

from keras_textvae.command_line import quiet_imports, run

with quiet_imports():
    from examples import texts
    from examples.classification import labelled
    from examples.experiments import markdown
    from keras_textvae import TextSpace, paths
    from keras_textvae.evaluation import Reader, TrigramModel, bleu

try:
    from examples.classification import methods
except ImportError:  # scikit-learn is an extra
    methods = None

FLAGS = flags.FLAGS
HEADER = ["scale", "turned", "self-BLEU", "nats a word"]
EXAMPLES = 10  # of each direction


def define_flags():
    # In a function, so that importing this module leaves a program's flags alone.
    texts.define_flags()
    flags.DEFINE_string("labelled", None, "file of label, tab, text; must be given")
    labelled.define_columns()
    flags.DEFINE_string("from", None, "label of the texts")
    flags.DEFINE_string("to", None, "label that they are to have")
    flags.DEFINE_list("scale", ["1"], "how far to go; some numbers")
    flags.DEFINE_string("evaluate", None, "another labelled file, to measure with")


def main(argv):
    if not FLAGS.labelled:
        raise ValueError("--labelled is needed.")
    if FLAGS.evaluate and (FLAGS.text or FLAGS.file is not None):
        raise ValueError("--evaluate excludes --text and --file.")
    if FLAGS.evaluate and methods is None:
        raise ValueError("--evaluate needs pip install keras_textvae[classify]")
    scales = {name: _scale(name) for name in FLAGS.scale}
    space = texts.open_space(argv)
    train = labelled.read_fitting(
        FLAGS.labelled, space.codec, columns=FLAGS.labelled_columns
    )
    directions = _directions(train.names)
    arithmetic = Arithmetic(space, train)
    if FLAGS.evaluate:
        test = labelled.read_fitting(
            FLAGS.evaluate, space.codec, train.names, FLAGS.labelled_columns
        )
        return _evaluate(arithmetic, train, test, directions, {"0": 0.0} | scales)
    (direction,) = directions

    def become(rows):
        return {"becomes": _by_text(scales, arithmetic(rows, direction, scales))}

    return texts.answer(argv, become, _show)


class Arithmetic:
    """Turns texts into others by the difference of two labels' means.

    Args:
        space: `TextSpace`.
        train: `labelled.Labelled`, of which the means are.
    """

    def __init__(self, space: TextSpace, train: labelled.Labelled):
        self.space = space
        labels, z = np.array(train.labels), space.encode(train.texts).mean
        self._z = {name: z[labels == name] for name in train.names}

    def __call__(self, rows, direction, scales) -> list[list[str]]:
        """Returns what texts become at each scale, in the order of `scales`."""
        offset = np.asarray(paths.offset(*map(self._z.get, direction)))
        z = self.space.encode(rows).mean
        return [self.space.decode(z + scale * offset) for scale in scales.values()]


def _scale(name):
    try:
        scale = float(name)
    except ValueError:
        scale = math.nan
    if not math.isfinite(scale):
        raise ValueError(f"--scale={name}: numbers, such as 1,1.5.")
    return scale


def _directions(names):
    """Returns the pairs of labels that the flags ask for."""
    label, other = FLAGS["from"].value, FLAGS["to"].value
    if label is None and other is None and FLAGS.evaluate and len(names) == 2:
        return [(*names,), (*names[::-1],)]
    for flag, name in (("from", label), ("to", other)):
        if name not in names:
            raise ValueError(
                f"--{flag}={name or ''}: the labels of {FLAGS.labelled} are "
                f"{', '.join(names)}."
            )
    if label == other:
        raise ValueError(f"--from and --to are both {label}.")
    return [(label, other)]


def _evaluate(arithmetic, train, test, directions, scales):
    """Prints how held-out texts turn, by direction and scale, and some of them."""
    sources = {label: _with_label(test, label) for label, _ in directions}
    judge = Judge(arithmetic.space, train)
    accuracy = methods.score(judge.classify, test).accuracy
    if FLAGS.json:
        print(json.dumps({"accuracy": accuracy}))
    else:
        print(f"The classifier is right of {100 * accuracy:.1f} % of {FLAGS.evaluate}.")
    for label, other in directions:
        rows = sources[label]
        became = arithmetic(rows, (label, other), scales)
        _show_table(
            {"from": label, "to": other, "texts": len(rows)},
            [
                {"scale": scale} | judge.figures(rows, after, other)
                for scale, after in zip(scales.values(), became, strict=True)
            ],
        )
        becomes = _by_text(scales, became)
        for text, after in [*zip(rows, becomes, strict=True)][:EXAMPLES]:
            _show({"text": text, "becomes": after})


def _with_label(test, label):
    rows = [text for text, name in zip(*test, strict=True) if name == label]
    if not rows:
        raise ValueError(f"{FLAGS.evaluate}: no text is {label}.")
    return rows


class Judge:
    """Judges what texts have become, by what it learns from labelled ones.

    Args:
        space: `TextSpace`, as which texts are read.
        train: `labelled.Labelled`.
    """

    def __init__(self, space: TextSpace, train: labelled.Labelled):
        self._space, self._reader = space, Reader(space)
        self.classify = methods.on_words(space.codec.tokenizer, train, seed=0)
        self._model = TrigramModel(self._pieces(train.texts))

    def figures(self, before, after, label) -> dict:
        """Returns the figures of the table.

        Args:
            before: list of str, the texts.
            after: list of str, what they became.
            label: that they were to have.
        """
        pieces = self._reader.pieces(after)
        return {
            "turned": float(np.mean(np.array(self.classify(after)) == label)),
            "self_bleu": bleu(pieces, self._pieces(before)),
            "nats_a_word": self._model.nll_per_word(pieces),
        }

    def _pieces(self, rows):
        """Returns the words of texts as the space reads them."""
        return self._reader.pieces(self._reader.as_read(self._space.ids(rows)))


def _by_text(scales, became):
    """Returns for each text what it becomes, by the name of the scale."""
    return [dict(zip(scales, row, strict=True)) for row in zip(*became, strict=True)]


def _show_table(direction, rows):
    if FLAGS.json:
        for row in rows:
            print(json.dumps(direction | row))
        return
    cells = [
        [
            f"{row['scale']:g}",
            f"{100 * row['turned']:.1f}",
            "-" if row["self_bleu"] is None else f"{row['self_bleu']:.1f}",
            f"{row['nats_a_word']:.2f}",
        ]
        for row in rows
    ]
    title = "{from} to {to}, {texts} texts".format(**direction)
    print(f"\n{title}\n\n{markdown(HEADER, cells)}\n")


def _show(record):
    """Prints a text and what it becomes; None, of a text without an answer, is none."""
    if FLAGS.json:
        texts.show(record)
    elif record:
        becomes = (f"  {scale}: {text}" for scale, text in record["becomes"].items())
        print(record["text"], *becomes, sep="\n")


if __name__ == "__main__":
    run(main, define_flags)
