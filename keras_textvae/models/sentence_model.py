"""What every model of sentences shares: its training step, and how it is built.

B: batch size. T: time, `<bos>` included.
"""

import contextlib
import functools
from typing import TYPE_CHECKING, Self

import keras

from keras_textvae.tokens import require_ids

if TYPE_CHECKING or keras.backend.backend() == "tensorflow":
    from keras_textvae.models.guarded_step import GuardedStep
else:
    GuardedStep = keras.Model

PARTS = ("encoder", "posterior", "decoder", "head", "objective")


class SentenceModel(GuardedStep):
    """A model that is called on ids, int32 [B, T], and made of `PARTS`.

    It has all its weights when it is constructed, and its optimizer's when it is
    compiled.

    Raises:
        ValueError: if `keras.config.floatx()` is not float32, or the precision policy
            is float64. Losses and states are float32 under every precision policy.
    """

    def __init__(self, **kwargs):
        if (floatx := keras.config.floatx()) != "float32":
            raise ValueError(
                "Models need keras.config.floatx() to be float32, and take precision "
                f"policies such as mixed_bfloat16. Received: floatx={floatx!r}"
            )
        if (policy := keras.config.dtype_policy()).compute_dtype == "float64":
            raise ValueError(
                "Models compute in float32 or less: losses and states have no more. "
                f"Received: keras.config.dtype_policy()={policy.name!r}"
            )
        super().__init__(**kwargs)

    @property
    def state(self):
        """All variables but the metrics': weights, averages and random states."""
        metrics = {id(v) for metric in self.metrics for v in metric.variables}
        return [variable for variable in self.variables if id(variable) not in metrics]

    def build(self, ids_shape: tuple | None = None):
        """Does nothing: the model is built already."""

    @contextlib.contextmanager
    def building(self):
        """Gives symbolic ids [B, T], on which a constructor calls the model's parts."""
        with keras.name_scope(self.name, caller=self):
            yield keras.KerasTensor((None, None), "int32")
        self.built = True

    @property
    def vocabulary_size(self) -> int:
        """V, of the ids that the model is called on."""
        return self.encoder.vocabulary_size

    @functools.wraps(keras.Model.compile)
    def compile(self, *args, **options):
        super().compile(*args, **options)
        if self.optimizer and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config: dict):
        # Keras's own does not, where `compile` is another.
        self.compile(**keras.saving.deserialize_keras_object(config))

    @functools.wraps(keras.Model.fit)
    def fit(self, x=None, y=None, *args, validation_data=None, **options):
        y = self._labels(x, y, **options)
        if validation_data is not None:
            parts = keras.utils.unpack_x_y_sample_weight(validation_data)
            ids, labels, weights = parts
            validation_data = ids, self._labels(ids, labels, weights), weights
        return super().fit(x, y, *args, validation_data=validation_data, **options)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, x=None, y=None, *args, **options):
        return super().evaluate(x, self._labels(x, y, **options), *args, **options)

    @functools.wraps(keras.Model.train_on_batch)
    def train_on_batch(
        self, x, y=None, sample_weight=None, class_weight=None, return_dict=False
    ):
        y = self._labels(x, y, sample_weight, class_weight)
        return super().train_on_batch(x, y, sample_weight, class_weight, return_dict)

    @functools.wraps(keras.Model.test_on_batch)
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        y = self._labels(x, y, sample_weight)
        return super().test_on_batch(x, y, sample_weight, return_dict)

    @functools.wraps(keras.Model.predict)
    def predict(self, x, *args, **options):
        self._require_ids(x)
        return super().predict(x, *args, **options)

    @functools.wraps(keras.Model.predict_on_batch)
    def predict_on_batch(self, x):
        self._require_ids(x)
        return super().predict_on_batch(x)

    @functools.wraps(keras.Model.export)
    def export(self, filepath, *args, input_signature=None, **options):
        # Keras would learn it from a call. `TextSpace.export` takes and gives texts.
        signature = input_signature or [keras.KerasTensor((None, None), "int32")]
        super().export(filepath, *args, input_signature=signature, **options)

    def _require_ids(self, x):
        ids = getattr(x, "element_spec", None)  # of a `tf.data.Dataset`
        ids = x if ids is None else ids[0] if isinstance(ids, tuple) else ids
        if isinstance(ids, str | bytes | list | tuple | dict) or hasattr(ids, "shape"):
            require_ids(ids, self.vocabulary_size)

    def _labels(self, x, y, sample_weight=None, class_weight=None, **_):
        """Returns labels to train on, once ids and weights are found to be such."""
        others = {"y": y, "sample_weight": sample_weight, "class_weight": class_weight}
        others = [name for name, value in others.items() if value is not None]
        if others and hasattr(x, "get_tf_dataset"):  # which Keras takes as it is
            raise ValueError(
                "Batches bring their own labels and weights. "
                f"Received: {', '.join(others)}"
            )
        self._require_ids(x)
        if class_weight is not None and y is None and hasattr(x, "__array__"):
            raise ValueError(
                "`class_weight` needs labels. Weigh sentences by `sample_weight`."
            )
        return y

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Self:
        parts = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in PARTS
            if name in config
        }
        return cls(**config | parts)
