"""A guard of the gradients, which Keras's own training step on TensorFlow lacks."""

import keras
import tensorflow as tf


class GuardedStep(keras.Model):
    """A model whose training step reports and guards its gradients.

    Adds two metrics of training: `skipped_steps`, the number of steps of the epoch
    whose gradients were not finite and which therefore changed no weight, moving
    averages included; and `gradient_norm`, the mean over the other steps of the
    gradients' global norm before clipping.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gradient_norm_tracker = keras.metrics.Mean("gradient_norm")
        self.skipped_steps_tracker = keras.metrics.Sum("skipped_steps")

    def train_step(self, data) -> dict:
        ids, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        averages = [(w, tf.identity(w)) for w in self.non_trainable_weights]
        with tf.GradientTape() as tape:
            outputs = self(ids, training=True)
            loss = self.compute_loss(ids, labels, outputs, weights, training=True)
            self._loss_tracker.update_state(loss, sample_weight=tf.shape(ids)[0])
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        gradients = list(map(_dense, gradients, self.trainable_variables))
        norm = tf.linalg.global_norm(gradients) / self.optimizer.scale_loss(1.0)
        finite = tf.math.is_finite(norm)
        self._apply_if(finite, gradients)
        for weight, before in averages:
            weight.assign(tf.where(finite, weight, before))
        self.gradient_norm_tracker.update_state(
            tf.where(finite, norm, 0.0), sample_weight=tf.cast(finite, tf.float32)
        )
        self.skipped_steps_tracker.update_state(tf.cast(~finite, tf.float32))
        return self.compute_metrics(ids, labels, outputs, weights)

    def _apply_if(self, finite, gradients):
        def apply():
            self.optimizer.apply_gradients(
                zip(gradients, self.trainable_variables, strict=True)
            )

        if not (self.run_eagerly or tf.distribute.has_strategy()):
            # Adam's dozen passes over each weight become one. The rest of the step does
            # not gain, and replicas could not meet inside.
            apply = tf.function(apply, jit_compile=True, autograph=False)
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            # It skips such a step itself, and lowers its scale.
            apply()
        else:
            tf.cond(finite, apply, lambda: None)

    def test_step(self, data) -> dict:
        of_training = ("gradient_norm", "skipped_steps")
        metrics = super().test_step(data)
        return {
            name: value for name, value in metrics.items() if name not in of_training
        }


def _dense(gradient, weight):
    """Returns the gradient as a tensor, zeros for a weight that the loss ignores.

    Slices of an embedding repeat an id; only their dense sum has the right norm.
    """
    return tf.zeros_like(weight) if gradient is None else tf.convert_to_tensor(gradient)
