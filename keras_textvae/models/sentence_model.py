"""What every model of sentences shares: its training step, and how it is built again.

T: time, `<bos>` included.
"""

from typing import TYPE_CHECKING, Self

import keras
from keras import ops

if TYPE_CHECKING or keras.backend.backend() == "tensorflow":
    from keras_textvae.models.guarded_step import GuardedStep
else:
    GuardedStep = keras.Model

PARTS = ("encoder", "posterior", "decoder", "head", "objective")


class SentenceModel(GuardedStep):
    """A model that is called on ids, int32 [B, T], and made of `PARTS`.

    Raises:
        ValueError: if `keras.config.floatx()` is not float32. Losses and states are
            float32 under every precision policy.
    """

    def __init__(self, **kwargs):
        if (floatx := keras.config.floatx()) != "float32":
            raise ValueError(
                "Models need keras.config.floatx() to be float32, and take precision "
                f"policies such as mixed_bfloat16. Received: floatx={floatx!r}"
            )
        super().__init__(**kwargs)

    @property
    def state(self):
        """All variables but the metrics': weights, averages and random states."""
        metrics = {id(v) for metric in self.metrics for v in metric.variables}
        return [variable for variable in self.variables if id(variable) not in metrics]

    def build_from_config(self, config: dict):
        # Keras's own way is a call with floats, which are no ids.
        shape = [size or 2 for size in config["input_shape"]]
        self(ops.ones(shape, dtype="int32"))

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Self:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in PARTS
            if name in config
        }
        return cls(**config | parts)
