"""What Keras's own training step on TensorFlow does not do."""

import keras
import tensorflow as tf


class GuardedStep(keras.Model):
    """A model whose training step reports and guards its gradients.

    Adds two metrics of training: `gradient_norm`, the mean over steps of the gradients'
    global norm before clipping, and `skipped_steps`, the number of steps of the epoch
    whose gradients were not finite and which therefore changed nothing.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.gradient_norm_tracker = keras.metrics.Mean("gradient_norm")
        self.skipped_steps_tracker = keras.metrics.Sum("skipped_steps")

    def train_step(self, data):
        ids, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            outputs = self(ids, training=True)
            loss = self.compute_loss(x=ids, y_pred=outputs, training=True)
            self._loss_tracker.update_state(loss, sample_weight=tf.shape(ids)[0])
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        # Slices of an embedding repeat an id; only the dense sum has the right norm.
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        norm = tf.linalg.global_norm(gradients) / self.optimizer.scale_loss(1.0)
        self._apply_if_finite(gradients, norm)
        return self.compute_metrics(ids, None, outputs)

    def _apply_if_finite(self, gradients, norm):
        def apply():
            self.optimizer.apply_gradients(
                zip(gradients, self.trainable_variables, strict=True)
            )

        finite = tf.math.is_finite(norm)
        if isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            # It skips such a step itself, and lowers its scale.
            apply()
        else:
            tf.cond(finite, apply, lambda: None)
        self.gradient_norm_tracker.update_state(tf.where(finite, norm, 0.0))
        self.skipped_steps_tracker.update_state(tf.cast(~finite, tf.float32))

    def test_step(self, data):
        of_training = ("gradient_norm", "skipped_steps")
        metrics = super().test_step(data)
        return {
            name: value for name, value in metrics.items() if name not in of_training
        }
