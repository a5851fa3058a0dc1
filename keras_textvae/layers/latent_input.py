"""How z enters an LSTM.

B: batch size. H: hidden size. D: latent size.
"""

import keras
from keras import ops

from keras_textvae.layers.highway import highway_layers
from keras_textvae.layers.initializers import Initializer, dense


@keras.saving.register_keras_serializable("keras_textvae")
class LatentInput(keras.layers.Layer):
    """(h_0, c_0) = tanh(W y + b), and with `every_step` U y is added to all gates.

    y is z after its highway layers. Bowman et al. 2016, section 3. Where z has no
    dimensions, the state starts at zeros.

    Args:
        units: int. H.
        every_step: bool. Whether z enters at every step too.
        highways: int. How many highway layers z passes through.
        initializer: initializer of every weight and bias, but see `Highway`. None means
            the layers' own.

    Call arguments:
        z: float [B, D].

    Returns:
        A tuple of what to add to the gates of every step: U y, float32 [B, 4H], with
        `every_step`, and otherwise nothing; and the pair (h_0, c_0), float32 [B, H]
        each.
    """

    def __init__(
        self,
        units: int,
        *,
        every_step: bool = False,
        highways: int = 0,
        initializer: Initializer | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = units
        self.every_step = every_step
        self.highways = highways
        self.initializer = keras.initializers.get(initializer)
        dtype = self.dtype_policy
        self.highway_layers = highway_layers(highways, self.initializer, dtype)
        self.initial = dense(2 * units, self.initializer, dtype, activation="tanh")
        self.gates = []
        if every_step:
            self.gates = [dense(4 * units, self.initializer, dtype, use_bias=False)]

    def build(self, z_shape):
        if z_shape[-1]:
            for layer in (*self.highway_layers, self.initial, *self.gates):
                layer.build(z_shape)

    def call(self, z):
        if not z.shape[-1]:
            zeros = ops.zeros((ops.shape(z)[0], self.units), "float32")
            return (), (zeros, zeros)
        for layer in self.highway_layers:
            z = layer(z)
        h, c = ops.split(ops.cast(self.initial(z), "float32"), 2, axis=-1)
        added = tuple(ops.cast(layer(z), "float32") for layer in self.gates)
        return added, (h, c)

    def get_config(self) -> dict:
        return super().get_config() | {
            "units": self.units,
            "every_step": self.every_step,
            "highways": self.highways,
            "initializer": keras.initializers.serialize(self.initializer),
        }
