"""The variational autoencoder over sentences.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size. All losses
and metrics are in nats per sentence.
"""

import keras
from keras import ops

from keras_textvae.losses import sentence_nll
from keras_textvae.tokens import PAD

if keras.backend.backend() == "tensorflow":
    from keras_textvae.models.guarded_step import GuardedStep
else:
    GuardedStep = keras.Model


@keras.saving.register_keras_serializable("keras_textvae")
class TextVAE(GuardedStep):
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
        super().__init__(**kwargs)
        if alpha < 0.0:
            raise ValueError(f"`alpha` must not be negative. Received: alpha={alpha}")
        self.encoder = encoder
        self.posterior = posterior
        self.decoder = decoder
        self.alpha = alpha
        self.kl_weight = self.add_weight(
            shape=(), initializer="ones", trainable=False, name="kl_weight"
        )
        self.reconstruction_tracker = keras.metrics.Mean("reconstruction")
        self.kl_tracker = keras.metrics.Mean("kl")
        self.tokens_tracker = keras.metrics.Mean("tokens")
        if alpha:
            self.auxiliary_tracker = keras.metrics.Mean("auxiliary")

    def call(self, ids, training=False):
        features = self.encoder(ids, training=training)
        outputs = self.posterior(features)
        history, z = ids[:, :-1], outputs["z"]
        if not self.alpha:
            logits = self.decoder(history, z, training=training)
            return outputs | {"logits": logits}
        logits, auxiliary_logits = self.decoder(
            history, z, auxiliary=True, training=training
        )
        return outputs | {"logits": logits, "auxiliary_logits": auxiliary_logits}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        targets = x[:, 1:]
        reconstruction = sentence_nll(targets, y_pred["logits"])  # [B]
        kl = y_pred["kl"]
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        self.tokens_tracker.update_state(ops.sum(targets != PAD, axis=-1))
        auxiliary = 0.0
        if self.alpha:
            auxiliary = sentence_nll(targets, y_pred["auxiliary_logits"])
            self.auxiliary_tracker.update_state(auxiliary)
        if not training:
            return ops.mean(reconstruction + kl)
        return ops.mean(reconstruction + self.kl_weight * kl + self.alpha * auxiliary)

    @property
    def state(self):
        """All variables but the metrics': weights, averages and random states."""
        metrics = {id(v) for metric in self.metrics for v in metric.variables}
        return [variable for variable in self.variables if id(variable) not in metrics]

    def build_from_config(self, config):
        # Keras's own way is a call with floats, which are no ids.
        shape = [size or 2 for size in config["input_shape"]]
        self(ops.ones(shape, dtype="int32"))

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return super().get_config() | {
            "encoder": serialize(self.encoder),
            "posterior": serialize(self.posterior),
            "decoder": serialize(self.decoder),
            "alpha": self.alpha,
        }

    @classmethod
    def from_config(cls, config):
        parts = ("encoder", "posterior", "decoder")
        deserialize = keras.saving.deserialize_keras_object
        return cls(**config | {part: deserialize(config[part]) for part in parts})
