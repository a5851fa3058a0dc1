"""What a configuration consists of, and how its model is built."""

import dataclasses
import inspect
from typing import NamedTuple

import keras

from keras_textvae import schedules
from keras_textvae.models import GenerativeModel
from keras_textvae.zoo import architectures

# An architecture's name -> the function that puts it together.
ARCHITECTURES = {
    "lstm": architectures.lstm_vae,
    "rnnlm": architectures.rnnlm,
    "bag_of_words": architectures.bag_of_words_vae,
    "feedforward": architectures.feedforward_vae,
    "hybrid": architectures.hybrid_vae,
    "bytenet": architectures.bytenet_vae,
}


class Schedule(NamedTuple):
    """A function of `schedules` by its name, and its arguments."""

    name: str
    arguments: tuple

    def build(self):
        """Returns the schedule."""
        return getattr(schedules, self.name)(*self.arguments)


@dataclasses.dataclass(frozen=True)
class Preset:
    """A configuration of the zoo.

    Attributes:
        reference: where it comes from and what differs.
        corpus: a name or folder that `corpora.load` knows.
        level: "words", "characters" or "bytes".
        architecture: a name in `ARCHITECTURES`.
        model: arguments of the architecture's function, `lstm_vae` and so on, but for
            the vocabulary's size and the length.
        length: the most ids of a sentence after `<bos>`; of a crop, all of them.
        too_long: what happens to longer sentences, see `pipeline.SentenceBatches`.
        crops: whether to train on random crops of running text, not on sentences.
        schedule: of the KL weight, by training step; it ends at 1, and what the KL
            weighs then is the model's `beta`.
        vocabulary: the most ids, special ones included. None keeps all.
        lower: whether words are lower-cased.
        tweets: whether texts are split as tweets are, see `tokenizers`.
        right_to_left: whether sentences begin with the last word, see `tokenizers`.
        batch_size: sentences or crops in a step.
        steps_per_epoch: None for a pass over the corpus.
        valid_steps: batches of a validation; None for all.
        epochs: the most epochs.
        learning_rate: of Adam.
        rate_schedule: factors of the learning rate, by epoch.
        epsilon: of Adam.
        clip_norm: of the gradients' global norm. None does not clip.
        patience: epochs without a better validation before training stops.
    """

    reference: str
    corpus: str
    level: str
    architecture: str
    model: dict
    length: int
    too_long: str = "error"
    crops: bool = False
    schedule: Schedule = Schedule("constant", (1.0,))
    vocabulary: int | None = None
    lower: bool = False
    tweets: bool = False
    right_to_left: bool = False
    batch_size: int = 32
    steps_per_epoch: int | None = None
    valid_steps: int | None = None
    epochs: int = 40
    learning_rate: float = 1e-3
    rate_schedule: Schedule = Schedule("constant", (1.0,))
    epsilon: float = 1e-7
    clip_norm: float | None = None
    patience: int | None = None

    @property
    def arguments(self) -> dict:
        """`model`, and the architecture's defaults of what it leaves out."""
        function = inspect.signature(ARCHITECTURES[self.architecture])
        defaults = {
            parameter.name: parameter.default
            for parameter in function.parameters.values()
            if parameter.default is not parameter.empty
        }
        return defaults | self.model

    def build_model(self, vocabulary_size: int) -> GenerativeModel:
        """Returns the model, built, for a vocabulary of this size."""
        sizes = (vocabulary_size, self.length)
        if self.architecture in ("lstm", "rnnlm", "bag_of_words"):
            sizes = (vocabulary_size,)
        model = ARCHITECTURES[self.architecture](*sizes, **self.model)
        model(keras.ops.ones((1, self.length + 1), dtype="int32"))
        return model

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns Adam with the preset's settings."""
        return keras.optimizers.Adam(
            self.learning_rate, epsilon=self.epsilon, global_clipnorm=self.clip_norm
        )

    def replace(self, **fields) -> "Preset":
        """Returns a copy with some fields replaced."""
        return dataclasses.replace(self, **fields)
