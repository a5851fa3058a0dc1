"""The signatures of a text space: what each takes and gives, declared once.

The guards inside the graph, the SavedModel, its warm-up and its verification read this
declaration, and so does the table of docs/serving.md.

B: rows of a request. D: latent size. S: steps of an interpolation.
"""

from typing import NamedTuple

import tensorflow as tf

MAX_BYTES = 65_536  # of a text
MAX_ROWS = 1024
# Where a row is as much work as several texts: about as much at most, then.
MAX_ROWS_OF_SEVERAL = 128
MAX_STEPS = 256


class Input(NamedTuple):
    """One input of a signature.

    Attributes:
        name: str. Its name in the signature.
        dtype: its `tf.DType`.
        shape: its shape; a leading `None` means one entry per row.
        minimum: the smallest value allowed, or None.
        maximum: the largest value allowed, or None.
        default: the value of an optional scalar, or None for a required input.
        meaning: str. One line for people.
        example: of a scalar, a value other than its default; of texts, how one is made
            of an ordinary text, which stands for "{}". Rows of numbers need none.
    """

    name: str
    dtype: tf.DType
    shape: tuple = (None,)
    minimum: float | None = None
    maximum: float | None = None
    default: float | None = None
    meaning: str = ""
    example: float | str = "{}"

    @property
    def spec(self) -> tf.TensorSpec:
        """The `tf.TensorSpec` of the signature."""
        return tf.TensorSpec(self.shape, self.dtype, self.name)

    @property
    def has_rows(self) -> bool:
        """Whether there is one entry per row."""
        return bool(self.shape) and self.shape[0] is None


class Output(NamedTuple):
    """One output of a signature; its attributes are those of `Input`.

    In `shape` a letter stands for a size that depends on the request.
    """

    name: str
    dtype: tf.DType
    shape: tuple = (None,)
    meaning: str = ""


class Signature(NamedTuple):
    """What a signature takes and gives.

    Attributes:
        meaning: str. One line for people.
        inputs: list of Input. Those with a default stand last.
        outputs: list of Output.
        max_rows: int. The most rows of a request.
    """

    meaning: str
    inputs: list
    outputs: list
    max_rows: int = MAX_ROWS


def _option(name, dtype, default, example, meaning, minimum=None, maximum=None):
    return Input(name, dtype, (), minimum, maximum, default, meaning, example)


_TEXT = Input("text", tf.string, meaning="one text a row")
_HIDDEN = '"_" for each hidden word or character'
_WITH_HIDDEN = Input("text", tf.string, meaning=_HIDDEN, example="_ {}")
_SEED = Input("seed", tf.int64, meaning="one a row; the same seed, the same text")
_SAMPLING = [
    _option("temperature", tf.float32, 1.0, 0.7, "0 decodes greedily", 0.0, 100.0),
    _option("top_k", tf.int32, 0, 4, "keep the k likeliest words; 0 keeps all", 0),
    _option("top_p", tf.float32, 1.0, 0.9, "nucleus; 1 keeps all", 0.0, 1.0),
]
_PIECES = _option(
    "max_pieces", tf.int32, 4, 2, "subwords that a hidden word may have", 1, 8
)
_FROM_DENSITY = "z from the fitted density, not the prior"
_ENDS = [
    Input("start", tf.string, meaning="first text of each path"),
    Input("end", tf.string, meaning="last text of each path"),
]
_PATH = [
    _option("steps", tf.int32, 8, 5, "texts of a path, ends included", 2, MAX_STEPS),
    _option("spherical", tf.bool, False, True, "along an arc, not a line"),
]
_ONE_DRAW = "of the one draw of noise that all rows share"
_NOISE_SEED = _option("seed", tf.int64, 0, 5, _ONE_DRAW)
_TEXTS = Output("text", tf.string, meaning="one text a row")
_PATHS = Output("text", tf.string, (None, "S"), "a path a row, ends included")
_OUTSIDE = "words or characters that are not in the vocabulary"
_UNKNOWN = Output("unknown", tf.int32, meaning=_OUTSIDE)
_BOUND = [
    Output("bound", tf.float32, meaning="at least -log p(text), nats"),
    Output("reconstruction", tf.float32, meaning="-log p(text|z), nats"),
    Output("kl", tf.float32, meaning="nats"),
    _UNKNOWN,
]


def declare(
    latent_dim: int,
    gaussian: bool = True,
    labels: int = 0,
    writes: bool = True,
    scores: bool = True,
    fitted: bool | None = None,
    subwords: bool = False,
) -> dict[str, Signature]:
    """Returns the signatures of a text space by name; the first is the default one.

    Args:
        latent_dim: int. D; 0 for a language model, which has only the first three.
        gaussian: bool. Whether the posterior is Gaussian, so that its KL is exact and
            its log-variance has a meaning.
        labels: int. How many labels the model tells apart; 0 if it does not classify.
        writes: bool. Whether the model makes texts. A classifier does not, nor does a
            decoder that knows no order of words.
        scores: bool. Whether the model has a decoder, whose likelihood is bounded.
        fitted: the default of `sample`'s option of that name; None for a space without
            a density, which has no such option.
        subwords: bool. Whether texts are subwords, so that `impute` has `max_pieces`.
    """
    classify = {}
    if labels:
        each = (None, labels)
        outputs = [
            Output("label", tf.string, meaning="the likeliest label"),
            Output("labels", tf.string, each, "all labels, in the model's order"),
            Output("probabilities", tf.float32, each, "of the labels, in that order"),
        ]
        classify["classify"] = Signature("classifies", [_TEXT], outputs)
    vectors = (None, latent_dim)
    log_var = Output("log_var", tf.float32, vectors, "the posterior's log-variance")
    posterior = [
        Output("mean", tf.float32, vectors, "the posterior's mode"),
        *([log_var] if gaussian else []),
        Output("kl", tf.float32, meaning="nats" if gaussian else "nats, an estimate"),
        _UNKNOWN,
    ]
    encode = {"encode": Signature("infers the posterior", [_TEXT], posterior)}
    score = Signature("bounds the likelihood", [_TEXT, _NOISE_SEED], _BOUND)
    if not writes:
        encode = encode if latent_dim else {}
        return classify | encode | ({"score": score} if scores else {})
    sampling = [*_SAMPLING]
    if fitted is not None:
        sampling.append(_option("fitted", tf.bool, fitted, not fitted, _FROM_DENSITY))
    hiding = [_WITH_HIDDEN, *([_PIECES] if subwords else [])]
    signatures = {
        "sample": Signature("draws texts", [_SEED, *sampling], [_TEXTS]),
        "impute": Signature(
            "replaces hidden words", hiding, [_TEXTS], MAX_ROWS_OF_SEVERAL
        ),
        "score": score,
    }
    if not latent_dim:
        return signatures
    z = Input("z", tf.float32, vectors, meaning="one latent vector a row")
    return signatures | {
        "interpolate": Signature(
            "decodes between texts", _ENDS + _PATH, [_PATHS], MAX_ROWS_OF_SEVERAL
        ),
        "reconstruct": Signature("encodes and decodes", [_TEXT], [_TEXTS]),
        **encode,
        "decode": Signature("decodes greedily", [z], [_TEXTS]),
        **classify,
    }


def table(signatures: dict[str, Signature]) -> str:
    """Returns a Markdown table of signatures, a line for each tensor."""
    lines = [
        "| signature | | tensor | type | shape | default | meaning |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, signature in signatures.items():
        rows = f"{signature.max_rows:,} rows at most"
        lines.append(f"| `{name}` | | | | | | {signature.meaning}; {rows} |")
        lines += [_line("in", declared) for declared in signature.inputs]
        lines += [_line("out", declared) for declared in signature.outputs]
    return "\n".join(lines)


def _line(side, declared):
    shape = ", ".join("B" if size is None else str(size) for size in declared.shape)
    default = getattr(declared, "default", None)
    default = "" if default is None else str(default).lower()
    meaning = declared.meaning.replace("|", r"\|")
    return (
        f"| | {side} | `{declared.name}` | {declared.dtype.name} "
        f"| {f'[{shape}]' if shape else 'scalar'} | {default} | {meaning} |"
    )
