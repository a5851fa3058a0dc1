"""A text space saved, and exported, is the same text space."""

import functools
import json
from concurrent import futures

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_textvae import space_files, zoo
from keras_textvae.text_space import Batching, TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from tests.text_space.conftest import LENGTH, POSITIONS

SIGNATURES = {
    "sample",
    "interpolate",
    "reconstruct",
    "impute",
    "encode",
    "decode",
    "score",
}
Z = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def given(space):
    if space.codec.form == "crop":
        return ["abcabc", "edc ba", "b\nd  e", "a"]
    return ["the cat sees a dog", "old dog", "xyzzy", ""]


@pytest.fixture(scope="module")
def folder(crops, tmp_path_factory):
    """The folder of an exported space; `tests/export` has one of words."""
    folder = tmp_path_factory.mktemp("exported") / "1"
    crops.export(folder)
    return folder


@pytest.mark.parametrize("name", ["a[b]", "a*", "a?", "a\\b"])
def test_a_path_that_tensorflow_takes_for_a_pattern_is_refused(crops, tmp_path, name):
    with pytest.raises(ValueError, match="TensorFlow loads no SavedModel from a path"):
        crops.export(tmp_path / name / "1")
    assert not [*tmp_path.iterdir()]


def test_an_export_has_each_weight_once(folder, crops):
    names = tf.train.list_variables(str(folder / "variables" / "variables"))
    shapes = sorted(tuple(shape) for name, shape in names if ".ATTRIBUTES" in name)
    assert shapes == sorted(tuple(v.shape) for v in crops.model.variables)


@pytest.fixture(scope="module")
def exported(folder):
    return tf.saved_model.load(str(folder))


def call(loaded, signature, **inputs):
    found = loaded.signatures[signature](
        **{name: tf.constant(value) for name, value in inputs.items()}
    )
    return {name: value.numpy() for name, value in found.items()}


def texts(array):
    return [text.decode() for text in array.ravel().tolist()]


def ends(rows, steps, spherical=False):
    half = len(rows) // 2
    options = {"steps": np.int32(steps), "spherical": np.bool_(spherical)}
    return {"start": rows[:half], "end": rows[half:]} | options


def sampling(**options):
    types = {"temperature": np.float32, "top_k": np.int32, "top_p": np.float32}
    values = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | options
    return {name: types[name](value) for name, value in values.items()}


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


def test_the_signatures_are_the_methods(exported):
    assert set(exported.signatures) == SIGNATURES | {"serving_default"}


@pytest.mark.parametrize("signature", ["sample", "serving_default"])
def test_the_exported_samples_are_the_same(crops, exported, signature):
    seeds = np.arange(7, 12, dtype=np.int64)
    for options in ({}, {"temperature": 0.5, "top_k": 3, "top_p": 0.9}):
        found = call(exported, signature, seed=seeds, **sampling(**options))
        assert texts(found["text"]) == crops.sample(5, seed=7, **options)


def test_the_exported_texts_are_the_same(crops, exported):
    rows = given(crops)
    found = call(exported, "reconstruct", text=rows)
    assert texts(found["text"]) == crops.reconstruct(rows)
    assert texts(call(exported, "decode", z=Z)["text"]) == crops.decode(Z)
    for spherical in (False, True):
        found = call(exported, "interpolate", **ends(rows, 5, spherical))
        assert found["text"].shape == (2, 5)
        pairs = zip(rows[:2], rows[2:], strict=True)
        paths = [crops.interpolate(*pair, 5, spherical) for pair in pairs]
        assert texts(found["text"]) == paths[0] + paths[1]
    rows = ["a_c___", "_b"]
    found = call(exported, "impute", text=rows)
    assert texts(found["text"]) == crops.impute(rows)


def test_the_exported_figures_are_the_same(crops, exported):
    rows = given(crops)
    found = call(exported, "encode", text=rows)
    assert set(found) == {"mean", "log_var", "kl"}
    for name, expected in crops.encode(rows)._asdict().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5)
    found = call(exported, "score", text=rows, seed=np.int64(3))
    assert set(found) == {"bound", "reconstruction", "kl"}
    for name, expected in crops.score(rows, seed=3)._asdict().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5)


def test_a_byte_order_mark_changes_no_answer(crops, exported):
    plain, marked = ["abcabc", "a_c"], ["\ufeffabcabc", "\ufeffa_c"]
    expected = crops.encode(plain).mean
    np.testing.assert_array_equal(crops.encode(marked).mean, expected)
    found = call(exported, "encode", text=marked)["mean"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    found = texts(call(exported, "impute", text=marked[1:])["text"])
    assert found == crops.impute(marked[1:]) == crops.impute(plain[1:])


@pytest.mark.parametrize(
    ("signature", "inputs", "message"),
    [
        ("decode", {"z": Z * np.float32("nan")}, "`z` is not finite"),
        ("encode", {"text": tf.constant([], tf.string)}, "`text` has no rows"),
        ("interpolate", ends(["a", "b"], 257), "`steps` must be at most 256"),
        (
            "interpolate",
            ends(["a", "b", "b"], 2),
            "`start` and `end` differ in their number of rows",
        ),
        ("impute", {"text": ["a_", "ab"]}, r"a text has no hidden word \(_\)"),
        (
            "score",
            {"text": ["a" * 70_000], "seed": np.int64(0)},
            "`text` has a text of more than 65536 bytes",
        ),
    ],
)
def test_the_export_guards_its_inputs_itself(exported, signature, inputs, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(exported, signature, **inputs)


def test_the_export_tells_clients_what_they_may_leave_out(folder):
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    found = {
        name: {i: tf.make_ndarray(v).item() for i, v in signature.defaults.items()}
        for name, signature in saved.meta_graphs[0].signature_def.items()
    }
    assert found["sample"] == {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
    assert found["serving_default"] == found["sample"]
    assert found["interpolate"] == {"steps": 8, "spherical": False}
    assert found["score"] == {"seed": 0}
    for name in ("encode", "decode", "reconstruct", "impute"):
        assert found[name] == {}


def in_threads(calls):
    with futures.ThreadPoolExecutor(len(calls)) as pool:
        return [*pool.map(lambda call: call(), calls)]


def test_joined_calls_are_answered_as_each_alone(words, tmp_path):
    words.export(str(tmp_path), Batching(rows=6, timeout_ms=200.0))
    loaded = tf.saved_model.load(str(tmp_path))
    options = [
        {"temperature": 0.0},
        {"temperature": 1.0},
        {"temperature": 2.0, "top_k": 3},
        {"temperature": 0.7, "top_p": 0.8},
    ]
    seeds = range(0, 8, 2)

    def sample(seed, option):
        found = call(
            loaded, "sample", seed=np.int64([seed, seed + 1]), **sampling(**option)
        )
        return texts(found["text"])

    calls = [
        functools.partial(sample, *each) for each in zip(seeds, options, strict=True)
    ]
    expected = [words.sample(2, s, **o) for s, o in zip(seeds, options, strict=True)]
    assert in_threads(calls) == expected
    assert texts(call(loaded, "decode", z=Z)["text"]) == words.decode(Z)
    many = np.repeat(Z, 2, axis=0)  # more rows than are joined: alone
    assert texts(call(loaded, "decode", z=many)["text"]) == words.decode(many)


def test_bfloat16_weights_are_the_rounded_ones_in_half_the_bytes(words, tmp_path):
    words.export(str(tmp_path / "exported"), bfloat16=True)
    words.save(str(tmp_path / "space"))
    rounded = TextSpace.load(str(tmp_path / "space"))
    for weight in rounded.model.trainable_weights:
        half = tf.cast(weight.value, tf.bfloat16)
        weight.assign(tf.cast(half, tf.float32))
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    score = call(loaded, "score", text=given(words), seed=np.int64(3))
    for name, expected in rounded.score(given(words), seed=3)._asdict().items():
        np.testing.assert_allclose(score[name], expected, rtol=1e-6)
    assert not np.allclose(score["bound"], words.score(given(words), seed=3).bound)
    variables = tf.train.load_checkpoint(str(tmp_path / "exported/variables/variables"))
    dtypes = variables.get_variable_to_dtype_map()
    assert tf.float32 not in dtypes.values()
    assert [*dtypes.values()].count(tf.bfloat16) == len(
        [v for v in words.model.variables if v.dtype == "float32"]
    )


def test_a_space_in_float32_is_that_of_the_same_weights(words):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        size = words.codec.vocabulary_size
        model = zoo.lstm_vae(size, 5, 8, 3, keep_rate=0.5, z_every_step=True)
        model(np.ones((1, POSITIONS + 1), "int32"))
    finally:
        keras.config.set_dtype_policy("float32")
    for weight, value in zip(model.state, words.model.state, strict=True):
        weight.assign(value)
    mixed = TextSpace(model, words.codec)
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
