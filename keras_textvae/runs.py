"""Run folders: everything that a training run writes, and how it goes on after a kill.

run_dir/config.json      preset and data, as they were given; the files' checksums
run_dir/tokenizer.json   learned from the training files
run_dir/checkpoint.npz   the last epoch's state, for resuming
run_dir/best/            the text space with the best validation bound
run_dir/metrics.csv      a row per epoch
run_dir/logs/            TensorBoard, where it is installed (extra `plot`)
run_dir/result.json      the test set's figures, once finished
"""

import dataclasses
import hashlib
import importlib.util
import json
import os

import keras

from keras_textvae import tokenizers
from keras_textvae.atomic_files import read_json, write_json
from keras_textvae.callbacks import KLAnnealing, RunHistory, TrainingCheckpoint
from keras_textvae.corpora import Corpus, scan
from keras_textvae.evaluation import Bound, evaluate_bound
from keras_textvae.pipeline import CropBatches, SentenceBatches
from keras_textvae.text_space import TextSpace
from keras_textvae.zoo import Preset


class Run:
    """One training run in its folder.

    Making it again with the same arguments continues it; with more epochs, further.

    Args:
        folder: str. Created if it does not exist.
        preset: `zoo.Preset`.
        corpus: `corpora.Corpus`.
        seed: int. Seeds weights, noise and the order of the data.
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
        dtype_policy: str = "float32",
    ):
        self.folder = folder
        self.preset = preset
        self.corpus = corpus
        self.seed = seed
        config = {
            "preset": dataclasses.asdict(preset),
            "corpus": corpus._asdict(),
            "sha256": {path: _sha256(path) for path in _files(corpus)},
            "seed": seed,
            "dtype_policy": dtype_policy,
        }
        claimed = self._is_claimed(config)
        self.tokenizer = self._tokenizer(claimed)
        self.train_batches = self._batches(corpus.train, shuffle=True)
        self.valid_batches = self._batches(corpus.valid)
        self.test_batches = (
            self._batches(corpus.test) if corpus.test else self.valid_batches
        )
        keras.config.set_dtype_policy(dtype_policy)
        keras.utils.set_random_seed(seed)
        self.model = preset.build_model(self.tokenizer.vocabulary_size)
        self.model.compile(optimizer=preset.build_optimizer())
        self._claim(config)
        self.history = RunHistory(self._save_best, preset.patience, preset.kl_weight)
        self.checkpoint = TrainingCheckpoint(self.path("checkpoint.npz"), self.history)
        self.epochs_done = self.checkpoint.restore(self.model)
        self._write_metrics()

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
        done = self.epochs_done >= self.preset.epochs
        return done or self.history.out_of_patience

    def train(self, callbacks=(), verbose=1):
        """Trains to the last epoch or to early stopping, from where the run stands."""
        if self.finished:
            return
        start = self.epochs_done * self.steps_per_epoch
        self.model.fit(
            self.train_batches.from_step(start),
            steps_per_epoch=self.steps_per_epoch,
            validation_data=self.valid_batches.spread(self.preset.valid_steps),
            validation_steps=self.preset.valid_steps,
            initial_epoch=self.epochs_done,
            epochs=self.preset.epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=[
                *self._annealing(),
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
        result = evaluate_bound(model, self.test_batches.epoch(0))
        write_json(self.path("result.json"), result._asdict())
        return result

    def space(self) -> TextSpace:
        """Returns the text space of the model as it is now."""
        return TextSpace(
            self.model, self.tokenizer, self.preset.length, self.preset.crops
        )

    def _annealing(self):
        if not self.model.latent_dim:
            return []
        return [KLAnnealing(self.preset.schedule.build())]

    def _tensorboard(self):
        """Its callback, where TensorBoard is installed: Keras's own fails without."""
        if importlib.util.find_spec("tensorboard") is None:
            return []
        return [keras.callbacks.TensorBoard(self.path("logs"), write_graph=False)]

    def _learning_rate(self, epoch, _):
        return self.preset.learning_rate * self.preset.rate_schedule.build()(epoch)

    def _save_best(self):
        self.space().save(self.path("best"))

    def _batches(self, files, shuffle=False):
        """Returns batches of files that have been read, and found in order."""
        preset = self.preset
        if preset.crops:
            batches = CropBatches(
                files, self.tokenizer, preset.batch_size, preset.length, seed=self.seed
            )
        else:
            batches = SentenceBatches(
                files,
                self.tokenizer,
                preset.batch_size,
                max_length=preset.length + 1,
                too_long=preset.too_long,
                shuffle=shuffle,
                seed=self.seed,
            )
        batches.count()
        return batches

    def _tokenizer(self, claimed):
        """Loads the tokenizer of a folder that is this run's, or learns one."""
        if claimed:
            return tokenizers.load(self.path("tokenizer.json"))
        preset, files = self.preset, self.corpus.train
        scan(files)
        if preset.level == "words":
            return tokenizers.WordTokenizer.learn(
                files,
                size=preset.vocabulary,
                lower=preset.lower,
                right_to_left=preset.right_to_left,
                tweets=preset.tweets,
            )
        of_characters = {
            "tweets": preset.tweets,
            "right_to_left": preset.right_to_left,
        }
        if preset.level == "bytes":
            return tokenizers.CharacterTokenizer(**of_characters)
        return tokenizers.CharacterTokenizer.learn(
            files, size=preset.vocabulary, **of_characters
        )

    def _is_claimed(self, config):
        """Whether the folder holds this very run; another one is an error."""
        path = self.path("config.json")
        if not os.path.exists(path):
            return False
        found = read_json(path)
        wanted = json.loads(json.dumps(config))
        # A field that is younger than the folder has its default there.
        found["preset"] = _preset_defaults() | found["preset"]
        for name in ("epochs", "reference"):  # another value makes no other run
            found["preset"][name] = wanted["preset"][name]
        _require_equal(self.folder, found, wanted)
        return True

    def _claim(self, config):
        """Makes the folder this run's; last, when nothing else can be wrong."""
        os.makedirs(self.folder, exist_ok=True)
        self.tokenizer.save(self.path("tokenizer.json"))
        write_json(self.path("config.json"), config)

    def _write_metrics(self):
        self.history.write(self.path("metrics.csv"))


def open_space(folder: str) -> TextSpace:
    """Loads the best text space of a run folder, or a text space's own folder.

    Raises:
        FileNotFoundError: if there is none yet.
    """
    best = os.path.join(folder, "best")
    return TextSpace.load(best if os.path.isdir(best) else folder)


def _preset_defaults():
    """Returns the fields of a preset that have a default, as JSON has them."""
    defaults = {field.name: field.default for field in dataclasses.fields(Preset)}
    given = {k: v for k, v in defaults.items() if v is not dataclasses.MISSING}
    return json.loads(json.dumps(given))


def _files(corpus):
    return [*corpus.train, *corpus.valid, *corpus.test]


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
