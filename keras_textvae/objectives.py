"""Objectives: reconstruction and KL divergence -> what training minimises.

B: batch size. T: time. V: vocabulary size. D: latent size. Everything is in nats per
sentence.
"""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple, Self

import keras
from keras import ops

from keras_textvae.losses import sentence_nll
from keras_textvae.posteriors import total_kl
from keras_textvae.replicas import mean_of_all

FREE_BITS = ("dimension", "sentence", "batch")


def bound(reconstruction, divergence):  # [B], [B, D] or [B] -> [B]
    """The bound on -log p(x): -log p(x|z) + KL(q(z|x) || p(z)).

    Kingma and Welling 2014. With the log-ratio log q(z|x) - log p(z) in place of the KL
    it is an estimate of the same from one z, and its negative the logarithm of an
    importance weight (Burda et al. 2016).

    Args:
        reconstruction: float32 [B], -log p(x|z).
        divergence: float32, the KL [B, D] or [B], or the log-ratio [B].
    """
    return reconstruction + total_kl(divergence)


class Terms(NamedTuple):
    """What an objective weighs.

    Attributes:
        reconstruction: float32 [B], -log p(x|z).
        kl: float32, per dimension [B, D], or [B] where it is an estimate.
        auxiliary: float32 [B], the reconstruction without history; None where the
            objective does not read it.
    """

    reconstruction: Any
    kl: Any
    auxiliary: Any = None


class Rule:
    """How much of the KL an objective counts; a subclass is saved with the model.

    Call arguments:
        kl: float32, per dimension [B, D], or [B] where it is an estimate.

    Returns:
        float32 [B], nats per sentence.

    Attributes:
        nats: float. How many of them cost nothing.
    """

    nats: float = 0.0

    def __call__(self, kl):
        raise NotImplementedError

    def get_config(self) -> dict:
        return {}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        return cls(**config)


@keras.saving.register_keras_serializable("keras_textvae")
class TotalKL(Rule):
    """The whole KL: its sum over the dimensions."""

    def __call__(self, kl):
        return total_kl(kl)


@keras.saving.register_keras_serializable("keras_textvae")
class FreeBits(Rule):
    """The KL, of which the first nats are free: below them it costs no more than they.

    Kingma et al. 2016, section 3. The nats, lambda, are free

        "dimension"  in each dimension of each sentence: sum_d max(KL_d, lambda / D),
                     the kind that did best for Li et al. 2019;
        "sentence"   in each sentence: max(sum_d KL_d, lambda);
        "batch"      in the batch's mean: sum_d KL_d where the mean of that over the
                     batch exceeds lambda, and lambda elsewhere.

    Args:
        nats: float, positive. lambda, of all dimensions together.
        over: "dimension", "sentence" or "batch".

    Raises:
        ValueError: for no nats, another name, or, when called, a KL that is not per
            dimension where it must be.
    """

    def __init__(self, nats: float, over: str = "dimension"):
        if not 0.0 < nats < math.inf:
            raise ValueError(f"Free bits must be positive nats. Received: nats={nats}")
        if over not in FREE_BITS:
            raise ValueError(
                f"`over` is one of {', '.join(FREE_BITS)}. Received: over={over!r}"
            )
        self.nats = nats
        self.over = over

    def __call__(self, kl):
        if self.over == "dimension":
            if len(kl.shape) != 2:
                raise ValueError(
                    "Free bits of each dimension need a posterior with a KL of each. "
                    "Take those of each sentence."
                )
            return ops.sum(ops.maximum(kl, self.nats / kl.shape[1]), axis=-1)
        total = total_kl(kl)
        if self.over == "sentence":
            return ops.maximum(total, self.nats)
        return ops.where(mean_of_all(total) > self.nats, total, self.nats)

    def get_config(self) -> dict:
        return {"nats": self.nats, "over": self.over}


@keras.saving.register_keras_serializable("keras_textvae")
class Objective:
    """What a `TextVAE` minimises in training, for each sentence:

        reconstruction + kl_weight * beta * rule(kl) + alpha * auxiliary

    `kl_weight` belongs to the model: a schedule moves it, as a rule from 0 to 1 (Bowman
    et al. 2016, section 3.1). `beta` is the KL's weight after that (Higgins et al.
    2017): below 1, z says more than the bound asks for. With 1, `TotalKL` and no
    auxiliary term an annealed model is trained for the bound itself.

    Args:
        beta: float.
        kl: `Rule`, how much of the KL counts. None means `TotalKL()`.
        alpha: float. The weight of the auxiliary reconstruction (Semeniuta et al. 2017,
            equation 3); needs a decoder with `auxiliary_logits`.

    Raises:
        ValueError: for a negative weight.
    """

    def __init__(self, beta: float = 1.0, kl: Rule | None = None, alpha: float = 0.0):
        for name, weight in {"beta": beta, "alpha": alpha}.items():
            if not weight >= 0.0:
                raise ValueError(
                    f"`{name}` must not be negative. Received: {name}={weight}"
                )
        self.beta = beta
        self.kl = TotalKL() if kl is None else kl
        self.alpha = alpha

    @property
    def reads(self) -> dict:
        """The reconstructions that are read: name in `Terms` -> name of the logits."""
        auxiliary = {"auxiliary": "auxiliary_logits"} if self.alpha else {}
        return {"reconstruction": "logits"} | auxiliary

    def check(self, names: Iterable[str]):
        """Raises ValueError unless a decoder's outputs, by name, have all it reads."""
        if missing := {*self.reads.values()} - {*names}:
            raise ValueError(
                f"The decoder gives no {', '.join(missing)}, which the objective "
                f"needs. Received: alpha={self.alpha}"
            )

    def terms(self, targets, outputs: dict, learns: bool = True) -> Terms:
        """Returns what is weighed, from a model's outputs.

        Args:
            targets: int32 [B, T], the ids to predict.
            outputs: dict of tensors: `kl`, and the logits [B, T, V] of `reads`.
            learns: see `losses.token_nll`.
        """
        nll = {
            name: sentence_nll(targets, outputs[x], learns)
            for name, x in self.reads.items()
        }
        return Terms(kl=outputs["kl"], **nll)

    def __call__(self, terms: Terms, kl_weight: float | Any = 1.0):  # -> float32 [B]
        """Returns the weighted sum, in nats per sentence.

        Args:
            terms: `Terms`. Without `auxiliary` the sum has none either.
            kl_weight: a number, or a scalar tensor.
        """
        kl = kl_weight * self.beta * self.kl(terms.kl)
        loss = bound(terms.reconstruction, kl)
        if terms.auxiliary is None:
            return loss
        return loss + self.alpha * terms.auxiliary

    def get_config(self) -> dict:
        kl = keras.saving.serialize_keras_object(self.kl)
        return {"beta": self.beta, "kl": kl, "alpha": self.alpha}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        kl = keras.saving.deserialize_keras_object(config["kl"])
        return cls(**config | {"kl": kl})
