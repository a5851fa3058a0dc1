"""A text space exported is the same text space."""

import functools
from concurrent import futures

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_textvae.text_space import Batching, TextSpace
from tests.text_space.conftest import Z, given

SIGNATURES = {
    "sample",
    "interpolate",
    "reconstruct",
    "impute",
    "encode",
    "decode",
    "score",
}


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
    types["fitted"] = np.bool_
    values = {"temperature": 1.0, "top_k": 0, "top_p": 1.0} | options
    return {name: types[name](value) for name, value in values.items()}


def test_the_signatures_are_the_methods(exported):
    assert set(exported.signatures) == SIGNATURES | {"serving_default"}


def test_the_signatures_are_as_declared(crops, exported):
    for name, declared in crops.graph.signatures.items():
        graph = exported.signatures[name]
        _, inputs = graph.structured_input_signature
        assert {n: (i.dtype, i.shape) for n, i in inputs.items()} == {
            i.name: (i.dtype, i.spec.shape) for i in declared.inputs
        }
        outputs = graph.structured_outputs
        assert {n: o.dtype for n, o in outputs.items()} == {
            o.name: o.dtype for o in declared.outputs
        }


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("signature", ["sample", "serving_default"])
def test_the_exported_samples_are_the_same(crops, exported, signature):
    seeds = np.arange(7, 12, dtype=np.int64)
    for options in ({}, {"temperature": 0.5, "top_k": 3, "top_p": 0.9}):
        found = call(exported, signature, seed=seeds, **sampling(**options))
        assert texts(found["text"]) == crops.sample(5, seed=7, **options)


@pytest.mark.usefixtures("eagerly")
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


@pytest.mark.usefixtures("eagerly")
def test_the_exported_figures_are_the_same(crops, exported):
    rows = given(crops)
    found = call(exported, "encode", text=rows)
    assert set(found) == {"mean", "log_var", "kl", "unknown"}
    for name, expected in crops.encode(rows)._asdict().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5)
    found = call(exported, "score", text=rows, seed=np.int64(3))
    assert set(found) == {"bound", "reconstruction", "kl", "unknown"}
    for name, expected in crops.score(rows, seed=3)._asdict().items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_the_export_counts_what_a_crop_has_that_is_unknown(crops, exported):
    rows = [
        "abcde",
        "xaybzxxx",
        "é\U0001f600",
        "",
    ]  # six characters, filled with blanks
    for signature, options in (("encode", {}), ("score", {"seed": np.int64(0)})):
        unknown = call(exported, signature, text=rows, **options)["unknown"]
        assert unknown.dtype == np.int32
        assert unknown.tolist() == [0, 4, 2, 0]
    assert crops.score(rows).unknown.tolist() == [0, 4, 2, 0]


@pytest.mark.usefixtures("eagerly")
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


def defaults(folder):
    """The defaults of an export's inputs, by signature."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    return {
        name: {i: tf.make_ndarray(v).item() for i, v in signature.defaults.items()}
        for name, signature in saved.meta_graphs[0].signature_def.items()
    }


def test_the_export_tells_clients_what_they_may_leave_out(folder, compact):
    found = defaults(folder)
    assert found["sample"] == {"temperature": 1.0, "top_k": 0, "top_p": 1.0}
    assert found["serving_default"] == found["sample"]
    assert found["interpolate"] == {"steps": 8, "spherical": False}
    assert found["score"] == {"seed": 0}
    for name in ("encode", "decode", "reconstruct", "impute"):
        assert found[name] == {}
    assert defaults(compact)["sample"] == found["sample"] | {"fitted": True}


def in_threads(calls):
    with futures.ThreadPoolExecutor(len(calls)) as pool:
        return [*pool.map(lambda call: call(), calls)]


@pytest.fixture(scope="module")
def rounded(fitted, tmp_path_factory):
    """The space of words with weights rounded to bfloat16, but for its density."""
    folder = str(tmp_path_factory.mktemp("rounded"))
    fitted.save(folder)
    space = TextSpace.load(folder)
    for weight in space.model.trainable_weights:
        half = tf.cast(weight.value, tf.bfloat16)
        weight.assign(tf.cast(half, tf.float32))
    return space


@pytest.fixture(scope="module")
def compact(fitted, tmp_path_factory):
    """The folder of the space of words, exported in bfloat16 to join calls."""
    folder = tmp_path_factory.mktemp("compact") / "1"
    fitted.export(folder, Batching(rows=6, timeout_ms=200.0), bfloat16=True)
    return folder


@pytest.fixture(scope="module")
def loaded(compact):
    return tf.saved_model.load(str(compact))


@pytest.mark.usefixtures("eagerly")
def test_joined_calls_are_answered_as_each_alone(rounded, loaded):
    options = [
        {"temperature": 0.0, "fitted": True},
        {"temperature": 1.0, "fitted": False},
        {"temperature": 2.0, "top_k": 3, "fitted": True},
        {"temperature": 0.7, "top_p": 0.8, "fitted": False},
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
    expected = [rounded.sample(2, s, **o) for s, o in zip(seeds, options, strict=True)]
    assert in_threads(calls) == expected
    assert texts(call(loaded, "decode", z=Z)["text"]) == rounded.decode(Z)
    many = np.repeat(Z, 2, axis=0)  # more rows than are joined: alone
    assert texts(call(loaded, "decode", z=many)["text"]) == rounded.decode(many)


@pytest.mark.usefixtures("eagerly")
def test_bfloat16_weights_are_the_rounded_ones_in_half_the_bytes(
    words, rounded, compact, loaded
):
    score = call(loaded, "score", text=given(words), seed=np.int64(3))
    for name, expected in rounded.score(given(words), seed=3)._asdict().items():
        np.testing.assert_allclose(score[name], expected, rtol=1e-6)
    assert not np.allclose(score["bound"], words.score(given(words), seed=3).bound)
    variables = tf.train.load_checkpoint(str(compact / "variables/variables"))
    dtypes = variables.get_variable_to_dtype_map()
    shapes = variables.get_variable_to_shape_map()
    floats = [tuple(shapes[x]) for x in dtypes if dtypes[x] == tf.float32]
    assert sorted(floats) == [(2,), (2, 3), (2, 3, 3)]  # of the density
    assert [*dtypes.values()].count(tf.bfloat16) == len(
        [v for v in words.model.variables if v.dtype == "float32"]
    )
