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

Without TensorFlow: corpora come as ids. Where processes on several hosts train
together, the folder is process 0's.
"""

import contextlib
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
from keras_textvae.training import beginning, density, fitting, hosts, stages
from keras_textvae.training.devices import Devices, alone
from keras_textvae.training.folder import (
    CONFIG,
    FORMAT,
    InUse,
    check_same_run,
    config_of,
    flat,
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
        devices: int. How many of the machine's, of each host's, share every batch; None
            for as many as share it equally. It is no matter for the run, which another
            number may go on with.

    Attributes:
        model: as training left it, or as it starts.
        train_batches, valid_batches, test_batches: `batches.Batches`. Those for testing
            are those for validation where the corpus has no test set.
        history: `callbacks.RunHistory`.
        epochs_done: int.
        leads: whether this is process 0, whose folder it is.

    Raises:
        ValueError: if the devices are not there or cannot share a batch, processes have
            different runs or versions, the folder holds another run, the corpus was
            prepared for another text, `start_from` has a model of another vocabulary or
            other sizes, or the recipe's density cannot be fitted to this model and
            corpus.
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
        devices: int | None = None,
    ):
        self.folder = os.fspath(folder)
        self.recipe = recipe
        self.corpus = corpus
        self.seed = seed
        self.dtype_policy = dtype_policy
        self.start_from = start_from
        self.keep = keep
        self.leads = hosts.index() == 0
        with hosts.together():
            check_keep(keep)
            beginning.check_prepared(corpus, recipe)
            stages.check(recipe)
            self.devices = Devices(devices, recipe.data.batch_size)
            self.train_batches, self.valid_batches, self.test_batches = (
                beginning.batches_of(corpus, recipe.data, seed, self.devices)
            )
        hosts.require_same(self._same_everywhere())
        with hosts.together():
            if self.leads:
                self._config = self._described()
                check_same_run(self.folder, self._config)
        self._build()
        with hosts.together():
            if self.leads:
                density.check(self)
        self._restore()
        if start_from and not self.epochs_done:
            beginning.begin_with(self.model, self.corpus, start_from, keep)
        with hosts.together():
            # What a process that trains there goes by is its own.
            with contextlib.suppress(InUse), self._locked():
                self._write_config()

    @classmethod
    def resume(
        cls,
        folder: str | os.PathLike,
        corpus: PreparedCorpus | None = None,
        devices: int | None = None,
        **fields,
    ) -> "Run":
        """Returns the run in a folder, which needs nothing else.

        Args:
            folder: of a run.
            corpus: its corpus; None finds it where it was, or prepares it again from
                the files that it was made of.
            devices: see `Run`.
            fields: see `Recipe.replace`, such as more `epochs`.

        Raises:
            FileNotFoundError: if there is no run in the folder, or its corpus is gone.
        """
        with hosts.together():
            config = config_of(folder)
            recipe = Recipe.from_config(config["recipe"])
            if corpus is None:
                corpus = beginning.find_corpus(config, recipe)
            recipe = recipe.replace(**fields)
        start = config["start_from"] or {}
        return cls(
            folder,
            recipe,
            corpus,
            config["seed"],
            config["dtype_policy"],
            start.get("folder"),
            tuple(start.get("keep", PARTS)),
            devices,
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
        with contextlib.ExitStack() as stack:
            with hosts.together():
                stack.enter_context(self._locked())
            self._restore()  # another process may have gone on since
            with hosts.together():
                self._write_config()
            if not self.finished:
                if self.leads:
                    # That of a run which was finished may not fit its next best model.
                    space_files.remove_density(self.path("best"))
                if not self.epochs_done:
                    stages.train(self, callbacks, verbose, announce)
                announce(self)
                fitting.fit(self, callbacks, verbose)
            if self.finished and self.leads:
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

    def _same_everywhere(self):
        """What all processes must have alike, wherever their files lie."""
        return flat(
            {
                "recipe": self.recipe.get_config(),
                "seed": self.seed,
                "precision": self.dtype_policy,
                "sources": self.corpus.sources,
            }
        )

    def _locked(self):
        return locked(self.folder) if self.leads else contextlib.nullcontext()

    def _build(self):
        """Makes the model, compiled, and its random numbers a function of the seed."""
        with beginning.precision(self.dtype_policy), self.devices.scope():
            keras.utils.set_random_seed(self.seed)
            self.model = self.recipe.build_model(
                self.corpus.vocabulary_size, self.corpus.length
            )
            self.model.compile(optimizer=self.recipe.training.build_optimizer())

    def _restore(self):
        """Goes to where the folder's checkpoint stands, if there is one."""
        patience = self.recipe.training.patience
        rank = self.recipe.terms.rank()
        path = self.path("checkpoint.npz")
        self.history = RunHistory(self._save_best, patience, rank)
        self.checkpoint = TrainingCheckpoint(path, self.history)
        file = hosts.file_of_first(path)
        self.epochs_done = self.checkpoint.restore(self.model, file) if file else 0
        with hosts.together():
            if file is None and self.leads and os.path.exists(self.path("metrics.csv")):
                raise ValueError(
                    f"{self.folder} was trained, but its checkpoint.npz is gone, "
                    "without which it cannot go on. Keep its best model elsewhere and "
                    "delete the folder to begin anew."
                )

    def _save_best(self):
        if not self.leads:
            return
        with alone():  # a copy is saved
            space_files.save(self.path("best"), self.model, self.corpus.codec_config)

    def _write_config(self):
        if self.leads:
            write_json(self.path(CONFIG), self._config)
            self.write_metrics()

    def write_metrics(self):
        """Writes the table of the epochs."""
        self.history.write(self.path("metrics.csv"))
