"""The variational autoencoder over sentences.

B: batch size. T: time, `<bos>` included. H: feature size. D: latent size. All losses
and metrics are in nats per sentence.
"""

from typing import TYPE_CHECKING

import keras

from keras_textvae.models.generative_model import GenerativeModel
from keras_textvae.objectives import Objective, bound
from keras_textvae.posteriors import Posterior, total_kl

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder


@keras.saving.register_keras_serializable("keras_textvae")
class TextVAE(GenerativeModel):
    """A variational autoencoder over sentences.

    The bound on -log p(x) is

        E_q(z|x)[-log p(x|z)] + KL(q(z|x) || p(z)),

    with one sample of z (Kingma and Welling 2014). Training minimises `objective`, in
    which `kl_weight`, a weight of the model that a schedule moves, anneals the KL
    (Bowman et al. 2016, section 3.1). The loss of an evaluation is always the bound
    itself: no weights, no word dropout, no auxiliary term, z sampled.

    Args:
        encoder: layer, ids [B, T] -> features [B, H]. See `encoders`.
        posterior: layer, features -> z and its KL divergence. See `posteriors`.
        decoder: layer, ids [B, T - 1], z -> logits. See `decoders.Decoder`.
        objective: `objectives.Objective`. None means the bound, annealed.

    Call arguments, and what it raises: see `GenerativeModel`.

    Returns:
        A dict: the posterior's tensors (`z`, `kl`, ...), `features` [B, H], and the
        decoder's (`logits`, ...).

    Metrics are means over sentences, in nats: `loss`; `reconstruction`; `kl`;
    `auxiliary`, where the objective reads it; and `objective`, that of an annealed
    model without the auxiliary term, reconstruction + beta * rule(kl), which does not
    move with the schedule: a run selects its best epoch by it. `tokens` is the number
    of ids predicted, `<eos>` counted.

    Raises:
        ValueError: if the objective reads what the decoder does not give, or its rule
            a KL that the posterior does not have.
    """

    def __init__(
        self,
        encoder: keras.layers.Layer,
        posterior: Posterior,
        decoder: "Decoder",
        objective: Objective | None = None,
        **kwargs,
    ):
        objective = Objective() if objective is None else objective
        objective.check(decoder.outputs)
        super().__init__(decoder, ["objective", *objective.reads, "kl"], **kwargs)
        self.encoder = encoder
        self.posterior = posterior
        self.objective = objective
        self.kl_weight = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="kl_weight"
        )
        with self.building() as ids:
            drawn = self.posterior(self.encoder(ids))
            self.objective.kl(drawn["kl"])  # which it may refuse
            self.decoder(ids, drawn["z"])

    @property
    def latent_dim(self) -> int:
        """D."""
        return self.posterior.latent_dim

    def infer(self, ids, noise=None, training: bool = False) -> dict:
        features = self.encoder(ids, training=training)
        if noise is None:
            drawn = self.posterior(features)
        else:
            drawn = self.posterior.draw(features, noise)
        return drawn | {"features": features}

    def mode(self, ids):  # [B, T] -> [B, D]
        """Returns the z that stands for q(z|x), see `Posterior.mode`."""
        return self.posterior.mode(self.encoder(ids, training=False))

    def sentence_losses(self, targets, outputs, training: bool) -> tuple:
        terms = self.objective.terms(targets, outputs, training)
        figures = terms._asdict() | {
            "kl": total_kl(terms.kl),
            "objective": self.objective(terms._replace(auxiliary=None)),
        }
        if training:
            return self.objective(terms, self.kl_weight), figures
        return bound(terms.reconstruction, terms.kl), figures

    def get_config(self) -> dict:
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "encoder": serialize(self.encoder),
            "posterior": serialize(self.posterior),
            "objective": serialize(self.objective),
        }
