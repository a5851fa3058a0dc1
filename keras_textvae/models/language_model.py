"""The language model without a latent variable.

B: batch size. T: time, `<bos>` included. D: latent size. All losses and metrics are in
nats per sentence.
"""

from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_textvae.losses import sentence_nll
from keras_textvae.models.generative_model import GenerativeModel

if TYPE_CHECKING:
    from keras_textvae.decoders import Decoder


@keras.saving.register_keras_serializable("keras_textvae")
class LanguageModel(GenerativeModel):
    """A decoder on its own: p(x) = prod_t p(x_t | x_1 ... x_t-1).

    With an `LSTMDecoder` it is the RNNLM of Bowman et al. 2016, table 2; with
    `keep_rate=0` the inputless one. Its z has no dimensions (D = 0), so that it is
    trained, decoded and searched like a `TextVAE`.

    Args, call arguments, what it returns and raises: see `GenerativeModel`.

    Metrics are means over sentences: `loss` and `reconstruction`, both the negative
    log-likelihood, in nats; and `tokens`.
    """

    def __init__(self, decoder: "Decoder", **kwargs):
        super().__init__(decoder, metrics=["reconstruction"], **kwargs)
        with self.building() as ids:
            self.decoder(ids, keras.KerasTensor((None, 0)))

    @property
    def latent_dim(self) -> int:
        """D."""
        return 0

    def infer(self, ids, noise=None, training: bool = False) -> dict:
        """Returns `z` and `kl` [B, 0], and `log_ratio` [B], zero: there is no z."""
        zeros = ops.zeros((ops.shape(ids)[0], 1), "float32")
        return {"z": zeros[:, :0], "kl": zeros[:, :0], "log_ratio": zeros[:, 0]}

    def sentence_losses(self, targets, outputs, training: bool) -> tuple:
        nll = sentence_nll(targets, outputs["logits"], training)
        return nll, {"reconstruction": nll}
