"""How logits are computed: by a dense layer, or by the embedding of the input ids.

B: batch size. T: time. H: hidden size. V: vocabulary size.
"""

from typing import Self

import keras
from keras import ops

from keras_textvae.layers.initializers import Initializer, dense, own_initializer
from keras_textvae.losses import Factors


class _Logits(keras.layers.Layer):
    """Unit dropout, and a projection of all outputs as one matrix product."""

    def __init__(
        self,
        *,
        dropout: float = 0.0,
        shared_dropout: bool = False,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.shared_dropout = shared_dropout
        self.initializer = keras.initializers.get(initializer)
        mask = (None, 1, None) if shared_dropout else None
        self.unit_dropout = keras.layers.Dropout(dropout, mask, dtype=self.dtype_policy)

    def call(self, outputs, as_factors: bool = False):
        x = self.unit_dropout(outputs)
        rows = self._reduced(ops.reshape(x, (-1, x.shape[-1])))
        rows = rows if as_factors else self._project(rows)
        rows = ops.reshape(rows, (*ops.shape(x)[:-1], rows.shape[-1]))
        return Factors(rows, *self._kernel_and_bias()) if as_factors else rows

    def _reduced(self, rows):
        return rows

    def _cast(self, weight):
        return ops.cast(weight, self.compute_dtype)

    def get_config(self) -> dict:
        return super().get_config() | {
            "dropout": self.dropout,
            "shared_dropout": self.shared_dropout,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable("keras_textvae")
class DenseLogits(_Logits):
    """y_t = W (m_t * h_t) + b, with m_t a mask of dropout.

    Args:
        vocabulary_size: int. V.
        dropout: float. Rate of dropout on the outputs of a sentence, in training.
        shared_dropout: bool. Whether m_t is the same at all steps of a sentence, not a
            different one at each (Gal and Ghahramani 2016, section 4).
        initializer: of W and b. None means those of `Dense`.

    Call arguments:
        outputs: float [B, T, H], or [B, H] of one step.
        as_factors: bool. Leave the product to the loss.

    Returns:
        float [B, T, V] or [B, V], in the policy's compute dtype; or `losses.Factors`.
    """

    def __init__(self, vocabulary_size: int, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.projection = dense(vocabulary_size, self.initializer, self.dtype_policy)

    def build(self, outputs_shape):
        self.projection.build((None, outputs_shape[-1]))

    def _project(self, rows):
        return self.projection(rows)

    def _kernel_and_bias(self):
        return self._cast(self.projection.kernel), self._cast(self.projection.bias)

    def get_config(self) -> dict:
        return super().get_config() | {"vocabulary_size": self.vocabulary_size}


@keras.saving.register_keras_serializable("keras_textvae")
class TiedLogits(_Logits):
    """y_t = E P (m_t * h_t) + b, with E [V, D] an embedding (Press and Wolf 2017).

    P [D, H] is there where the sizes differ, so that a large LSTM can have a small
    embedding (their section 3 regularises such a projection, which this one is not).

    Args:
        embedding: the `ReversibleEmbedding`, which is built elsewhere; None, as with
            one-hot ids, is refused.
        dropout, shared_dropout: see `DenseLogits`.
        initializer: of P and b. None means that of `Dense`, and zeros for b.

    Call arguments and returns: those of `DenseLogits`.

    Raises:
        ValueError: without an embedding.
    """

    def __init__(self, embedding: keras.layers.ReversibleEmbedding | None, **kwargs):
        super().__init__(**kwargs)
        if embedding is None:
            raise ValueError("`tied` needs an embedding. Received: embedding_dim=None")
        self.embedding = embedding
        self.projection = None

    def build(self, outputs_shape):
        size = self.embedding.output_dim
        if outputs_shape[-1] != size:
            self.projection = dense(
                size, self.initializer, self.dtype_policy, use_bias=False
            )
            self.projection.build((None, outputs_shape[-1]))
        self.bias = self.add_weight(
            shape=(self.embedding.input_dim,),
            initializer=own_initializer(self.initializer, "zeros"),
            name="bias",
        )

    def _reduced(self, rows):
        return rows if self.projection is None else self.projection(rows)

    def _project(self, rows):
        logits = self.embedding(rows, reverse=True)
        return logits + ops.cast(self.bias, logits.dtype)

    def _kernel_and_bias(self):
        kernel = ops.transpose(self._cast(self.embedding.embeddings))
        return kernel, self._cast(self.bias)

    def get_config(self) -> dict:
        embedding = keras.saving.serialize_keras_object(self.embedding)
        return super().get_config() | {"embedding": embedding}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        embedding = keras.saving.deserialize_keras_object(config["embedding"])
        return cls(**config | {"embedding": embedding})
