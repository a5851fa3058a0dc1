"""What a decoder is.

B: batch size. T: time. V: vocabulary size. D: latent size.
"""

import keras


class Decoder(keras.layers.Layer):
    """A layer that tells how likely each next id is, given z and the ids before it.

    A subclass writes `call`, `initial_state`, `step` and, where its state has rows,
    `select_rows`. `call` equals repeated `step`; what does not depend on history is
    computed once, in `initial_state`.

    Args:
        chunked_loss: bool. Whether a loss is given the logits of `teacher_forced` as
            `losses.Factors`, so that those of a large vocabulary are never all in
            memory. Logits [B, 1, V] are few, and stay what they are.

    Attributes:
        vocabulary_size: V.
        outputs: the names of what `teacher_forced` returns.
        ordered: whether it knows the order of a text's words, without which what it
            writes is no text.

    Call arguments:
        ids: int32 [B, T], `<bos>` first.
        z: float [B, D].
        training: bool.
        as_factors: bool. Return `losses.Factors`, of which the logits are the product.

    Returns:
        Logits [B, T, V], at step t those of the id after it; [B, 1, V] where they are
        the same at all steps.
    """

    outputs = ("logits",)
    ordered = True

    def __init__(self, *, chunked_loss: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.chunked_loss = chunked_loss

    def call(self, ids, z, training: bool = False, as_factors: bool = False):
        raise NotImplementedError

    def compute_output_spec(
        self, ids, z, training: bool = False, as_factors: bool = False
    ):
        shape = (*ids.shape, self.vocabulary_size)
        return keras.KerasTensor(shape, self.compute_dtype)

    def teacher_forced(self, ids, z, training: bool = False) -> dict:
        """Returns the tensors that a loss of texts takes, under their names.

        Args: see the call arguments.

        Returns:
            `logits`, those of `call`, and from a decoder with a second, auxiliary
            reconstruction also `auxiliary_logits`, of the same shape. With
            `chunked_loss` both are `losses.Factors`.
        """
        logits = self(ids, z, training=training, as_factors=self.chunked_loss)
        return {"logits": logits}

    def initial_state(self, z):
        """Returns what z gives to every step, and the state before the first.

        Args:
            z: float [B, D].

        Returns:
            The pair of `features` and `state`, nested tensors both.
        """
        raise NotImplementedError

    def step(self, ids, features, state):
        """Computes one step, outside training.

        Args:
            ids: int32 [B], `<bos>` at the first step.
            features: from `initial_state`.
            state: from `initial_state` or the step before.

        Returns:
            The pair of the logits [B, V] of the ids after these, and the new state.
        """
        raise NotImplementedError

    def select_rows(self, state, rows):
        """Returns the state of some rows; here, the state that all rows share.

        Args:
            state: from `initial_state` or `step`.
            rows: int32 [R], of which one may stand twice.
        """
        return state

    def get_config(self) -> dict:
        return super().get_config() | {"chunked_loss": self.chunked_loss}
