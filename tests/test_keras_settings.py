"""What a user's keras.json may say beside the backend."""

import keras
import numpy as np
import pytest

from keras_textvae import zoo

V = 11
ARCHITECTURES = {
    "lstm": lambda: zoo.lstm_vae(V, 4, 4, 2),
    "rnnlm": lambda: zoo.rnnlm(V, 4, 4),
    "bag of words": lambda: zoo.bag_of_words_vae(V, 4, 4, 2),
    "hybrid": lambda: zoo.hybrid_vae(V, 6, 2, units=4, channels=(4, 3), features=3),
    "feedforward": lambda: zoo.feedforward_vae(V, 6, 2, channels=(4, 3)),
    "bytenet": lambda: zoo.bytenet_vae(V, 6, 2, channels=(4, 3)),
}
IDS = np.array([[1, 5, 6, 7, 8, 9, 2]] * 3, "int32")


@pytest.fixture
def settings():
    """Restores what a test sets."""
    image_data_format, floatx = keras.config.image_data_format(), keras.config.floatx()
    yield
    keras.config.set_image_data_format(image_data_format)
    keras.config.set_floatx(floatx)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_data_format_of_images_changes_nothing(name, settings):
    def outputs():
        keras.utils.set_random_seed(0)
        return np.asarray(ARCHITECTURES[name]()(IDS, training=False)["logits"])

    expected = outputs()
    keras.config.set_image_data_format("channels_first")
    np.testing.assert_array_equal(outputs(), expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("floatx", ["float16", "bfloat16", "float64"])
def test_another_float_type_is_refused_before_any_training(name, floatx, settings):
    keras.config.set_floatx(floatx)
    with pytest.raises(ValueError, match=f"Received: floatx='{floatx}'"):
        ARCHITECTURES[name]()


@pytest.fixture
def float64():
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_policy_of_more_precision_is_refused(name, float64):
    with pytest.raises(ValueError, match=r"dtype_policy\(\)='float64'"):
        ARCHITECTURES[name]()
