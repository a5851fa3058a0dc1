"""Word dropout: hiding words.

B: batch size. T: time.
"""

import keras
from keras import ops

from keras_textvae.layers.noise import uniform
from keras_textvae.tokens import BOS, PAD, UNK


@keras.saving.register_keras_serializable("keras_textvae")
class WordDropout(keras.layers.Layer):
    """Replaces each id by `dropped` with probability 1 - `keep_rate`, in training.

    `<bos>` and `<pad>` are never replaced. At `keep_rate=0` every other id is, in
    evaluation too: a decoder that never saw history must not be shown any (Bowman et
    al. 2016, section 3.1, the inputless decoder).

    Args:
        keep_rate: float in [0, 1].
        dropped: int. The replacement: `<unk>` (Bowman et al. 2016), or an id that is
            used for nothing else (Semeniuta et al. 2017).

    Call arguments:
        ids: int32 [B, T] or [B].
        training: bool.
    """

    def __init__(self, keep_rate: float = 1.0, dropped: int = UNK, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= keep_rate <= 1.0:
            raise ValueError(
                f"`keep_rate` must lie in [0, 1]. Received: keep_rate={keep_rate}"
            )
        self.keep_rate = keep_rate
        self.dropped = dropped
        self.choice = keras.random.SeedGenerator()
        self.built = True

    def call(self, ids, training: bool = False):
        if self.keep_rate == 1.0 or (self.keep_rate > 0.0 and not training):
            return ids
        kept = ops.logical_or(ids == BOS, ids == PAD)
        if self.keep_rate > 0.0:
            kept = ops.logical_or(
                kept, uniform(ops.shape(ids), self.choice) < self.keep_rate
            )
        return ops.where(kept, ids, self.dropped)

    def get_config(self) -> dict:
        return super().get_config() | {
            "keep_rate": self.keep_rate,
            "dropped": self.dropped,
        }
