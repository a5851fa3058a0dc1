"""What a recipe consists of, but for its text, and what is built by each part."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import NamedTuple

import keras

from keras_textvae import callbacks, objectives, schedules
from keras_textvae.models import GenerativeModel
from keras_textvae.zoo import architectures

# An architecture's name -> the function that puts it together.
ARCHITECTURES: dict[str, Callable[..., GenerativeModel]] = {
    "lstm": architectures.lstm_vae,
    "rnnlm": architectures.rnnlm,
    "bag_of_words": architectures.bag_of_words_vae,
    "feedforward": architectures.feedforward_vae,
    "hybrid": architectures.hybrid_vae,
    "bytenet": architectures.bytenet_vae,
}
PARTS = ("encoder", "posterior", "decoder")


class Schedule(NamedTuple):
    """A function of `schedules` by its name, and its arguments."""

    name: str
    arguments: tuple = ()

    def build(self) -> Callable[[int], float]:
        """Returns the schedule."""
        return getattr(schedules, self.name)(*self.arguments)


CONSTANT = Schedule("constant", (1.0,))


@dataclasses.dataclass(frozen=True)
class Data:
    """What is trained on, and how much of it at a time.

    Attributes:
        corpus: a name or folder that `corpora.load` knows.
        batch_size: sentences or crops in a step.
        steps_per_epoch: training steps in an epoch. None means a pass over the corpus.
        valid_steps: batches of a validation; None for all.
        bucket_width: lengths are rounded up to a multiple, see
            `batches.SentenceBatches`.
        by_length: whether a training batch has sentences of near-equal lengths.
    """

    corpus: str
    batch_size: int = 32
    steps_per_epoch: int | None = None
    valid_steps: int | None = None
    bucket_width: int | None = None
    by_length: bool = True


@dataclasses.dataclass(frozen=True)
class Model:
    """What is trained.

    Attributes:
        architecture: a name in `ARCHITECTURES`.
        arguments: of the architecture's function, `lstm_vae` and so on, but for the
            vocabulary's size, the length and the objective.
    """

    architecture: str
    arguments: dict

    @property
    def all_arguments(self) -> dict:
        """`arguments`, and the architecture's defaults of what they leave out."""
        return self._defaults() | self.arguments

    def with_architecture(self, architecture: str) -> "Model":
        """Returns the model of another architecture with the arguments it takes too."""
        taken = Model(architecture, {})._parameters()
        shared = {name: x for name, x in self.arguments.items() if name in taken}
        return Model(architecture, shared)

    def build(
        self, vocabulary_size: int, length: int, objective: objectives.Objective
    ) -> GenerativeModel:
        """Returns the model.

        Args:
            vocabulary_size: int. V.
            length: int. The most ids of a sentence after `<bos>`, or all of a crop.
            objective: `objectives.Objective`; a language model has its own.
        """
        parameters = self._parameters()
        sizes = {"vocabulary_size": vocabulary_size, "length": length}
        offered = sizes | {"objective": objective}
        if "objective" not in parameters and (objective.alpha or objective.beta != 1.0):
            raise ValueError(
                f"{self.architecture!r} has no objective to weigh. "
                f"Received: alpha={objective.alpha}, beta={objective.beta}"
            )
        required = {name: x for name, x in offered.items() if name in parameters}
        return ARCHITECTURES[self.architecture](**required, **self.arguments)

    def _parameters(self):
        function = ARCHITECTURES[self.architecture]
        return inspect.signature(function).parameters

    def _defaults(self):
        return {
            name: parameter.default
            for name, parameter in self._parameters().items()
            if parameter.default is not parameter.empty and name != "objective"
        }


@dataclasses.dataclass(frozen=True)
class Terms:
    """The weights of the objective's terms.

    Attributes:
        beta: of the KL, once annealed. Below 1, z says more than the bound asks for; 0
            is an autoencoder.
        schedule: of the KL's annealing from 0 to 1, by training step.
        target_kl: nats at which the KL is held instead, see `callbacks.TargetKL`; None
            for none. It needs the schedule `CONSTANT`.
        alpha: of the auxiliary reconstruction, see `objectives.Objective`.
        free_bits: nats of the KL that cost nothing, see `objectives.FreeBits`; 0 for
            none.
        free_bits_over: "dimension", "sentence" or "batch".
    """

    beta: float = 1.0
    schedule: Schedule = CONSTANT
    alpha: float = 0.0
    free_bits: float = 0.0
    free_bits_over: str = "dimension"
    target_kl: float | None = None

    def build(self) -> objectives.Objective:
        """Returns the `objectives.Objective`."""
        rule = objectives.TotalKL()
        if self.free_bits:
            rule = objectives.FreeBits(self.free_bits, self.free_bits_over)
        return objectives.Objective(self.beta, rule, self.alpha)

    def weighing(self) -> callbacks.KLAnnealing | callbacks.TargetKL:
        """Returns the callback that moves the KL's weight.

        Raises:
            ValueError: if there are a target and a schedule, or the target is none.
        """
        if self.target_kl is None:
            return callbacks.KLAnnealing(self.schedule.build())
        if self.schedule != CONSTANT:
            raise ValueError(
                "The KL is held at a target or its weight follows a schedule, not both."
                f" Received: target_kl={self.target_kl:g}, schedule={self.schedule}"
            )
        return callbacks.TargetKL(self.target_kl)

    def rank(self) -> Callable[[callbacks.Row], tuple[bool, float]]:
        """Returns which epoch is the better one, see `callbacks.RunHistory`."""
        if self.target_kl is None:
            return callbacks.annealed_first
        return callbacks.near_target_first(self.target_kl)


@dataclasses.dataclass(frozen=True)
class Training:
    """How it is trained, by Adam.

    Attributes:
        epochs: the most epochs.
        learning_rate: at first.
        rate_schedule: factors of the learning rate, by epoch.
        epsilon: of Adam.
        clip_norm: of the gradients' global norm. None does not clip.
        patience: epochs without a better validation before training stops.
    """

    epochs: int = 40
    learning_rate: float = 1e-3
    rate_schedule: Schedule = CONSTANT
    epsilon: float = 1e-7
    clip_norm: float | None = None
    patience: int | None = None

    def build_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns Adam with these settings."""
        return keras.optimizers.Adam(
            self.learning_rate, epsilon=self.epsilon, global_clipnorm=self.clip_norm
        )


@dataclasses.dataclass(frozen=True)
class Density:
    """What is fitted to the posteriors of the trained model, to sample from.

    Attributes:
        components: of a `mixtures.GaussianMixture`; 0 for none.
        fitted: whether `sample` draws from it, not the prior, unless told otherwise.
        density_noise: what the posteriors' noise is multiplied by in the draws that it
            is fitted to; 0: it is fitted to their means.
        density_scale: what its standard deviations are multiplied by once it is fitted;
            below 1 its draws keep to where sentences lie densely, as at a reduced
            temperature (Kingma and Dhariwal 2018): more fluent texts, less varied ones.
    """

    components: int = 0
    fitted: bool = False
    density_noise: float = 1.0
    density_scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class Stage:
    """Training before the recipe's own, by what it changes in the recipe.

    Attributes:
        name: the name of its folder inside the run's.
        changes: fields as `Recipe.replace` takes them, in this order.
        keep: parts of the model whose best weights the next stage begins with; the
            others begin anew.
    """

    name: str
    changes: dict
    keep: tuple[str, ...] = PARTS

    def __post_init__(self):
        check_keep(self.keep)


def check_keep(keep: tuple[str, ...]):
    """Raises ValueError unless `keep` is a tuple of parts of a model."""
    if not isinstance(keep, tuple) or not keep or not {*keep} <= {*PARTS}:
        raise ValueError(
            f"`keep` is a tuple of some of {', '.join(PARTS)}. Received: keep={keep!r}"
        )
