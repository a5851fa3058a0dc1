"""The declaration of signatures, against the graphs and the guide."""

import inspect
import pathlib

import pytest
import tensorflow as tf

from keras_textvae.text_space.signatures import Input, declare, table

ROOT = pathlib.Path(__file__).parents[2]


def test_the_guide_has_the_table():
    # `python export/signature_table.py` prints it.
    declared = declare("D", labels="C", fitted=False, subwords=True)
    assert table(declared) in (ROOT / "docs" / "serving.md").read_text()


@pytest.mark.parametrize(
    ("latent_dim", "options"),
    [(0, {}), (3, {}), (3, {"fitted": True}), (3, {"subwords": True})],
)
def test_options_stand_last_and_are_scalars(latent_dim, options):
    for signature in declare(latent_dim, **options).values():
        optional = [i.default is not None for i in signature.inputs]
        assert optional == sorted(optional)
        assert all(i.has_rows == (i.default is None) for i in signature.inputs)


@pytest.mark.parametrize("fitted", [False, True])
def test_the_example_of_an_option_is_allowed_and_not_its_default(fitted):
    declared = declare(3, fitted=fitted, subwords=True).values()
    options = [i for s in declared for i in s.inputs if not i.has_rows]
    for option in options:
        example = tf.constant(option.example, option.dtype).numpy()
        assert example != option.default
        assert option.minimum is None or example >= option.minimum
        assert option.maximum is None or example <= option.maximum


def test_a_density_makes_an_option_with_the_space_s_default():
    for fitted in (False, True):
        *_, option = declare(3, fitted=fitted)["sample"].inputs
        assert (option.name, option.default) == ("fitted", fitted)
    assert "fitted" not in {i.name for i in declare(3)["sample"].inputs}


def test_only_subwords_make_words_of_several_pieces():
    *_, option = declare(0, subwords=True)["impute"].inputs
    assert (option.name, option.default) == ("max_pieces", 4)
    assert [i.name for i in declare(0)["impute"].inputs] == ["text"]


def test_a_language_model_has_no_z():
    assert [*declare(0)] == ["sample", "impute", "score"]


def test_a_classifier_makes_no_texts():
    assert [*declare(3, labels=2, writes=False, scores=False)] == ["classify", "encode"]
    assert [*declare(0, labels=2, writes=False, scores=False)] == ["classify"]
    assert [*declare(3, labels=2)] == [*declare(3), "classify"]


def test_without_an_order_of_words_nothing_is_written():
    assert [*declare(3, writes=False)] == ["encode", "score"]
    assert [*declare(3, labels=2, writes=False)] == ["classify", "encode", "score"]


def test_a_posterior_that_is_no_gaussian_has_no_variance():
    exact, estimated = (declare(3, gaussian)["encode"] for gaussian in (True, False))
    assert [o.name for o in exact.outputs] == ["mean", "log_var", "kl", "unknown"]
    assert [o.name for o in estimated.outputs] == ["mean", "kl", "unknown"]
    assert estimated.outputs[1].meaning == "nats, an estimate"


def test_endpoints_take_what_is_declared_in_its_order(words):
    # What their graphs give is tested with the exported ones.
    for name, signature in words.graph.signatures.items():
        endpoint = words.graph.endpoints[name]
        parameters = inspect.signature(endpoint.python_function).parameters
        assert [*parameters] == [i.name for i in signature.inputs]


def test_a_row_or_a_scalar():
    assert Input("z", tf.float32, (None, 3)).spec == tf.TensorSpec(
        [None, 3], tf.float32, "z"
    )
    assert not Input("steps", tf.int32, ()).has_rows
