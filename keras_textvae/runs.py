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
from keras_textvae.corpora import Corpus, scan
from keras_textvae.evaluation import Bound, evaluate_bound
from keras_textvae.pipeline import CropBatches, SentenceBatches
from keras_textvae.text_space import TextSpace
from keras_textvae.training import Training
from keras_textvae.zoo import Preset


class Run(Training):
    """One training run in its folder.

    Making it again with the same arguments continues it; with more epochs, further.

    Args:
        folder: str. Created if it does not exist.
        preset: `zoo.Preset`.
        corpus: `corpora.Corpus`.
        seed: int. Seeds weights, noise and the order of the data.
        dtype_policy: str. Keras's precision policy.
        start_from: str or None. The folder of another run, with the same vocabulary and
            sizes, whose best epoch's weights are this one's first. Training in stages:
            as an autoencoder before the KL counts (Li et al. 2019), with more dropout,
            or on another corpus.

    Raises:
        ValueError: if the folder holds a run of another configuration, or `start_from`
            a model of another vocabulary or other sizes.
        FileNotFoundError: if there is no trained run in `start_from`.
    """

    def __init__(
        self,
        folder: str,
        preset: Preset,
        corpus: Corpus,
        seed: int = 0,
        dtype_policy: str = "float32",
        start_from: str | None = None,
    ):
        super().__init__(folder, preset)
        self.corpus = corpus
        self.seed = seed
        config = {
            "preset": dataclasses.asdict(preset),
            "corpus": corpus._asdict(),
            "sha256": {path: _sha256(path) for path in _files(corpus)},
            "seed": seed,
            "dtype_policy": dtype_policy,
            "start_from": start_from,
        }
        claimed = self._is_claimed(config)
        self.tokenizer = self._tokenizer(claimed)
        self.train_batches = self._batches(corpus.train, shuffle=True)
        self.valid_batches = self._batches(corpus.valid)
        self.test_batches = (
            self._batches(corpus.test) if corpus.test else self.valid_batches
        )
        self._build(self.tokenizer.vocabulary_size, seed, dtype_policy)
        if start_from and not os.path.exists(self.path("checkpoint.npz")):
            self._start_from(start_from)
        self._claim(config)
        self._restore()

    def train(self, callbacks=(), verbose=1):
        """Trains to the last epoch or to early stopping, from where the run stands."""
        super().train([*self._tensorboard(), *callbacks], verbose)

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

    def _start_from(self, folder):
        start = open_space(folder)
        if start.tokenizer.get_config() != self.tokenizer.get_config():
            raise ValueError(f"{folder} has another vocabulary.")
        weights = start.model.weights
        if [w.shape for w in weights] != [w.shape for w in self.model.weights]:
            raise ValueError(f"{folder} has a model of other sizes.")
        self.model.set_weights(weights)

    def _tensorboard(self):
        """Its callback, where TensorBoard is installed: Keras's own fails without."""
        if importlib.util.find_spec("tensorboard") is None:
            return []
        return [keras.callbacks.TensorBoard(self.path("logs"), write_graph=False)]

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
