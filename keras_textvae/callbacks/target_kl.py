"""The KL held at a target, by a controller of its weight."""

import math
from collections.abc import Callable

import keras

from keras_textvae.callbacks.history import Row
from keras_textvae.callbacks.readings import batches_seen, number

NEAR = 0.1  # of the target


def is_near(kl: float, target: float) -> bool:
    """Whether a KL is within a tenth of the target."""
    return abs(kl - target) <= NEAR * target


def near_target_first(target: float) -> Callable[[Row], tuple[bool, float]]:
    """Returns the rank of epochs, see `RunHistory`, where the KL has a target.

    Epochs whose KL is within a tenth of the target count, by the bound, `val_loss`;
    until there is one, the nearest is the best. The KL is that of training, which is
    held there: a validation's is another where dropout or a batch's own averages take
    part in the posterior, and it is that of a moment.
    """

    def rank(row):
        if is_near(row["kl"], target):
            return False, row["val_loss"]
        return True, abs(row["kl"] - target)

    return rank


class TargetKL(keras.callbacks.Callback):
    """Moves `model.kl_weight` after each batch so that the KL stays at a target.

    A proportional-integral controller (ControlVAE, Shao et al. 2020, algorithm 1). KL_t
    is the mean KL of batch t, in nats per sentence, and e_t = target - KL_t:

        weight_t = Kp s(e_t) - Ki (e_1 + ... + e_t),    s(e) = 1 / (1 + exp(e)),

    kept in [0, 1] without winding up: what moves it is

        weight_t - weight_t-1 = Kp (s(e_t) - s(e_t-1)) - Ki e_t,

    from 0 on, and what leads out of [0, 1] is lost. At an epoch's first batch s does
    not count, so that between epochs all of the controller is `model.kl_weight`, and
    training that goes on from a `TrainingCheckpoint` is exactly that which was never
    killed.

    With `steps_per_execution` above 1 the weight moves once per execution, as far as
    its batches move it together. A KL that is not finite does not move it; nor do
    those after it in the epoch, as Keras's mean over the epoch, of which a batch's is
    a difference, is lost. Where gradients accumulate, it moves at each batch.

    A step has two numbers to read and one to write: 0.7 ms of the 35 to 60 that one of
    `lstm-grammar` took on two busy cores.

    Args:
        target: float, nats per sentence.
        proportional: float. Kp.
        integral: float, Ki, per nat and batch. None means 0.005 / target: the KL off by
            a tenth of its target for 100 batches moves the weight by 0.05. The paper
            has 0.0001 for text, with which the KL lags where the weight must rise.

    Raises:
        ValueError: for a target or gains that are not positive; and, when a fit begins,
            as `check` does.
    """

    def __init__(
        self,
        target: float,
        proportional: float = 0.01,
        integral: float | None = None,
    ):
        super().__init__()
        values = {"target": target, "proportional": proportional, "integral": integral}
        for name, value in values.items():
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}")
        self.target = target
        self.proportional = proportional
        self.integral = 0.005 / target if integral is None else integral
        self._said = False

    def check(self, model: keras.Model):
        """Raises ValueError for a model whose KL cannot be held at the target.

        It has no z or no KL; its posterior, or the free bits of its objective, keep the
        KL above the target; or its `beta`, which would weigh the KL too, is not 1.
        """
        if getattr(model, "objective", None) is None:
            raise ValueError(f"A {type(model).__name__} has no KL to hold at a target.")
        least, most = model.posterior.least_kl, model.posterior.most_kl
        if not least < self.target < most:
            low = self.target <= least
            limit = f"never below {least:g}" if low else f"never above {most:g}"
            raise ValueError(
                f"The KL of a {type(model.posterior).__name__} is {limit} nats. "
                f"Received: target={self.target:g}"
            )
        if (free := model.objective.kl.nats) >= self.target:
            raise ValueError(
                f"{free:g} nats of the KL are free: no weight pushes it below. "
                f"Received: target={self.target:g}"
            )
        if (beta := model.objective.beta) != 1.0:
            raise ValueError(
                "A target sets the weight of the KL, which `beta` would change: it "
                f"must be 1. Received: beta={beta:g}"
            )

    def set_model(self, model: keras.Model):
        self.check(model)
        super().set_model(model)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None):
        fresh = not batches_seen(self.model.optimizer)
        if fresh:
            self.model.kl_weight.assign(0.0)
        self._weight = number(self.model.kl_weight)
        self._weight_before = None if fresh else self._weight
        self._mean = next(x for x in self.model.metrics if x.name == "kl")
        self._batches = 0
        self._sums = (0.0, 0.0)
        self._share = None

    def on_train_batch_end(self, batch: int, logs: dict | None = None):
        batches, self._batches = batch + 1 - self._batches, batch + 1
        kl = self._kl()
        if not math.isfinite(kl):
            return
        error = self.target - kl
        share = 0.5 * (1.0 - math.tanh(0.5 * error))  # 1 / (1 + exp(error))
        before, self._share = self._share, share
        move = -self.integral * batches * error
        if before is not None:
            move += self.proportional * (share - before)
        weight = min(max(self._weight + move, 0.0), 1.0)
        if weight != self._weight:
            self.model.kl_weight.assign(weight)
            self._weight = weight

    def _kl(self):
        """Returns the KL's mean over the sentences since the last call."""
        self.model  # noqa: B018 - on JAX it has a fit's values back, see `KLAnnealing`
        before, self._sums = (
            self._sums,
            (number(self._mean.total), number(self._mean.count)),
        )
        total, count = self._sums[0] - before[0], self._sums[1] - before[1]
        return total / count if count else math.nan

    def on_epoch_end(self, epoch: int, logs: dict | None = None):
        if logs is not None:
            logs["kl_weight"] = self._weight
            self._say_if_out_of_reach(logs["kl"])

    def _say_if_out_of_reach(self, kl):
        stands = self._weight == self._weight_before
        if self._said or not stands or is_near(kl, self.target):
            return
        if self._weight == 0.0 and kl < self.target:
            stuck = f"{self.target - kl:.1f} nats below", "the decoder does without z"
        elif self._weight == 1.0 and kl > self.target:
            stuck = f"{kl - self.target:.1f} nats above", "the bound itself asks for it"
        else:
            return
        self._said = True
        print(
            f"the KL stays {stuck[0]} the target of {self.target:g} with a weight of "
            f"{self._weight:g}: {stuck[1]}",
            flush=True,
        )
