"""Runs: the training of a recipe in a folder, which goes on after a kill.

run_dir/config.json      recipe and corpus, with the checksums of its files
run_dir/checkpoint.npz   the last epoch's state, for resuming
run_dir/best/            the text space with the best validation, see `space_files`;
                         with the recipe's density, once finished
run_dir/metrics.csv      a row per epoch
run_dir/curves.png       the same drawn, by programs, where Matplotlib is installed
run_dir/stages/          the stages before, each a run of its own
run_dir/logs/            TensorBoard, where it is installed (extra `plot`)
run_dir/result.json      the test set's figures, once finished

Without TensorFlow: corpora come as ids.
"""

import contextlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import keras

from keras_textvae import space_files
from keras_textvae.atomic_files import write_json
from keras_textvae.callbacks import RunHistory, TrainingCheckpoint
from keras_textvae.evaluation import Bound, evaluate_bound
from keras_textvae.models import GenerativeModel, SentenceModel
from keras_textvae.prepared import PreparedCorpus, files_config
from keras_textvae.training import beginning, density
from keras_textvae.training.folder import (
    CONFIG,
    FORMAT,
    InUse,
    check_same_run,
    config_of,
    locked,
)
from keras_textvae.zoo import PARTS, Recipe, check_keep

if TYPE_CHECKING:
    from keras_textvae.text_space import TextSpace


class Run:
    """One training run in its folder.

    Making it again with the same arguments continues it; with more epochs, further.

    Args:
        folder: created if it does not exist.
        recipe: `zoo.Recipe`.
        corpus: `prepared.PreparedCorpus`, prepared by the recipe's `text`.
        seed: int. Seeds weights, noise and the order of the data.
        dtype_policy: Keras's precision policy.
        start_from: the folder of another run, or of a text space, with the same
            vocabulary and sizes, whose best weights are this one's first; or None.
        keep: the parts of the model that take those weights.

    Attributes:
        model: as training left it, or as it starts.
        train_batches, valid_batches, test_batches: `batches.Batches`. Those for testing
            are those for validation where the corpus has no test set.
        history: `callbacks.RunHistory`.
        epochs_done: int.

    Raises:
        ValueError: if the folder holds another run, the corpus was prepared for another
            text, `start_from` has a model of another vocabulary or other sizes, or the
            recipe's density cannot be fitted to this model and corpus.
        FileNotFoundError: if there is no trained run in `start_from`.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        recipe: Recipe,
        corpus: PreparedCorpus,
        seed: int = 0,
        dtype_policy: str = "float32",
        start_from: str | os.PathLike | None = None,
        keep: tuple[str, ...] = PARTS,
    ):
        self.folder = os.fspath(folder)
        self.recipe = recipe
        self.corpus = corpus
        self.seed = seed
        self.dtype_policy = dtype_policy
        self.start_from = start_from
        self.keep = keep
        check_keep(keep)
        beginning.check_prepared(corpus, recipe)
        beginning.check_stages(recipe)
        self._config = self._described()
        check_same_run(self.folder, self._config)
        self.train_batches, self.valid_batches, self.test_batches = (
            beginning.batches_of(corpus, recipe.data, seed)
        )
        self._build()
        density.check(self)
        self._restore()
        if start_from and not self.epochs_done:
            beginning.begin_with(self.model, self.corpus, start_from, keep)
        # What a process that trains there goes by is its own.
        with contextlib.suppress(InUse), locked(self.folder):
            self._write_config()

    @classmethod
    def resume(
        cls, folder: str | os.PathLike, corpus: PreparedCorpus | None = None, **fields
    ) -> "Run":
        """Returns the run in a folder, which needs nothing else.

        Args:
            folder: of a run.
            corpus: its corpus; None finds it where it was, or prepares it again from
                the files that it was made of.
            fields: see `Recipe.replace`, such as more `epochs`.

        Raises:
            FileNotFoundError: if there is no run in the folder, or its corpus is gone.
        """
        config = config_of(folder)
        recipe = Recipe.from_config(config["recipe"])
        if corpus is None:
            corpus = beginning.find_corpus(config, recipe)
        start = config["start_from"] or {}
        return cls(
            folder,
            recipe.replace(**fields),
            corpus,
            config["seed"],
            config["dtype_policy"],
            start.get("folder"),
            tuple(start.get("keep", PARTS)),
        )

    def path(self, name: str) -> str:
        """Returns the path of a file of the run."""
        return os.path.join(self.folder, name)

    @property
    def steps_per_epoch(self) -> int:
        """Training steps in an epoch."""
        return len(self.train_batches)

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or training has stopped early."""
        done = self.epochs_done >= self.recipe.training.epochs
        return done or self.history.out_of_patience

    def train(
        self,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        verbose: int | str = 1,
        announce: Callable[["Run"], None] = lambda run: None,
    ):
        """Trains to the last epoch or to early stopping, from where the run stands.

        At the end the recipe's density is fitted, if it is not there yet.

        Args:
            callbacks: more of Keras's callbacks.
            verbose: as in `keras.Model.fit`.
            announce: called with each run that is about to be trained: the stages that
                are not finished, and then this one.

        Raises:
            ValueError: if another process is training in the folder.
        """
        with locked(self.folder):
            self._restore()  # another process may have gone on since
            self._write_config()
            if not self.finished:
                # That of a run which was finished may not fit its next best model.
                space_files.remove_density(self.path("best"))
                if not self.epochs_done:
                    self._train_stages(callbacks, verbose, announce)
                announce(self)
                self._fit(callbacks, verbose)
            if self.finished:
                density.fit(self)

    def best_model(self) -> SentenceModel:
        """Loads the model with the best validation, on whatever backend this is.

        Raises:
            FileNotFoundError: if no epoch has ended.
        """
        return space_files.load_model(self.path("best"))

    def best(self) -> "TextSpace":
        """Loads the `TextSpace` with the best validation. Needs TensorFlow.

        Raises:
            FileNotFoundError: if no epoch has ended.
        """
        from keras_textvae.text_space import TextSpace

        return TextSpace.load(self.path("best"))

    def test(self, model: GenerativeModel) -> Bound:
        """Evaluates the bound of a model on the test set, or else the validation set.

        The figures are kept in the folder.
        """
        result = evaluate_bound(model, self.test_batches)
        write_json(self.path("result.json"), result._asdict())
        return result

    def _described(self):
        return {
            "format": FORMAT,
            "recipe": self.recipe.get_config(),
            "sources": self.corpus.sources,
            "files": files_config(self.corpus.files),
            "prepared": os.path.abspath(self.corpus.folder),
            "seed": self.seed,
            "dtype_policy": self.dtype_policy,
            "start_from": beginning.start_config(
                self.start_from, self.keep, self.folder
            ),
        }

    @property
    def _sizes(self):
        return self.corpus.vocabulary_size, self.corpus.length

    def _build(self):
        """Makes the model, compiled, and its random numbers a function of the seed."""
        with beginning.precision(self.dtype_policy):
            keras.utils.set_random_seed(self.seed)
            self.model = self.recipe.build_model(*self._sizes)
            self.model.compile(optimizer=self.recipe.training.build_optimizer())

    def _restore(self):
        """Goes to where the folder's checkpoint stands, if there is one."""
        patience = self.recipe.training.patience
        rank = self.recipe.terms.rank()
        self.history = RunHistory(self._save_best, patience, rank)
        self.checkpoint = TrainingCheckpoint(self.path("checkpoint.npz"), self.history)
        self.epochs_done = self.checkpoint.restore(self.model)
        if not self.epochs_done and os.path.exists(self.path("metrics.csv")):
            raise ValueError(
                f"{self.folder} was trained, but its checkpoint.npz is gone, without "
                "which it cannot go on. Keep its best model elsewhere and delete the "
                "folder to begin anew."
            )

    def _train_stages(self, callbacks, verbose, announce):
        beginning.check_sizes(self.model, self.recipe, *self._sizes)
        start, keep = self.start_from, self.keep
        for number, stage in enumerate(self.recipe.stages, start=1):
            run = Run(
                self.path(os.path.join("stages", f"{number}-{stage.name}")),
                self.recipe.stage(stage),
                self.corpus,
                self.seed,
                self.dtype_policy,
                start,
                keep,
            )
            run.train(callbacks, verbose, announce)
            start, keep = run.folder, stage.keep
        if start and self.recipe.stages:
            beginning.begin_with(self.model, self.corpus, start, keep)

    def _fit(self, callbacks, verbose):
        self.train_batches.next_epoch = self.epochs_done
        self.model.fit(
            self.train_batches,
            validation_data=self.valid_batches.spread(self.recipe.data.valid_steps),
            initial_epoch=self.epochs_done,
            epochs=self.recipe.training.epochs,
            verbose=verbose,
            callbacks=[
                *self._weighing(),
                keras.callbacks.LearningRateScheduler(self._learning_rate),
                self.history,
                self.checkpoint,
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, logs: self._write_metrics()
                ),
                *self._tensorboard(),
                *callbacks,
            ],
        )
        self.epochs_done = len(self.history.rows)

    def _save_best(self):
        space_files.save(self.path("best"), self.model, self.corpus.codec_config)

    def _write_config(self):
        write_json(self.path(CONFIG), self._config)
        self._write_metrics()

    def _write_metrics(self):
        self.history.write(self.path("metrics.csv"))

    def _weighing(self):
        return [self.recipe.terms.weighing()] if self.model.latent_dim else []

    def _learning_rate(self, epoch, _):
        training = self.recipe.training
        return training.learning_rate * training.rate_schedule.build()(epoch)

    def _tensorboard(self):
        """Its callback, where TensorBoard is installed: Keras's own fails without."""
        if importlib.util.find_spec("tensorboard") is None:
            return []
        if importlib.util.find_spec("tensorflow") is None:
            return []
        return [keras.callbacks.TensorBoard(self.path("logs"), write_graph=False)]
