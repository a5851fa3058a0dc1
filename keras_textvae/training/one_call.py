"""All of a training in one call: texts in, a text space out."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from keras_textvae import corpora, zoo
from keras_textvae.corpora import Corpus
from keras_textvae.prepared import prepare
from keras_textvae.training import console
from keras_textvae.training.run import Run

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace

RECIPE = "short-texts"


def train(
    texts: str | os.PathLike | Corpus | Iterable,
    run_dir: str | os.PathLike,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    valid_share: float | None = None,
    drop_duplicates: bool = False,
    language: str | None = None,
    recipe: str | zoo.Recipe = RECIPE,
    seed: int = 0,
    precision: str = "float32",
    verbose: int = 1,
    **changes: Any,
) -> "TextSpace":
    """Trains a recipe on texts, and returns the text space of its best epoch.

    The same call again goes on where a killed one was, and where that is finished loads
    what it made. Needs TensorFlow.

        space = keras_textvae.train("reviews.csv", "runs/reviews", text_column="review")
        print(*space.interpolate("Great food!", "Never again."), sep="\\n")

    Args:
        texts: the path of a file, a pattern or a folder, see `corpora.collect`; or
            texts, dicts by column or (text, label) pairs from Python, see
            `corpora.collect_texts`; or a `Corpus`.
        run_dir: folder of the run, created if it does not exist.
        text_column, label_column, valid_share, drop_duplicates, language: see
            `corpora.collect`; not with a `Corpus`.
        recipe: the name of a recipe, or `zoo.Recipe`.
        seed: int. Of weights, noise and the order of the data.
        precision: Keras's precision policy, such as "mixed_bfloat16".
        verbose: 1 prints progress, with the time left, and at the end a short report on
            the latent space; 0 prints nothing.
        changes: fields of the recipe, as `Recipe.replace` takes them: `epochs=5`,
            `level="words"`, `length=20`, `latent_dim=32`.

    Raises:
        FileNotFoundError: if a path or pattern has no file.
        ValueError: with one line, as `corpora.collect`, `prepare`, `Recipe.replace` and
            `Run` do.
    """
    if isinstance(recipe, str):
        recipe = zoo.recipe(recipe)
    recipe = recipe.replace(**changes)
    corpus = _corpus(
        texts,
        text_column=text_column,
        label_column=label_column,
        valid_share=valid_share,
        drop_duplicates=drop_duplicates,
        language=language,
        verbose=verbose,
    )
    prepared = prepare(corpus, recipe.text, verbose=verbose)
    run = Run(run_dir, recipe, prepared, seed, precision)
    if verbose:
        console.describe_files(corpus)
        console.train(run)
        console.report(run)
    else:
        run.train(verbose=0)
    return run.best()


def _corpus(texts, verbose, **options) -> Corpus:
    if isinstance(texts, Corpus):
        if named := [name for name, value in options.items() if value]:
            raise ValueError(f"A `Corpus` has been read. Received also: {named[0]}")
        return texts
    options |= {"verbose": verbose}
    if isinstance(texts, str | os.PathLike):
        return corpora.collect(texts, **options)
    return corpora.collect_texts(texts, **options)
