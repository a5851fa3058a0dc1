"""The models of both papers, put together from encoder, posterior and decoder.

V: vocabulary size. N: length. Every function's first argument is V; those of
convolutional models have N second.
"""

from collections.abc import Sequence

import keras

from keras_textvae.decoders import (
    BagOfWordsDecoder,
    ByteNetDecoder,
    DeconvolutionalDecoder,
    HybridDecoder,
    LSTMDecoder,
)
from keras_textvae.encoders import ConvolutionalEncoder, LSTMEncoder
from keras_textvae.models import LanguageModel, TextVAE
from keras_textvae.objectives import Objective
from keras_textvae.zoo.named_posteriors import named_posterior

ALPHA = 0.2  # Semeniuta et al. 2017, of their hybrids


def lstm_vae(
    vocabulary_size: int,
    embedding_dim: int | None,
    units: int,
    latent_dim: int,
    keep_rate: float = 1.0,
    z_every_step: bool = False,
    dropout: float = 0.0,
    tied: bool = False,
    layer_norm: bool = False,
    initial_range: float | None = None,
    highways: int = 0,
    posterior: str = "gaussian",
    mean_scale: float | None = None,
    shared_dropout: bool = False,
    recurrent_dropout: float = 0.0,
    pooling: str = "last",
    encoder_units: int | None = None,
    encoder_keep_rate: float = 1.0,
    output_dropout: float | None = None,
    chunked_loss: bool = False,
    objective: Objective | None = None,
) -> TextVAE:
    """Returns the LSTM VAE of Bowman et al. 2016, figure 1, or a variation of it.

    With `embedding_dim=None` and `layer_norm` it is the character-level one that
    Semeniuta et al. 2017 compare theirs with. `z_every_step`, `highways` and the other
    posteriors are the variations of Bowman et al. 2016, section 3, except
    "autoregressive", which is later than it.

    Args:
        vocabulary_size: int. V.
        embedding_dim, units, layer_norm, pooling: see `encoders.LSTMEncoder`.
        latent_dim: int. See `posteriors.Posterior`.
        keep_rate, z_every_step, dropout, tied, shared_dropout, recurrent_dropout,
            output_dropout: see `decoders.LSTMDecoder`.
        initial_range: float. Weights and biases start uniform in +- this, save the
            gates of highways and flows. None means the layers' own initial values.
        highways: int. How many highway layers stand between the encoder and q(z|x),
            and as many between z and the decoder.
        posterior, mean_scale: q(z|x) by name, see `named_posteriors.named_posterior`.
        encoder_units: int. Units of the encoder's LSTM. None means `units`.
        encoder_keep_rate: float. The share of words that the encoder sees in training,
            see `encoders.LSTMEncoder`; `keep_rate` is the decoder's.
        chunked_loss: see `decoders.Decoder`.
        objective: `objectives.Objective`. None means the bound itself.

    Raises:
        ValueError: for another name.
    """
    return TextVAE(
        LSTMEncoder(
            vocabulary_size,
            embedding_dim,
            encoder_units or units,
            layer_norm=layer_norm,
            initializer=_uniform(initial_range),
            highways=highways,
            pooling=pooling,
            keep_rate=encoder_keep_rate,
        ),
        named_posterior(posterior, latent_dim, _uniform(initial_range), mean_scale),
        LSTMDecoder(
            vocabulary_size,
            embedding_dim,
            units,
            keep_rate=keep_rate,
            z_every_step=z_every_step,
            layer_norm=layer_norm,
            dropout=dropout,
            tied=tied,
            initializer=_uniform(initial_range),
            highways=highways,
            shared_dropout=shared_dropout,
            recurrent_dropout=recurrent_dropout,
            output_dropout=output_dropout,
            chunked_loss=chunked_loss,
        ),
        objective,
    )


def rnnlm(
    vocabulary_size: int,
    embedding_dim: int | None,
    units: int,
    keep_rate: float = 1.0,
    dropout: float = 0.0,
    tied: bool = False,
    layer_norm: bool = False,
    initial_range: float | None = None,
    shared_dropout: bool = False,
    recurrent_dropout: float = 0.0,
    output_dropout: float | None = None,
    chunked_loss: bool = False,
) -> LanguageModel:
    """Returns the language model that Bowman et al. 2016 compare with, without z.

    Args:
        vocabulary_size: int. V.
        embedding_dim, units, keep_rate, dropout, tied, layer_norm, shared_dropout,
            recurrent_dropout, output_dropout: see `decoders.LSTMDecoder`. `keep_rate=0`
            is the inputless one.
        initial_range: see `lstm_vae`.
        chunked_loss: see `decoders.Decoder`.
    """
    return LanguageModel(
        LSTMDecoder(
            vocabulary_size,
            embedding_dim,
            units,
            keep_rate=keep_rate,
            layer_norm=layer_norm,
            dropout=dropout,
            tied=tied,
            initializer=_uniform(initial_range),
            shared_dropout=shared_dropout,
            recurrent_dropout=recurrent_dropout,
            output_dropout=output_dropout,
            chunked_loss=chunked_loss,
        )
    )


def bag_of_words_vae(
    vocabulary_size: int,
    embedding_dim: int | None,
    units: int,
    latent_dim: int,
    keep_rate: float = 0.7,
    dropout: float = 0.0,
    pooling: str = "mean",
    hidden: int = 0,
    posterior: str = "gaussian",
    mean_scale: float | None = None,
    objective: Objective | None = None,
) -> TextVAE:
    """Returns an LSTM encoder under the decoder of Miao et al. 2016: no word order.

    Made for its encoder: it is trained in a fraction of an `lstm_vae`'s time, and z
    says what a text is about.

    Args:
        vocabulary_size: int. V.
        embedding_dim, units, keep_rate, dropout, pooling: see `encoders.LSTMEncoder`.
        latent_dim: int. See `posteriors.Posterior`.
        posterior, mean_scale: see `lstm_vae`.
        hidden: see `decoders.BagOfWordsDecoder`.
        objective: see `lstm_vae`.
    """
    encoder = LSTMEncoder(
        vocabulary_size,
        embedding_dim,
        units,
        dropout=dropout,
        pooling=pooling,
        keep_rate=keep_rate,
    )
    decoder = BagOfWordsDecoder(vocabulary_size, hidden=hidden)
    return TextVAE(
        encoder,
        named_posterior(posterior, latent_dim, None, mean_scale),
        decoder,
        objective,
    )


def feedforward_vae(
    vocabulary_size: int,
    length: int,
    latent_dim: int = 100,
    initial_range: float = 0.1,
    channels: Sequence[int] = (128, 256),
    features: int = 200,
    posterior: str = "gaussian",
    mean_scale: float | None = None,
    convolution_norm: str = "batch",
    chunked_loss: bool = False,
    objective: Objective | None = None,
) -> TextVAE:
    """Returns the convolutional VAE without history of Semeniuta et al. 2017, 2(a).

    Args:
        vocabulary_size: int. V.
        length: int. N, the ids of a sentence or crop after `<bos>`.
        latent_dim: int. See `posteriors.Posterior`.
        posterior, mean_scale: see `lstm_vae`.
        initial_range: float. Weights and biases start uniform in +- this; the authors'
            code has 0.1 everywhere.
        channels, features: see `decoders.DeconvolutionalDecoder`.
        convolution_norm: "batch" or "layer", of convolutions and deconvolutions, see
            `encoders.ConvolutionalEncoder`.
        chunked_loss: see `decoders.Decoder`.
        objective: see `lstm_vae`.
    """
    decoder = DeconvolutionalDecoder(
        vocabulary_size,
        length,
        channels=channels,
        features=features,
        initializer=_uniform(initial_range),
        deconvolution_norm=convolution_norm,
        chunked_loss=chunked_loss,
    )
    return _convolutional_vae(
        decoder, posterior, latent_dim, mean_scale, initial_range, objective
    )


def hybrid_vae(
    vocabulary_size: int,
    length: int,
    latent_dim: int = 50,
    initial_range: float = 0.1,
    units: int = 500,
    channels: Sequence[int] = (128, 256),
    features: int = 200,
    keep_rate: float = 1.0,
    posterior: str = "gaussian",
    mean_scale: float | None = None,
    convolution_norm: str = "batch",
    chunked_loss: bool = False,
    objective: Objective | None = None,
) -> TextVAE:
    """Returns the hybrid VAE with an LSTM of Semeniuta et al. 2017, figure 2(b).

    Args:
        vocabulary_size, length, latent_dim, initial_range: see `feedforward_vae`.
        units, channels, features, keep_rate: see `decoders.HybridDecoder`.
        posterior, mean_scale: see `lstm_vae`.
        convolution_norm, chunked_loss: see `feedforward_vae`.
        objective: `objectives.Objective`. None means the paper's, alpha 0.2.
    """
    decoder = HybridDecoder(
        vocabulary_size,
        length,
        units=units,
        channels=channels,
        features=features,
        keep_rate=keep_rate,
        initializer=_uniform(initial_range),
        deconvolution_norm=convolution_norm,
        chunked_loss=chunked_loss,
    )
    objective = objective or Objective(alpha=ALPHA)
    return _convolutional_vae(
        decoder, posterior, latent_dim, mean_scale, initial_range, objective
    )


def bytenet_vae(
    vocabulary_size: int,
    length: int,
    latent_dim: int = 50,
    initial_range: float = 0.1,
    layers: int = 3,
    hidden: int = 256,
    block: str = "bytenet",
    width: int = 2,
    dilations: Sequence[int] = (1,),
    norm: str = "layer",
    channels: Sequence[int] = (128, 256),
    features: int = 200,
    keep_rate: float = 1.0,
    posterior: str = "gaussian",
    mean_scale: float | None = None,
    convolution_norm: str = "batch",
    chunked_loss: bool = False,
    objective: Objective | None = None,
) -> TextVAE:
    """Returns the hybrid with masked convolutions of Semeniuta et al. 2017, 2(c).

    Args:
        vocabulary_size, length, latent_dim, initial_range, posterior, mean_scale,
            convolution_norm, chunked_loss, objective: see `hybrid_vae`.
        layers, hidden, block, width, dilations, norm, channels, features, keep_rate:
            see `decoders.ByteNetDecoder`.
    """
    decoder = ByteNetDecoder(
        vocabulary_size,
        length,
        layers=layers,
        hidden=hidden,
        block=block,
        width=width,
        dilations=dilations,
        norm=norm,
        channels=channels,
        features=features,
        keep_rate=keep_rate,
        initializer=_uniform(initial_range),
        deconvolution_norm=convolution_norm,
        chunked_loss=chunked_loss,
    )
    objective = objective or Objective(alpha=ALPHA)
    return _convolutional_vae(
        decoder, posterior, latent_dim, mean_scale, initial_range, objective
    )


def _convolutional_vae(
    decoder, posterior, latent_dim, mean_scale, initial_range, objective
):
    encoder = ConvolutionalEncoder(
        decoder.vocabulary_size,
        decoder.length,
        channels=decoder.channels,
        initializer=_uniform(initial_range),
        norm=decoder.deconvolution.norm,
    )
    initializer = _uniform(initial_range)
    return TextVAE(
        encoder,
        named_posterior(posterior, latent_dim, initializer, mean_scale),
        decoder,
        objective,
    )


def _uniform(limit):
    if limit is None:
        return None
    return keras.initializers.RandomUniform(-limit, limit)
