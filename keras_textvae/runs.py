"""Run folders: everything that a training run writes, and how it goes on after a kill.

run_dir/config.json      preset and data, as they were given
run_dir/tokenizer.json   learned from the training files
run_dir/checkpoint.npz   the last epoch's state, for resuming
run_dir/best/            the text space with the best validation bound
run_dir/metrics.csv      a row per epoch
run_dir/logs/            TensorBoard
run_dir/result.json      the test set's figures, once finished
"""

import csv
import dataclasses
import json
import os

import keras

from keras_textvae import tokenizers
from keras_textvae.callbacks import KLAnnealing, RunHistory, TrainingCheckpoint
from keras_textvae.corpora import Corpus
from keras_textvae.evaluation import Bound, evaluate_bound
from keras_textvae.pipeline import CropBatches, SentenceBatches
from keras_textvae.text_space import TextSpace
from keras_textvae.zoo import Preset


class Run:
    """One training run in its folder.

    Making it again with the same arguments continues it.

    Args:
        folder: str. Created if it does not exist.
        preset: `zoo.Preset`.
        corpus: `corpora.Corpus`.
        seed: int. Seeds weights, noise and the order of the data.
        too_long: "error", "drop" or "cut", see `pipeline.SentenceBatches`.
        dtype_policy: str. Keras's precision policy.

    Raises:
        ValueError: if the folder holds a run of another configuration.
    """

    def __init__(
        self,
        folder: str,
        preset: Preset,
        corpus: Corpus,
        seed: int = 0,
        too_long: str = "error",
        dtype_policy: str = "float32",
    ):
        self.folder = folder
        self.preset = preset
        self.corpus = corpus
        self.seed = seed
        self.too_long = too_long
        self.train_batches = self._batches(corpus.train, learn=True)
        self.valid_batches = self._batches(corpus.valid)
        self._claim(
            {
                "preset": dataclasses.asdict(preset),
                "corpus": corpus._asdict(),
                "seed": seed,
                "too_long": too_long,
                "dtype_policy": dtype_policy,
            }
        )
        keras.config.set_dtype_policy(dtype_policy)
        keras.utils.set_random_seed(seed)
        self.model = preset.build_model(self.tokenizer.vocabulary_size)
        self.model.compile(optimizer=preset.build_optimizer())
        self.history = RunHistory(
            self._save_best, preset.patience, preset.decay_patience
        )
        self.checkpoint = TrainingCheckpoint(self.path("checkpoint.npz"), self.history)
        self.epochs_done = self.checkpoint.restore(self.model)

    def path(self, name: str) -> str:
        """Returns the path of a file of the run."""
        return os.path.join(self.folder, name)

    @property
    def steps_per_epoch(self) -> int:
        """Training steps in an epoch."""
        return self.preset.steps_per_epoch or self.train_batches.steps_per_epoch

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or training has stopped early."""
        patience = self.preset.patience
        stopped = patience and self.history.epochs_since_best >= patience
        return bool(stopped) or self.epochs_done >= self.preset.epochs

    def train(self, callbacks=(), verbose=1):
        """Trains to the last epoch or to early stopping, from where the run stands."""
        if self.finished:
            return
        start = self.epochs_done * self.steps_per_epoch
        self.model.fit(
            self.train_batches.from_step(start),
            steps_per_epoch=self.steps_per_epoch,
            validation_data=self.valid_batches.epoch(0),
            initial_epoch=self.epochs_done,
            epochs=self.preset.epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=[
                KLAnnealing(self.preset.schedule.build()),
                self.history,
                self.checkpoint,
                _MetricsFile(self.path("metrics.csv"), self.history),
                keras.callbacks.TensorBoard(self.path("logs"), write_graph=False),
                *callbacks,
            ],
        )
        self.epochs_done = len(self.history.rows)

    def best(self) -> TextSpace:
        """Loads the text space with the best validation bound.

        Raises:
            FileNotFoundError: if no epoch has ended.
        """
        return open_space(self.folder)

    def test(self, space: TextSpace) -> Bound:
        """Evaluates the bound of a text space on the test files, or else the valid."""
        model = space.model
        model.compile()
        batches = self._batches(self.corpus.test or self.corpus.valid)
        result = evaluate_bound(model, batches.epoch(0))
        _write_json(self.path("result.json"), result._asdict())
        return result

    def space(self) -> TextSpace:
        """Returns the text space of the model as it is now."""
        return TextSpace(
            self.model, self.tokenizer, self.preset.length, self.preset.crops
        )

    def _save_best(self):
        self.space().save(self.path("best"))

    def _batches(self, files, learn=False):
        preset = self.preset
        if learn:
            self.tokenizer = self._tokenizer(files)
        if preset.crops:
            return CropBatches(
                files, self.tokenizer, preset.batch_size, preset.length, seed=self.seed
            )
        fixed = preset.architecture == "hybrid"
        return SentenceBatches(
            files,
            self.tokenizer,
            preset.batch_size,
            max_length=preset.length + 1,
            length=preset.length + 1 if fixed else None,
            too_long=self.too_long,
            shuffle=learn,
            seed=self.seed,
        )

    def _tokenizer(self, files):
        path = self.path("tokenizer.json")
        if os.path.exists(path):
            return tokenizers.load(path)
        preset = self.preset
        if preset.level == "words":
            return tokenizers.WordTokenizer.learn(
                files, size=preset.vocabulary, lower=preset.lower
            )
        if preset.level == "bytes":
            return tokenizers.CharacterTokenizer()
        return tokenizers.CharacterTokenizer.learn(files, size=preset.vocabulary)

    def _claim(self, config):
        path = self.path("config.json")
        config = json.loads(json.dumps(config))
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                _require_equal(self.folder, json.load(file), config)
            return
        os.makedirs(self.folder, exist_ok=True)
        self.tokenizer.save(self.path("tokenizer.json"))
        _write_json(path, config)


class _MetricsFile(keras.callbacks.Callback):
    """Rewrites `metrics.csv` from the history, so that no row is lost or doubled."""

    def __init__(self, path, history):
        super().__init__()
        self.path = path
        self.history = history

    def on_epoch_end(self, epoch, logs=None):
        partial = f"{self.path}.part"
        with open(partial, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.history.rows[0], extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.history.rows)
        os.replace(partial, self.path)


def open_space(folder: str) -> TextSpace:
    """Loads the best text space of a run folder, or a text space's own folder.

    Raises:
        FileNotFoundError: if there is none yet.
    """
    best = os.path.join(folder, "best")
    return TextSpace.load(best if os.path.isdir(best) else folder)


def _require_equal(folder, found, wanted):
    for key in wanted:
        if found.get(key) == wanted[key]:
            continue
        old, new = found.get(key), wanted[key]
        if isinstance(old, dict) and isinstance(new, dict):
            name = next(n for n in new if old.get(n) != new[n])
            key, old, new = f"{key}.{name}", old.get(name), new[name]
        raise ValueError(
            f"{folder} holds a run of another configuration: {key} is {old!r} there, "
            f"{new!r} here. Choose another --run_dir."
        )


def _write_json(path, content):
    partial = f"{path}.part"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    os.replace(partial, path)
