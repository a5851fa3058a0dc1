"""A SentencePiece model as a resource of TensorFlow.

B: batch size. V: pieces of the model. (N) differs from row to row (`tf.RaggedTensor`).
"""

import hashlib

import tensorflow as tf
from tensorflow_text.python.ops import sentencepiece_tokenizer

_OPERATIONS = sentencepiece_tokenizer.gen_sentencepiece_tokenizer


class PieceModel(tf.saved_model.experimental.TrackableResource):
    """A SentencePiece model that graphs and SavedModels can use.

    `tensorflow_text.SentencepieceTokenizer` is nearly that, but its model is gone as
    soon as anyone sets a seed (`tf.random.set_seed`), which deletes all that belongs to
    single operations. This one is shared under a name, that of its content, and stays.

    Args:
        model: bytes, as SentencePiece writes them.

    Raises:
        ValueError: if they are no model.
    """

    def __init__(self, model: bytes):
        super().__init__()
        self._model = model
        try:
            _ = self.resource_handle  # is made when it is asked for
        except tf.errors.OpError as error:
            raise ValueError("That is no SentencePiece model.") from error

    def _create_resource(self):
        name = f"sentencepiece_{hashlib.sha256(self._model).hexdigest()}"
        return _OPERATIONS.sentencepiece_op(model=self._model, shared_name=name)

    def tokenize(self, text, framed: bool = False):  # [B] -> int32 [B, (N)]
        """Returns the ids of texts; `framed` by those of their beginning and end."""
        values, row_splits = _OPERATIONS.sentencepiece_tokenize_op(
            self.resource_handle,
            text,
            nbest_size=0,
            alpha=1.0,
            add_bos=framed,
            add_eos=framed,
            reverse=False,
        )
        return tf.RaggedTensor.from_row_splits(values, row_splits, validate=False)

    def pieces(self) -> list[str]:
        """Returns the pieces, the one of each id, V."""
        size = _OPERATIONS.sentencepiece_vocab_size_op(self.resource_handle)
        names = _OPERATIONS.sentencepiece_id_to_string_op(
            self.resource_handle, tf.range(size)
        )
        return [name.decode() for name in names.numpy()]

    def id_of(self, piece: str) -> int:
        """Returns the id of a piece, or that of what is unknown."""
        ids = _OPERATIONS.sentencepiece_string_to_id_op(self.resource_handle, [piece])
        return int(ids[0])
