"""The variational autoencoder over sentences.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size. All losses
and metrics are in nats per sentence.
"""

import keras
from keras import ops

from keras_textvae.losses import sentence_nll
from keras_textvae.models.language_model import LanguageModel


@keras.saving.register_keras_serializable("keras_textvae")
class TextVAE(LanguageModel):
    """A variational autoencoder over sentences.

    The bound on -log p(x) is

        E_q(z|x)[-log p(x|z)] + KL(q(z|x) || p(z)),

    with one sample of z (Kingma and Welling 2014). Training minimises

        reconstruction + kl_weight * kl + alpha * auxiliary

    where `kl_weight` is a weight of the model that a schedule moves (Bowman et al.
    2016, section 3.1), and `auxiliary` the reconstruction without history (Semeniuta et
    al. 2017, equation 3). Evaluation always reports the bound itself: weight 1, no word
    dropout, no auxiliary loss, z sampled.

    Args:
        encoder: layer, ids [B, T] -> features. See `encoders`.
        posterior: layer, features -> z and its KL divergence. See `posteriors`.
        decoder: layer, ids [B, T - 1], z -> logits [B, T - 1, V]. See `decoders`.
        alpha: float. The weight of the auxiliary reconstruction; needs a decoder whose
            `call` takes `auxiliary`.

    Call arguments:
        ids: int32 [B, T], `<bos> w ... w <eos> <pad> ...`.
        training: bool. Whether word dropout is on, and batch normalisation learns.

    Returns:
        A dict: `logits` [B, T - 1, V], the posterior's tensors (`z`, `kl`, ...), and
        with `alpha` also `auxiliary_logits` [B, T - 1, V].

    Metrics are means over sentences: `loss`, `reconstruction`, `kl`, with `alpha` also
    `auxiliary`, in nats; and `tokens`, the number of ids predicted, `<eos>` counted.
    So exp(loss / tokens) is the perplexity of an evaluation.
    """

    def __init__(self, encoder, posterior, decoder, alpha=0.0, **kwargs):
        super().__init__(decoder, **kwargs)
        if alpha < 0.0:
            raise ValueError(f"`alpha` must not be negative. Received: alpha={alpha}")
        self.encoder = encoder
        self.posterior = posterior
        self.alpha = alpha
        self.kl_weight = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="kl_weight"
        )
        self.kl_tracker = keras.metrics.Mean("kl")
        if alpha:
            self.auxiliary_tracker = keras.metrics.Mean("auxiliary")

    @property
    def latent_dim(self) -> int:
        return self.posterior.latent_dim

    def infer(self, ids, noise=None, training=False):
        """Returns q(z|x) of sentences, and a z drawn from it.

        Args:
            ids: int32 [B, T].
            noise: float32 [B, D], standard normal, or None to draw it.
            training: bool.

        Returns:
            What `Posterior.draw` returns: `z` [B, D], `kl` [B], ...; and `features`
            [B, H], the encoder's.
        """
        features = self.encoder(ids, training=training)
        if noise is None:
            drawn = self.posterior(features)
        else:
            drawn = self.posterior.draw(features, noise)
        return drawn | {"features": features}

    def mode(self, ids):  # [B, T] -> [B, D]
        """Returns the z that stands for q(z|x), see `Posterior.mode`."""
        return self.posterior.mode(self.encoder(ids, training=False))

    def call(self, ids, training=False):
        if not self.alpha:
            return super().call(ids, training=training)
        outputs = self.infer(ids, training=training)
        logits, auxiliary_logits = self.decoder(
            ids[:, :-1], outputs["z"], auxiliary=True, training=training
        )
        return outputs | {"logits": logits, "auxiliary_logits": auxiliary_logits}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        reconstruction = self._reconstruction(x, y_pred, sample_weight)  # [B]
        kl = y_pred["kl"]
        self.kl_tracker.update_state(kl)
        auxiliary = 0.0
        if self.alpha:
            auxiliary = sentence_nll(x[:, 1:], y_pred["auxiliary_logits"])
            self.auxiliary_tracker.update_state(auxiliary)
        if not training:
            return ops.mean(reconstruction + kl)
        return ops.mean(reconstruction + self.kl_weight * kl + self.alpha * auxiliary)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "encoder": serialize(self.encoder),
            "posterior": serialize(self.posterior),
            "alpha": self.alpha,
        }
