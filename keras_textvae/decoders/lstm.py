"""The decoder of Bowman et al. 2016.

B: batch size. T: time. V: vocabulary size. E: embedding size. H: hidden size. D: latent
size.
"""

import keras
from keras import ops

from keras_textvae.decoders.decoder import Decoder
from keras_textvae.decoders.projection import project_rows
from keras_textvae.layers import (
    LSTM,
    WordDropout,
    dense,
    highway_layers,
    own_initializer,
)
from keras_textvae.tokens import UNK


@keras.saving.register_keras_serializable("keras_textvae")
class LSTMDecoder(Decoder):
    """A single-layer LSTM language model that starts from z.

    (h_0, c_0) = tanh(W z + b), or zeros where z has no dimensions; with `z_every_step`,
    z also enters at every step. Bowman et al. 2016, section 3.

    Args:
        vocabulary_size: int. V.
        embedding_dim: int. E. None feeds the LSTM one-hot ids.
        units: int. H.
        keep_rate: float. Word dropout's keep rate, see `layers.WordDropout`. The
            dropped id is `<unk>`; of one-hot ids V, which stands for nothing else.
        z_every_step: bool. Whether z enters at every step too.
        layer_norm: bool. See `layers.LSTM`.
        dropout: float. Rate of dropout on the embeddings and on the LSTM's outputs, in
            training.
        tied: bool. Whether the output projection is the transposed embedding, which
            needs H = E (Press and Wolf 2017).
        initializer: initializer of every weight and bias, but see `layers.Highway`.
            None means the layers' own.
        highways: int. How many highway layers z passes through before it is used.
        shared_dropout: bool. Whether `dropout` drops the same units at all steps of a
            sentence, and not others at each (Gal and Ghahramani 2016, section 4).
        recurrent_dropout: float. See `layers.LSTM`.
        output_dropout: float. The rate on the outputs alone, in place of `dropout`'s.
            0 with a `dropout` drops embeddings only, the alternative to word dropout of
            Bowman et al. 2016, section 3.

    Call arguments:
        ids: int32 [B, T], `<bos>` first.
        z: float [B, D].

    Returns:
        Logits [B, T, V], those at step t of the id after it.
    """

    def __init__(
        self,
        vocabulary_size,
        embedding_dim,
        units,
        keep_rate=1.0,
        z_every_step=False,
        layer_norm=False,
        dropout=0.0,
        tied=False,
        initializer=None,
        highways=0,
        shared_dropout=False,
        recurrent_dropout=0.0,
        output_dropout=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if tied and units != embedding_dim:
            raise ValueError(
                "`tied` needs as many units as embedding dimensions. Received: "
                f"units={units}, embedding_dim={embedding_dim}"
            )
        self.vocabulary_size = vocabulary_size
        self.embedding_dim = embedding_dim
        self.units = units
        self.keep_rate = keep_rate
        self.z_every_step = z_every_step
        self.layer_norm = layer_norm
        self.dropout = dropout
        self.tied = tied
        self.initializer = keras.initializers.get(initializer)
        self.highways = highways
        self.shared_dropout = shared_dropout
        self.recurrent_dropout = recurrent_dropout
        self.output_dropout = output_dropout
        dtype = self.dtype_policy
        one_hot = embedding_dim is None
        dropped = vocabulary_size if one_hot else UNK
        self.word_dropout = WordDropout(keep_rate, dropped, dtype=dtype)
        if not one_hot:
            self.embedding = keras.layers.ReversibleEmbedding(
                vocabulary_size,
                embedding_dim,
                embeddings_initializer=own_initializer(self.initializer, "uniform"),
                reverse_dtype=dtype.compute_dtype,
                dtype=dtype,
            )
        self.unit_dropout = keras.layers.Dropout(dropout, dtype=dtype)
        self.output_unit_dropout = None
        if output_dropout is not None:
            self.output_unit_dropout = keras.layers.Dropout(output_dropout, dtype=dtype)
        self.highway_layers = highway_layers(highways, self.initializer, dtype)
        self.initial = dense(2 * units, self.initializer, dtype, activation="tanh")
        if z_every_step:
            self.latent = dense(4 * units, self.initializer, dtype, use_bias=False)
        self.lstm = LSTM(
            units, layer_norm, self.initializer, recurrent_dropout, dtype=dtype
        )
        if not tied:
            self.output_projection = dense(vocabulary_size, self.initializer, dtype)

    def build(self, ids_shape, z_shape):
        if z_shape[-1]:
            for layer in self.highway_layers:
                layer.build(z_shape)
            self.initial.build(z_shape)
        if self.z_every_step:
            self.latent.build(z_shape)
        if self.embedding_dim is None:
            self.lstm.build((*ids_shape, self.vocabulary_size + 1))
        else:
            self.embedding.build(ids_shape)
            self.lstm.build((*ids_shape, self.embedding_dim))
        if self.tied:
            self.output_bias = self.add_weight(
                shape=(self.vocabulary_size,),
                initializer=own_initializer(self.initializer, "zeros"),
                name="output_bias",
            )
        else:
            self.output_projection.build((None, self.units))

    def call(self, ids, z, training=False):
        features, state = self.initial_state(z)
        ids = ops.transpose(self.word_dropout(ids))
        projected = self._project(ids, time=0)  # [T, B, 4H]
        if self.z_every_step:
            projected = projected + features
        outputs = self.lstm.recur(projected, state)  # [B, T, H]
        dropped = self._drop(
            self.output_unit_dropout or self.unit_dropout, outputs, time=1
        )
        return project_rows(self._logits, dropped)

    def initial_state(self, z):
        """Returns what z adds to the gates at every step, and the pair (h, c)."""
        if z.shape[-1]:
            for layer in self.highway_layers:
                z = layer(z)
        features = ops.cast(self.latent(z), "float32") if self.z_every_step else ()
        if not z.shape[-1]:
            return features, self.lstm.zero_state(ops.shape(z)[0])
        h, c = ops.split(ops.cast(self.initial(z), "float32"), 2, axis=-1)
        return features, (h, c)

    def step(self, ids, features, state):
        """Returns the logits [B, V] after `ids` [B], and the new state."""
        projected = self._project(self.word_dropout(ids))
        if self.z_every_step:
            projected = projected + features
        state = self.lstm.step(projected, state)
        return self._logits(state[0]), state

    def select_rows(self, state, rows):
        """Returns the state of `rows` int32 [R], of which one may stand twice."""
        return tuple(ops.take(x, rows, axis=0) for x in state)

    def _project(self, ids, time=None):  # [...] -> float32 [..., 4H]
        if self.embedding_dim is None:
            return self.lstm.project_one_hot(ids)
        embedded = self._drop(self.unit_dropout, self.embedding(ids), time)
        return self.lstm.project(embedded)

    def _drop(self, dropout, x, time):
        """Drops units; `time` is the axis of the steps, or None where there is one."""
        if time is None or not self.shared_dropout:
            return dropout(x)
        one_step = ops.ones_like(ops.take(x, [0], axis=time))
        return x * ops.cast(dropout(one_step), x.dtype)

    def _logits(self, outputs):  # [B, H] -> [B, V]
        if not self.tied:
            return self.output_projection(outputs)
        logits = self.embedding(outputs, reverse=True)
        return logits + ops.cast(self.output_bias, logits.dtype)

    def get_config(self):
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "embedding_dim": self.embedding_dim,
            "units": self.units,
            "keep_rate": self.keep_rate,
            "z_every_step": self.z_every_step,
            "layer_norm": self.layer_norm,
            "dropout": self.dropout,
            "tied": self.tied,
            "initializer": keras.initializers.serialize(self.initializer),
            "highways": self.highways,
            "shared_dropout": self.shared_dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "output_dropout": self.output_dropout,
        }
