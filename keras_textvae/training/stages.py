"""The stages of a recipe: runs before a run, whose weights the next begins with."""

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import keras

from keras_textvae.models import SentenceModel
from keras_textvae.training import beginning
from keras_textvae.zoo import Recipe

if TYPE_CHECKING:
    from keras_textvae.training.run import Run


def check(recipe: Recipe):
    """Raises ValueError for a stage that would need another corpus."""
    for stage in recipe.stages:
        if recipe.stage(stage).text != recipe.text:
            raise ValueError(f"The stage {stage.name!r} changes how texts become ids.")


def check_sizes(
    model: SentenceModel, recipe: Recipe, vocabulary_size: int, length: int
):
    """Raises ValueError for a stage whose parts would not fit those that keep them.

    Args:
        model: what the recipe itself trains.
    """
    for stage in reversed(recipe.stages):
        before = recipe.stage(stage).build_model(vocabulary_size, length)
        beginning.kept_weights(model, before, stage.keep, f"The stage {stage.name!r}")
        model = before


def train(
    run: "Run",
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int | str,
    announce: Callable[["Run"], None],
):
    """Trains the stages that are not finished, and takes the weights of the last.

    Args:
        run: whose stages they are, before its first epoch.
        callbacks, verbose, announce: see `Run.train`.
    """
    check_sizes(run.model, run.recipe, run.corpus.vocabulary_size, run.corpus.length)
    start, keep = run.start_from, run.keep
    for number, stage in enumerate(run.recipe.stages, start=1):
        before = type(run)(
            run.path(os.path.join("stages", f"{number}-{stage.name}")),
            run.recipe.stage(stage),
            run.corpus,
            run.seed,
            run.dtype_policy,
            start,
            keep,
            len(run.devices.local),
        )
        before.train(callbacks, verbose, announce)
        start, keep = before.folder, stage.keep
    if start and run.recipe.stages:
        beginning.begin_with(run.model, run.corpus, start, keep)
