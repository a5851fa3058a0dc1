"""The decoder of Bowman et al. 2016.

B: batch size. T: time. V: vocabulary size. E: embedding size. H: hidden size. D: latent
size.
"""

import keras
from keras import ops

from keras_textvae.decoders.decoder import Decoder
from keras_textvae.layers import (
    LSTM,
    DenseLogits,
    Initializer,
    LatentInput,
    TiedLogits,
    id_inputs,
)


@keras.saving.register_keras_serializable("keras_textvae")
class LSTMDecoder(Decoder):
    """A single-layer LSTM language model that starts from z.

    (h_0, c_0) = tanh(W z + b), or zeros where z has no dimensions; with `z_every_step`,
    z also enters at every step. Bowman et al. 2016, section 3.

    Args:
        vocabulary_size: int. V.
        embedding_dim: int. E. None feeds the LSTM one-hot ids.
        units: int. H.
        keep_rate: float. See `layers.WordDropout`. A dropped word becomes `<unk>` or,
            with one-hot ids, V, which stands for nothing else.
        z_every_step, highways: see `layers.LatentInput`.
        layer_norm, recurrent_dropout: see `layers.LSTM`.
        dropout: float. Rate of dropout on the embeddings and on the LSTM's outputs, in
            training.
        output_dropout: float. The rate on the outputs alone, in place of `dropout`'s.
            0 with a `dropout` drops embeddings only, the alternative to word dropout of
            Bowman et al. 2016, section 3.
        shared_dropout: bool. Whether `dropout` drops the same units at all steps of a
            sentence, not different ones at each (Gal and Ghahramani 2016, section 4).
        tied: bool. Whether logits are `layers.TiedLogits`, of the embedding, rather
            than `layers.DenseLogits`.
        initializer: initializer of every weight and bias, but see `layers.Highway`.
            None means the layers' own.

    Call arguments:
        ids: int32 [B, T], `<bos>` first.
        z: float [B, D].

    Returns:
        Logits [B, T, V], at step t those of the id after it.
    """

    def __init__(
        self,
        vocabulary_size: int,
        embedding_dim: int | None,
        units: int,
        *,
        keep_rate: float = 1.0,
        z_every_step: bool = False,
        layer_norm: bool = False,
        dropout: float = 0.0,
        tied: bool = False,
        initializer: Initializer | None = None,
        highways: int = 0,
        shared_dropout: bool = False,
        recurrent_dropout: float = 0.0,
        output_dropout: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.dropout = dropout
        self.tied = tied
        self.initializer = keras.initializers.get(initializer)
        self.output_dropout = output_dropout
        dtype = self.dtype_policy
        self.history = id_inputs(
            vocabulary_size,
            embedding_dim,
            keep_rate,
            dtype,
            dropout=dropout,
            shared_dropout=shared_dropout,
            initializer=self.initializer,
        )
        self.latent = LatentInput(
            units,
            every_step=z_every_step,
            highways=highways,
            initializer=self.initializer,
            dtype=dtype,
        )
        self.lstm = LSTM(
            units,
            layer_norm=layer_norm,
            initializer=self.initializer,
            recurrent_dropout=recurrent_dropout,
            dtype=dtype,
        )
        outputs = {
            "dropout": dropout if output_dropout is None else output_dropout,
            "shared_dropout": shared_dropout,
            "initializer": self.initializer,
            "dtype": dtype,
        }
        if tied:
            self.logits = TiedLogits(self.history.embedding, **outputs)
        else:
            self.logits = DenseLogits(vocabulary_size, **outputs)

    def build(self, ids_shape, z_shape):
        self.history.build(ids_shape)
        self.latent.build(z_shape)
        self.lstm.build((None, None, self.history.size))
        self.logits.build((None, self.units))

    def call(self, ids, z, training: bool = False, as_factors: bool = False):
        features, state = self.initial_state(z)
        outputs = self.lstm.recur(self._gates(ids, features), state)
        return self.logits(outputs, as_factors=as_factors)

    def initial_state(self, z):
        """Returns what z adds to the gates of every step, and the pair (h, c)."""
        return self.latent(z)

    def step(self, ids, features, state):
        """Returns the logits [B, V] after `ids` [B], and the new state."""
        state = self.lstm.step(self._gates(ids, features), state)
        return self.logits(state[0]), state

    def select_rows(self, state, rows):
        """Returns the state of `rows` int32 [R], of which one may stand twice."""
        return tuple(ops.take(x, rows, axis=0) for x in state)

    def _gates(self, ids, features):  # [B, T] or [B] -> float32 [T, B, 4H] or [B, 4H]
        return sum(features, self.lstm.project(self.history(ids)))

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "keep_rate": self.history.keep_rate,
            "z_every_step": self.latent.every_step,
            "layer_norm": self.lstm.layer_norm,
            "dropout": self.dropout,
            "tied": self.tied,
            "initializer": keras.initializers.serialize(self.initializer),
            "highways": self.latent.highways,
            "shared_dropout": self.logits.shared_dropout,
            "recurrent_dropout": self.lstm.recurrent_dropout,
            "output_dropout": self.output_dropout,
        }
