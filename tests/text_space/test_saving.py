"""A text space saved is the same text space."""

import json

import keras
import numpy as np
import pytest

from keras_textvae import space_files, zoo
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
    assert names == {"model.keras", "text_space.json"}


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


@pytest.mark.parametrize("damaged", [b"", b"PK", None])
def test_a_damaged_density_is_told_in_one_line(words, tmp_path, damaged):
    words.save(tmp_path)
    if damaged is None:
        np.savez(tmp_path / "density.npz", fitted=True, weights=np.ones(1))
    else:
        (tmp_path / "density.npz").write_bytes(damaged)
    with pytest.raises(ValueError, match="density.npz cannot be read") as error:
        TextSpace.load(tmp_path)
    assert "\n" not in str(error.value)


def test_a_compiled_model_is_saved_without_its_optimizer(words, tmp_path):
    words.save(str(tmp_path / "plain"))
    model = keras.saving.load_model(str(tmp_path / "plain" / "model.keras"))
    model.compile(optimizer="adam")
    model.optimizer.build(model.trainable_variables)
    TextSpace(model, words.codec).save(str(tmp_path / "compiled"))
    sizes = [
        (tmp_path / name / "model.keras").stat().st_size
        for name in ("plain", "compiled")
    ]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.01)
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
    with pytest.raises(ValueError, match="is of version 1, and this is version 2"):
        TextSpace.load(str(tmp_path))


def test_a_damaged_model_is_told_in_one_line(words, tmp_path):
    words.save(str(tmp_path))
    path = tmp_path / "model.keras"
    content = bytearray(path.read_bytes())
    for damaged in (content[:100], b"", bytes(content[:-300]) + b"x" * 300):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="model.keras cannot be read") as error:
            TextSpace.load(str(tmp_path))
        assert "\n" not in str(error.value)
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="model.keras cannot be read"):
        TextSpace.load(str(tmp_path))


@pytest.mark.usefixtures("eagerly")
def test_a_space_in_float32_is_that_of_the_same_weights(words):
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
