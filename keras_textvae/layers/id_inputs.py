"""How ids enter an LSTM: as rows of an embedding, or as one-hot vectors.

B: batch size. T: time. V: vocabulary size. E: embedding size.

A part takes ids [B, T], or [B] of one step, and returns what `LSTM.project` takes, time
first: [T, B, ...] or [B, ...]. Its `size` is that of the inputs.
"""

import keras
from keras import ops

from keras_textvae.layers.initializers import Initializer, own_initializer
from keras_textvae.layers.word_dropout import WordDropout
from keras_textvae.tokens import UNK


def id_inputs(
    vocabulary_size: int,
    embedding_dim: int | None,
    keep_rate: float | None,
    dtype: str | keras.DTypePolicy,
    **embedded,
) -> "EmbeddedIds | OneHotIds":
    """Returns `EmbeddedIds`, or `OneHotIds` where `embedding_dim` is None.

    Args:
        vocabulary_size: int. V.
        embedding_dim: int or None. E.
        keep_rate: see `EmbeddedIds`.
        dtype: the layer's policy.
        embedded: the other arguments of `EmbeddedIds`.
    """
    if embedding_dim is None:
        return OneHotIds(vocabulary_size, keep_rate=keep_rate, dtype=dtype)
    return EmbeddedIds(
        vocabulary_size, embedding_dim, keep_rate=keep_rate, dtype=dtype, **embedded
    )


@keras.saving.register_keras_serializable("keras_textvae")
class EmbeddedIds(keras.layers.Layer):
    """x_t = m_t * W[w_t], with w_t after word dropout and m_t a mask of unit dropout.

    Args:
        vocabulary_size: int. V, the rows of W.
        size: int. E.
        keep_rate: float. See `WordDropout`; None never drops a word.
        dropped: int. The id in a dropped word's place.
        dropout: float. Rate of dropout on the embeddings, in training.
        shared_dropout: bool. Whether m_t is the same at all steps of a sentence, not a
            different one at each (Gal and Ghahramani 2016, section 4).
        initializer: of W. None means Keras's `uniform`.

    Call arguments:
        ids: int32 [B, T] or [B].

    Returns:
        float [T, B, E] or [B, E].
    """

    def __init__(
        self,
        vocabulary_size: int,
        size: int,
        *,
        keep_rate: float | None = None,
        dropped: int = UNK,
        dropout: float = 0.0,
        shared_dropout: bool = False,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.size = size
        self.keep_rate = keep_rate
        self.dropped = dropped
        self.dropout = dropout
        self.shared_dropout = shared_dropout
        self.initializer = keras.initializers.get(initializer)
        dtype = self.dtype_policy
        self.word_dropout = _word_dropout(keep_rate, dropped, dtype)
        self.embedding = keras.layers.ReversibleEmbedding(
            vocabulary_size,
            size,
            embeddings_initializer=own_initializer(self.initializer, "uniform"),
            reverse_dtype=dtype.compute_dtype,
            dtype=dtype,
        )
        mask = (1, None, None) if shared_dropout else None
        self.unit_dropout = keras.layers.Dropout(dropout, mask, dtype=dtype)

    def build(self, ids_shape):
        self.embedding.build(ids_shape)

    def call(self, ids):
        embedded = self.embedding(ops.transpose(self.word_dropout(ids)))
        return self.unit_dropout(embedded)

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "size": self.size,
            "keep_rate": self.keep_rate,
            "dropped": self.dropped,
            "dropout": self.dropout,
            "shared_dropout": self.shared_dropout,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable("keras_textvae")
class OneHotIds(keras.layers.Layer):
    """x_t = the one-hot vector of w_t, left as its id: `LSTM.project` selects a row.

    Args:
        vocabulary_size: int. V, the size of x_t; V + 1 with a `keep_rate`, as a dropped
            word has the id V, which stands for nothing else.
        keep_rate: see `EmbeddedIds`.

    Call arguments:
        ids: int32 [B, T] or [B].

    Returns:
        int32 [T, B] or [B], below `size`.
    """

    embedding = None

    def __init__(self, vocabulary_size: int, keep_rate: float | None = None, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.keep_rate = keep_rate
        self.size = vocabulary_size + (keep_rate is not None)
        self.word_dropout = _word_dropout(keep_rate, vocabulary_size, self.dtype_policy)

    def build(self, ids_shape):
        self.word_dropout.build(ids_shape)

    def call(self, ids):
        return ops.transpose(self.word_dropout(ids))

    def get_config(self) -> dict:
        return super().get_config() | {
            "vocabulary_size": self.vocabulary_size,
            "keep_rate": self.keep_rate,
        }


def _word_dropout(keep_rate, dropped, dtype):
    if keep_rate is None:
        return keras.layers.Identity(dtype=dtype)
    return WordDropout(keep_rate, dropped, dtype=dtype)
