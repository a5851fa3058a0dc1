"""The flags that say what is trained and on what: a recipe, changes to it, a corpus."""

import json

from absl import flags

from examples import corpus_flags
from keras_textvae import PreparedCorpus, objectives, prepare, prepared, zoo
from keras_textvae.tokens import WORD_SPLITS

FLAGS = flags.FLAGS
DEFAULT = "demo"
REPLACEABLE = (
    "level",
    "epochs",
    "steps_per_epoch",
    "batch_size",
    "bucket_width",
    "by_length",
    "learning_rate",
    "lower",
    "length",
    "vocabulary",
    "too_long",
    "right_to_left",
    "split",
    "beta",
    "alpha",
    "free_bits",
    "free_bits_over",
    "fitted",
    "density_noise",
    "density_scale",
    "target_kl",
)
ANNEALING = (
    "none, sigmoid,MIDPOINT,STEEPNESS, linear,START,END[,FLOOR] or "
    "cyclical,PERIOD,CYCLES[,RISING], in steps"
)

# The type of a model's argument -> how its value is read.
PARSERS = {
    bool: lambda text: {"true": True, "false": False}[text.lower()],
    int: int,
    float: float,
    str: str,
    type(None): json.loads,  # a number
    tuple: lambda sizes: tuple(int(size) for size in sizes.split(",")),
}


def define():
    """Defines the flags."""
    corpus_flags.define()
    text, number = flags.DEFINE_string, flags.DEFINE_integer
    names = ", ".join(sorted(zoo.RECIPES))
    text("recipe", None, f"one of {names} (default: {DEFAULT})")
    text("prepared", None, "folder of the prepared corpus (default: in the cache)")
    number("epochs", None, "most epochs (default: the recipe's)", 1)
    number("steps_per_epoch", None, "training steps in an epoch (default: all)", 1)
    number("batch_size", None, "sentences in a step (default: the recipe's)", 1)
    number(
        "bucket_width",
        None,
        "round lengths up to a multiple: fewer shapes to compile, more padding "
        "(default: 1 on TensorFlow, 16 on JAX)",
        1,
    )
    flags.DEFINE_bool(
        "by_length",
        None,
        "batches of sentences of near-equal lengths; --noby_length for batch "
        "normalisation, to which they tell too much (default: the recipe's)",
    )
    flags.DEFINE_float("learning_rate", None, "of Adam (default: the recipe's)", 0.0)
    text("annealing", None, f"of the KL weight: {ANNEALING} (default: the recipe's)")
    flags.DEFINE_float(
        "beta", None, "weight of the KL once annealed (default: the recipe's)", 0.0
    )
    flags.DEFINE_float(
        "free_bits",
        None,
        "nats of the KL that cost nothing, so that z says as much (default: the "
        "recipe's)",
        0.0,
    )
    flags.DEFINE_enum(
        "free_bits_over",
        None,
        [*objectives.FREE_BITS],
        "what has them: each dimension an equal part, each sentence, or the batch's "
        "mean (default: the recipe's)",
    )
    flags.DEFINE_float(
        "target_kl",
        None,
        "nats at which the KL is held, in place of annealing (default: the recipe's)",
        0.0,
    )
    flags.DEFINE_float(
        "alpha", None, "weight of the auxiliary loss (default: the recipe's)", 0.0
    )
    number(
        "density",
        None,
        "Gaussians of the mixture that is fitted to the posteriors at the end; 0 for "
        "none (default: the recipe's)",
        0,
    )
    flags.DEFINE_bool(
        "fitted",
        None,
        "sample from that mixture, not the prior, unless told otherwise (default: the "
        "recipe's)",
    )
    flags.DEFINE_float(
        "density_noise",
        None,
        "what the posteriors' noise is multiplied by in the draws that the mixture is "
        "fitted to; 0 fits it to their means (default: the recipe's)",
        0.0,
    )
    flags.DEFINE_float(
        "density_scale",
        None,
        "what that mixture's standard deviations are multiplied by; below 1 texts are "
        "more fluent, and less varied (default: the recipe's)",
        0.0,
    )
    flags.DEFINE_enum(
        "level",
        None,
        [*prepared.LEVELS],
        "what a text is cut into; another than the recipe's comes with a length and a "
        "vocabulary of its own, unless they are given (default: the recipe's)",
    )
    flags.DEFINE_bool("lower", None, "lower-case all text (default: the recipe's)")
    number(
        "length",
        None,
        "most words, or pieces, of a sentence; of crops, all (default: the recipe's, "
        "or what 99 % of the training sentences have at most)",
        1,
    )
    number("vocabulary", None, "most ids, special too (default: the recipe's)", 5)
    flags.DEFINE_multi_string(
        "model", [], "an argument of the model, as latent_dim=16; repeat for more"
    )
    flags.DEFINE_enum(
        "too_long",
        None,
        [*prepared.TOO_LONG],
        "what to do with longer sentences (default: the recipe's)",
    )
    flags.DEFINE_enum(
        "split",
        None,
        [*WORD_SPLITS],
        "where words end: at blanks, or at punctuation too, for text that nobody has "
        "split yet (default: the recipe's)",
    )
    flags.DEFINE_bool(
        "right_to_left", None, "read from the last word on (default: the recipe's)"
    )


def name() -> str:
    """Returns the recipe's name."""
    return FLAGS.recipe or DEFAULT


def recipe() -> zoo.Recipe:
    """Returns the recipe that the flags describe."""
    named = zoo.recipe(name())
    return named.replace(**changes(named))


def changes(recipe: zoo.Recipe) -> dict:
    """Returns the fields of a recipe that the flags replace."""
    values = {name: FLAGS[name].value for name in REPLACEABLE}
    fields = {name: value for name, value in values.items() if value is not None}
    if FLAGS.density is not None:
        fields["components"] = FLAGS.density
    if FLAGS.annealing:
        fields["schedule"] = annealing(FLAGS.annealing)
    elif FLAGS.target_kl is not None:
        fields["schedule"] = zoo.CONSTANT
    return fields | model_arguments(recipe.model.all_arguments)


def corpus(recipe: zoo.Recipe) -> PreparedCorpus:
    """Returns the corpus as ids: that of --prepared as it is, or else one of files."""
    if FLAGS.prepared and not corpus_flags.are_set():
        return PreparedCorpus(FLAGS.prepared)
    return prepare(corpus_flags.files(recipe.data.corpus), recipe.text, FLAGS.prepared)


def annealing(text: str) -> zoo.Schedule:
    """Parses `--annealing`."""
    name, *numbers = text.split(",")
    if text == "none":
        return zoo.CONSTANT
    try:
        if name not in ("sigmoid", "linear", "cyclical"):
            raise ValueError(f"there is no schedule {name!r}")
        if not 2 <= len(numbers) <= (2 if name == "sigmoid" else 3):
            raise ValueError("two numbers are needed")
        schedule = zoo.Schedule(name, tuple(map(float, numbers)))
        schedule.build()
    except ValueError as error:
        raise ValueError(f"--annealing={text}: {error}. It is {ANNEALING}.") from None
    return schedule


def model_arguments(defaults: dict) -> dict:
    """Parses `--model=NAME=VALUE` flags, each of the type of the default."""
    arguments = {}
    for text in FLAGS.model:
        name, _, value = text.partition("=")
        if name not in defaults:
            names = ", ".join(defaults)
            raise ValueError(f"--model={text}: the arguments are {names}.")
        try:
            arguments[name] = PARSERS[type(defaults[name])](value)
        except (ValueError, KeyError):
            raise ValueError(
                f"--model={text}: a value like {defaults[name]} is needed."
            ) from None
    return arguments
