"""A text space saved is the same text space."""

import json

import keras
import ml_dtypes
import numpy as np
import pytest

from keras_textvae import safetensors, space_files, zoo
from keras_textvae.models import copied
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from tests.text_space.conftest import DENSITY, LENGTH, Z, given


@pytest.mark.usefixtures("eagerly")
def test_a_loaded_space_is_the_saved_one(space, tmp_path):
    space.save(str(tmp_path / "space"))
    loaded = TextSpace.load(str(tmp_path / "space"))
    assert loaded.codec.get_config() == space.codec.get_config()
    assert loaded.decode(Z) == space.decode(Z)
    for found, expected in zip(
        loaded.score(given(space)), space.score(given(space)), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_saving_replaces_what_was_saved(words, tmp_path):
    for _ in range(2):
        words.save(str(tmp_path))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"weights.safetensors", "text_space.json"}


@pytest.mark.usefixtures("eagerly")
def test_a_density_is_saved_with_its_space_and_with_no_other(words, fitted, tmp_path):
    fitted.save(tmp_path)
    loaded = TextSpace.load(tmp_path)
    for name, part in vars(DENSITY).items():
        np.testing.assert_array_equal(vars(loaded.density)[name], part)
    assert loaded.fitted
    assert loaded.sample(3) == fitted.sample(3) != words.sample(3)
    words.save(tmp_path)
    assert TextSpace.load(tmp_path).density is None
    TextSpace(words.model, words.codec, DENSITY).save(tmp_path)
    assert not TextSpace.load(tmp_path).fitted


def test_a_kill_never_leaves_a_model_with_another_s_density(
    words, fitted, tmp_path, monkeypatch
):
    fitted.save(tmp_path)
    with monkeypatch.context() as killed:
        killed.setattr(space_files, "save_density", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            TextSpace(words.model, words.codec, DENSITY).save(tmp_path)
    assert TextSpace.load(tmp_path).density is None


@pytest.mark.parametrize("damaged", [b"", b"PK", None, "size"])
def test_a_damaged_density_is_told_in_one_line(words, tmp_path, damaged):
    words.save(tmp_path)
    path = tmp_path / "density.safetensors"
    if damaged is None:
        safetensors.write(path, {"weights": np.ones(1)}, {"fitted": "true"})
    elif damaged == "size":
        safetensors.write(path, vars(DENSITY))
    else:
        path.write_bytes(damaged)
    with pytest.raises(ValueError, match="density.safetensors cannot be read") as error:
        TextSpace.load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_compiled_model_is_saved_without_its_optimizer(words, tmp_path):
    words.save(str(tmp_path / "plain"))
    model = space_files.load_model(tmp_path / "plain")
    model.compile(optimizer="adam")
    model.optimizer.build(model.trainable_variables)
    TextSpace(model, words.codec).save(str(tmp_path / "compiled"))
    sizes = [
        (tmp_path / name / "weights.safetensors").stat().st_size
        for name in ("plain", "compiled")
    ]
    assert sizes[1] == sizes[0]
    assert not TextSpace.load(str(tmp_path / "compiled")).model.compiled


def test_a_folder_without_a_space_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no text space"):
        TextSpace.load(str(tmp_path))


def test_a_description_of_something_else_is_refused(tmp_path):
    (tmp_path / "text_space.json").write_text(json.dumps({"format": "other"}))
    with pytest.raises(ValueError, match="does not describe a text space"):
        TextSpace.load(str(tmp_path))
    old = {"format": "keras_textvae.text_space", "length": 5, "crops": False}
    (tmp_path / "text_space.json").write_text(json.dumps(old))
    with pytest.raises(ValueError, match="is of version 1, and this is version 3"):
        TextSpace.load(str(tmp_path))


def test_a_damaged_model_is_told_in_one_line(words, tmp_path):
    words.save(str(tmp_path))
    path = tmp_path / "weights.safetensors"
    content = path.read_bytes()
    for damaged in (content[:100], b"", content[:-300], content + b"x"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="weights.safetensors cannot be") as error:
            TextSpace.load(str(tmp_path))
        assert "\n" not in str(error.value)


def test_weights_of_another_model_are_told_in_one_line(words, tmp_path):
    words.save(tmp_path)
    model = zoo.lstm_vae(words.codec.vocabulary_size, 6, 8, 3, z_every_step=True)
    TextSpace(model, words.codec).save(tmp_path / "other")
    other = tmp_path / "other" / "weights.safetensors"
    other.replace(tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="its weights are not those of the model"):
        TextSpace.load(tmp_path)


def test_a_model_without_its_weights_is_told_in_one_line(words, tmp_path):
    words.save(tmp_path)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="weights.safetensors"):
        TextSpace.load(tmp_path)


def test_weights_in_half_the_bytes_are_rounded(words, tmp_path):
    words.save(tmp_path / "whole")
    words.save(tmp_path / "half", bfloat16=True)
    sizes = [
        (tmp_path / name / "weights.safetensors").stat().st_size
        for name in ("whole", "half")
    ]
    assert sizes[1] < 0.8 * sizes[0]  # names take the rest of so small a model
    loaded = TextSpace.load(tmp_path / "half").model
    for rounded, weight in zip(loaded.weights, words.model.weights, strict=True):
        assert rounded.dtype == weight.dtype
        expected = np.asarray(weight).astype(ml_dtypes.bfloat16).astype(weight.dtype)
        np.testing.assert_array_equal(rounded, expected)


def test_names_of_weights_do_not_depend_on_the_process(words):
    names = space_files.weight_names(words.model)
    assert len(set(names)) == len(names)
    assert {"encoder/lstm/kernel", "decoder/lstm/kernel"} < set(names)
    assert names == space_files.weight_names(copied(words.model))


def test_a_description_does_not_depend_on_the_process(space, tmp_path):
    folder = tmp_path / "space"
    space.save(folder)
    description = (folder / space_files.DESCRIPTION).read_bytes()
    for _ in range(2):  # Keras numbers the layers of every copy anew
        TextSpace.load(folder).save(folder)
        assert (folder / space_files.DESCRIPTION).read_bytes() == description


def test_layers_of_a_description_stay_apart_and_together():
    """Layers that Keras has named, and what refers to them; names of one's own stay."""
    inputs = keras.Input([2])
    x = keras.layers.Dense(3)(inputs)
    x = keras.layers.Dense(4)(x)
    outputs = keras.layers.Dense(1, name="mine_7")(x)
    model = keras.Model(inputs, [outputs, x])
    config = space_files.numbered(keras.saving.serialize_keras_object(model))
    layers = config["config"]["layers"]
    assert [layer["name"] for layer in layers][1:] == ["dense", "dense_1", "mine_7"]
    loaded = keras.saving.deserialize_keras_object(config)
    loaded.set_weights(model.get_weights())
    row = np.ones([1, 2], "float32")
    for actual, expected in zip(loaded(row), model(row), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.usefixtures("eagerly")
def test_a_space_in_float32_is_that_of_the_same_weights(words, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        size = words.codec.vocabulary_size
        model = zoo.lstm_vae(size, 5, 8, 3, keep_rate=0.5, z_every_step=True)
    finally:
        keras.config.set_dtype_policy("float32")
    for weight, value in zip(model.state, words.model.state, strict=True):
        weight.assign(value)
    mixed = TextSpace(model, words.codec, DENSITY, fitted=True)
    assert (mixed.in_float32().density, mixed.in_float32().fitted) == (DENSITY, True)
    expected = words.score(given(words)).bound
    np.testing.assert_array_equal(
        mixed.in_float32().score(given(words)).bound, expected
    )
    found = mixed.score(given(words)).bound
    assert not np.array_equal(found, expected)
    np.testing.assert_allclose(found, expected, rtol=0.05)
    mixed.save_to_preset(tmp_path / "preset", bfloat16=False)
    preset = TextSpace.from_preset(tmp_path / "preset")
    np.testing.assert_array_equal(preset.score(given(words)).bound, expected)


def test_a_kill_never_leaves_a_model_with_another_s_words(words, tmp_path, monkeypatch):
    words.save(tmp_path)
    other = Codec(WordTokenizer(words.codec.tokenizer.tokens[:3:-1]), LENGTH)
    with monkeypatch.context() as killed:
        killed.setattr(space_files, "write_json", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            TextSpace(words.model, other).save(tmp_path)
    with pytest.raises(FileNotFoundError, match="holds no text space"):
        TextSpace.load(tmp_path)
    TextSpace(words.model, other).save(tmp_path)
    loaded = TextSpace.load(tmp_path)
    assert loaded.codec.get_config() == other.get_config()


def test_a_save_that_fails_leaves_the_space_that_was_there(
    words, tmp_path, monkeypatch
):
    words.save(tmp_path)
    other = Codec(WordTokenizer(words.codec.tokenizer.tokens[:3:-1]), LENGTH)
    with monkeypatch.context() as failing:
        failing.setattr(space_files, "copied", lambda model: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            TextSpace(words.model, other).save(tmp_path)
    assert TextSpace.load(tmp_path).sample(3) == words.sample(3)
