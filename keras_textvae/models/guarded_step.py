"""A guard of the gradients, which Keras's own training step on TensorFlow lacks."""

import contextlib
import warnings

import keras
import tensorflow as tf

from keras_textvae.replicas import share_of, total_of_all
from keras_textvae.tokens import outside_vocabulary

OF_TRAINING = ("gradient_norm", "skipped_steps")


class GuardedStep(keras.Model):
    """A model whose training step reports and guards its gradients.

    Adds two metrics of training: `skipped_steps`, the number of steps of the epoch
    whose gradients were not finite and which therefore changed no weight, moving
    averages included; and `gradient_norm`, the mean over the other steps of the
    gradients' global norm before clipping.

    Under a `tf.distribute` strategy a step is that of the whole batch: gradients are
    those of the mean over all its rows, and are summed before they are clipped.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gradient_norm_tracker = keras.metrics.Mean("gradient_norm")
        self.skipped_steps_tracker = keras.metrics.Sum("skipped_steps")
        self._evaluates = False

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        # All is built, but for what a classifier is compiled with. Keras would average
        # the replicas' first batches, which fails where those differ in size.
        if self._compile_loss or self._compile_metrics:
            super()._maybe_symbolic_build(iterator, data_batch)

    def train_step(self, data) -> dict:
        ids, labels, weights = self._checked(data)
        rows = tf.shape(ids)[0]
        before = [(weight, tf.identity(weight)) for weight in self._restored]
        with tf.GradientTape() as tape:
            outputs = self(ids, training=True)
            # As Keras has it: a replica's mean over its rows, over all replicas.
            loss = self.compute_loss(ids, labels, outputs, weights, training=True)
            scaled_loss = self.optimizer.scale_loss(loss * share_of(rows))
        replicas = self.distribute_strategy.num_replicas_in_sync
        self._loss_tracker.update_state(replicas * loss, sample_weight=rows)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        gradients = list(map(_dense, gradients, self.trainable_variables))
        gradients = total_of_all(gradients)
        norm = tf.linalg.global_norm(gradients) / self.optimizer.scale_loss(1.0)
        finite = tf.math.is_finite(norm)
        self._update_if(finite, gradients)
        for weight, value in before:
            weight.assign(tf.where(finite, weight, value))
        # Every replica has seen the same.
        once = tf.cast(finite, tf.float32) / replicas
        self.gradient_norm_tracker.update_state(
            tf.where(finite, norm, 0.0), sample_weight=once
        )
        self.skipped_steps_tracker.update_state(1.0 / replicas - once)
        return self.compute_metrics(ids, labels, outputs, weights)

    @property
    def _restored(self):
        """What a step without finite gradients has changed and must not have."""
        averages = self.non_trainable_weights
        if self._optimizer_skips or not tf.distribute.has_strategy():
            return averages
        return [*averages, *self.trainable_weights, *self.optimizer.variables]

    @property
    def _optimizer_skips(self):
        return isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer)

    def _update_if(self, finite, gradients):
        if not gradients:
            warnings.warn("The model has no weight that is trained.", stacklevel=2)
        elif tf.distribute.has_strategy():
            # Replicas cannot meet inside a branch. Here they meet, as the optimizer
            # sums over them what is a sum already: the others give it zeros.
            first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
            self._update([tf.where(first, x, tf.zeros_like(x)) for x in gradients])
        elif self._optimizer_skips:
            self._compiled_update(gradients)  # and lowers its scale
        else:
            tf.cond(finite, lambda: self._compiled_update(gradients), lambda: None)

    def _compiled_update(self, gradients):
        update = self._update
        if not self.run_eagerly:
            # Adam's dozen passes over each weight become one. The rest of the step does
            # not gain.
            update = tf.function(update, jit_compile=True, autograph=False)
        update(gradients)

    def _update(self, gradients):
        self.optimizer.apply_gradients(
            zip(gradients, self.trainable_variables, strict=True)
        )

    def test_step(self, data) -> dict:
        with self._evaluation():
            return super().test_step(self._checked(data))

    def fit(self, *args, **options):
        with self._in_one_line():
            return super().fit(*args, **options)

    def evaluate(self, *args, **options):
        with self._evaluation(), self._in_one_line():
            return super().evaluate(*args, **options)

    def _checked(self, data):
        """Returns ids, labels and weights of a batch, the ids once they are known."""
        ids, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        known = tf.reduce_all((ids >= 0) & (ids < self.vocabulary_size))
        message = outside_vocabulary(self.vocabulary_size)
        with tf.control_dependencies([tf.debugging.Assert(known, [message])]):
            return tf.identity(ids), labels, weights

    def get_metrics_result(self) -> dict:
        """Returns the metrics, in an evaluation without those of training."""
        results = super().get_metrics_result()
        of_training = OF_TRAINING if self._evaluates else ()
        return {name: x for name, x in results.items() if name not in of_training}

    @contextlib.contextmanager
    def _in_one_line(self):
        """Has ids outside the vocabulary end in a ValueError, not in a trace."""
        try:
            yield
        except tf.errors.InvalidArgumentError as error:
            message = outside_vocabulary(self.vocabulary_size)
            if message not in str(error):
                raise
            raise ValueError(message) from None

    @contextlib.contextmanager
    def _evaluation(self):
        before, self._evaluates = self._evaluates, True
        try:
            yield
        finally:
            self._evaluates = before


def _dense(gradient, weight):
    """Returns the gradient as a tensor, zeros for a weight that the loss ignores.

    Slices of an embedding repeat an id; only their dense sum has the right norm.
    """
    return tf.zeros_like(weight) if gradient is None else tf.convert_to_tensor(gradient)
