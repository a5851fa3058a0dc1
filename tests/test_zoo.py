"""What every recipe of the zoo keeps to, at tiny sizes, under each precision policy.

The same tests run again on JAX, in a process of their own without TensorFlow: what they
need beside Keras is NumPy.

B: batch size. T: time, `<bos>` included. V: vocabulary size. D: latent size.
"""

import importlib.util
import inspect
import json
from typing import NamedTuple

import keras
import numpy as np
import pytest

from keras_textvae import losses, zoo
from keras_textvae.evaluation import evaluate_bound, importance_weighted_nll
from keras_textvae.generation import generate
from keras_textvae.imputation import impute
from keras_textvae.layers import WordDropout
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, UNK
from keras_textvae.zoo.parts import ARCHITECTURES
from tests.on_jax import run_on_jax

V = 11
LENGTH = 4
SMALLER = {
    "lstm": {
        "embedding_dim": 8,
        "units": 8,
        "latent_dim": 3,
        "keep_rate": 0.5,
        "encoder_units": 5,
    },
    "rnnlm": {"embedding_dim": 8, "units": 8, "keep_rate": 0.5},
    "feedforward": {"latent_dim": 3, "channels": (6, 8), "features": 5},
    "bag_of_words": {"embedding_dim": 6, "units": 8, "latent_dim": 3},
    "hybrid": {"units": 8, "latent_dim": 3, "channels": (6, 8), "features": 5},
    "bytenet": {
        "hidden": 8,
        "layers": 2,
        "latent_dim": 3,
        "channels": (6, 8),
        "features": 5,
    },
}
# What makes another kind of model of an architecture, apart from its sizes.
STRUCTURAL = "embedding_dim", "keep_rate", "posterior", "tied"
# Without annealing: a posterior without a KL, encoders whose z is to say much, and a
# target of the KL.
CONSTANT = (
    "bowman2016-fiction-autoencoder",
    "bag-of-words-tweets",
    "short-sentences",
    "short-english",
    "short-texts",
    "ptb-target",
)
# The largest difference between two orders of the same sums, for logits around 1.
TOLERANCE = {"float32": 1e-5, "mixed_float16": 4e-3, "mixed_bfloat16": 3e-2}
IN_GRAPH = "lstm-grammar", "semeniuta2017-ptb"
BACKEND = keras.backend.backend()


def shrunk(recipe):
    smaller = SMALLER[recipe.model.architecture] | {
        name: value
        for name, value in recipe.model.arguments.items()
        if value is None or (name, value) == ("keep_rate", 0.0)
    }
    crop = recipe.text.form == "crop"
    return recipe.replace(length=LENGTH - (not crop), **smaller)


def cases():
    """Each kind of model once; under half precision each architecture, and one-hot."""
    seen = set()
    for name, recipe in zoo.RECIPES.items():
        model = shrunk(recipe).model
        values = [model.all_arguments.get(argument) for argument in STRUCTURAL]
        kind, precise = (model.architecture, *values), (model.architecture, values[0])
        policies = [*TOLERANCE][: 1 if precise in seen else 3]
        yield from [(name, policy) for policy in policies if kind not in seen]
        seen |= {kind, precise}


CASES = [*cases()]
if BACKEND == "jax":  # which takes seconds to compile anything
    CASES = [
        ("lstm-grammar", "mixed_bfloat16"),
        ("semeniuta2017-ptb-bytenet", "float32"),
    ]


class Trained(NamedTuple):
    recipe: zoo.Recipe
    policy: str
    model: keras.Model
    before: list  # the weights
    figures: dict


def sentences(count=10):
    """Ids [B, T] of sentences of several lengths; the first has the longest."""
    rng = np.random.default_rng(0)
    ids = np.full((count, LENGTH + 1), PAD, "int32")
    ids[:, 0] = BOS
    for row, words in enumerate([LENGTH - 1, *rng.integers(1, LENGTH, count - 1)]):
        ids[row, 1 : words + 1] = rng.integers(FIRST_WORD, V, words)
        ids[row, words + 1] = EOS
    return ids


IDS = sentences()


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def trained(request):
    """A recipe's model after an epoch of training."""
    name, policy = request.param
    recipe = shrunk(zoo.recipe(name))
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        model = recipe.build_model(V)
        before = [array(weight) for weight in model.weights]
        # A graph takes seconds to trace.
        in_graph = name in IN_GRAPH and policy == "float32"
        eagerly = BACKEND == "tensorflow" and not in_graph
        model.compile(recipe.training.build_optimizer(), run_eagerly=eagerly)
        figures = model.fit(IDS, batch_size=len(IDS), epochs=1, verbose=0).history
    finally:
        keras.config.set_dtype_policy("float32")
    if model.latent_dim:
        model.kl_weight.assign(0.37)
    return Trained(recipe, policy, model, before, figures)


def outputs(model):
    """The model's outputs with noise that is always the same."""
    if model.latent_dim:
        noise = model.posterior.noise.state
        noise.assign(np.array([1, 0], noise.dtype))
    return model(IDS, training=False)


def latents(model, rows):
    z = np.random.default_rng(1).normal(size=(rows, model.latent_dim))
    return z.astype("float32")


def test_training_gives_finite_figures_and_moves_every_weight(trained):
    assert all(np.all(np.isfinite(values)) for values in trained.figures.values())
    for weight, old in zip(trained.model.weights, trained.before, strict=True):
        if weight.name not in ("kl_weight", "beta"):
            assert not np.array_equal(array(weight), old), weight.path


def test_training_drops_words(trained):
    architecture = trained.recipe.model.architecture
    if architecture == "feedforward":
        pytest.skip("it has no history")
    bag = architecture == "bag_of_words"  # the encoder's are dropped
    part = trained.model.encoder.text if bag else trained.model.decoder.history
    layer = part.word_dropout
    assert isinstance(layer, WordDropout)
    draws = int(array(layer.choice.state)[1])
    assert (draws > 0) == (0.0 < layer.keep_rate < 1.0)


def test_outputs_have_their_shapes_and_precision(trained):
    found = outputs(trained.model)
    steps = 1 if trained.recipe.model.architecture == "bag_of_words" else LENGTH
    assert found["logits"].shape == (len(IDS), steps, V)
    assert found["z"].shape == (len(IDS), trained.model.latent_dim)
    assert found["kl"].shape == found["z"].shape
    hybrid = trained.recipe.model.architecture in ("hybrid", "bytenet")
    assert ("auxiliary_logits" in found) == hybrid
    for name in found.keys() & {"z", "kl", "log_ratio", "mean", "log_var"}:
        assert keras.backend.standardize_dtype(found[name].dtype) == "float32"
    loss = trained.model.compute_loss(x=IDS, y_pred=found, training=True)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    policies = {layer.dtype_policy.name for layer in trained.model._flatten_layers()}
    assert trained.policy in policies


def test_a_saved_model_is_restored_exactly(trained, tmp_path):
    path = str(tmp_path / "model.keras")
    trained.model.save(path)
    loaded = keras.saving.load_model(path)
    pairs = zip(trained.model.weights, loaded.weights, strict=True)
    for original, restored in pairs:
        np.testing.assert_array_equal(array(restored), array(original))
    if trained.model.latent_dim:
        assert float(loaded.kl_weight) == np.float32(0.37)
        objective = trained.model.objective
        assert loaded.objective.get_config() == objective.get_config()
        assert (objective.beta, objective.alpha) == (
            trained.recipe.terms.beta,
            trained.recipe.terms.alpha,
        )
    expected, found = outputs(trained.model), outputs(loaded)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(array(found[name]), array(expected[name]), name)


def test_the_decoder_s_call_is_its_repeated_step(trained):
    decoder = trained.model.decoder
    z = latents(trained.model, len(IDS))
    logits = array(decoder(IDS[:, :-1], z, training=False)).astype("float32")
    logits = np.broadcast_to(logits, (len(IDS), LENGTH, V))
    features, state = decoder.initial_state(z)
    for t in range(LENGTH):
        step, state = decoder.step(IDS[:, t], features, state)
        step = array(step).astype("float32")
        np.testing.assert_allclose(logits[:, t], step, atol=TOLERANCE[trained.policy])


def test_generation_ends_its_sentences(trained):
    z = latents(trained.model, 4)
    ids = array(generate(trained.model.decoder, z, LENGTH))
    assert ids.shape == (4, LENGTH)
    assert not np.any(np.isin(ids, [BOS, UNK]))
    ended = np.cumsum(ids == EOS, axis=1) - (ids == EOS) > 0
    np.testing.assert_array_equal(ids == PAD, ended)


def test_hidden_words_are_imputed_on_every_backend():
    keras.utils.set_random_seed(0)
    model = shrunk(zoo.recipe("lstm-grammar")).build_model(V)
    ids = IDS[:4]
    hidden = np.zeros(ids.shape, bool)
    hidden[:, 1] = True
    found = impute(model, ids, hidden, width=3, steps=2)
    completed, scores = array(found.ids), array(found.scores)
    np.testing.assert_array_equal(completed[~hidden], ids[~hidden])
    assert np.all(completed[hidden] >= FIRST_WORD)
    assert np.all(np.diff(scores, axis=1) >= 0)


def test_importance_weights_tighten_the_bound_on_every_backend():
    keras.utils.set_random_seed(0)
    model = shrunk(zoo.recipe("lstm-grammar")).build_model(V)
    model.posterior.projection.bias.assign(np.linspace(-2, 2, 6))  # a KL to gain from
    ids = np.tile(IDS[:2], (50, 1))
    # In chunks of one shape, which is compiled once.
    found = [importance_weighted_nll(model, [ids], s, chunk=1).bound for s in (1, 30)]
    assert found[1] < found[0] - 0.1


@pytest.mark.parametrize(
    ("name", "weights"),
    [("lstm-grammar", np.linspace(0.0, 2.0, len(IDS))), ("hybrid-grammar", None)],
)
def test_a_chunked_loss_is_the_same_on_every_backend(monkeypatch, name, weights):
    monkeypatch.setattr(losses, "CHUNK", 7 * V)
    recipe = shrunk(zoo.recipe(name)).replace(keep_rate=1.0)
    if recipe.model.architecture == "lstm":
        recipe = recipe.replace(tied=True)
    results = []
    for chunked in (False, True):
        keras.utils.set_random_seed(0)
        model = recipe.replace(chunked_loss=chunked).build_model(V, LENGTH)
        model.compile(keras.optimizers.SGD(0.1))
        figures = model.train_on_batch(IDS, sample_weight=weights)
        figures += model.test_on_batch(IDS)
        results.append([*figures, *map(array, model.trainable_weights)])
    for value, again in zip(*results, strict=True):
        np.testing.assert_allclose(again, value, rtol=1e-5, atol=1e-6)
    bound = evaluate_bound(model, IDS)
    model.decoder.chunked_loss = False
    assert evaluate_bound(model, IDS) == pytest.approx(bound, rel=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="this is the run on JAX")
def test_the_zoo_keeps_to_the_same_on_jax_without_tensorflow():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed: pip install keras_textvae[jax]")
    tests = "import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    ended = run_on_jax(tests, "-q", "-x", "-p", "no:cacheprovider", __file__)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(("given", "expected"), [({}, 8), ({"encoder_units": 5}, 5)])
def test_the_encoder_has_units_of_its_own_or_the_decoder_s(given, expected):
    model = zoo.lstm_vae(V, 6, 8, 3, **given)
    assert model.encoder(IDS).shape == (len(IDS), expected)
    assert model.decoder.units == 8


@pytest.mark.skipif(BACKEND == "jax", reason="it compiles each shape")
@pytest.mark.parametrize("name", zoo.RECIPES)
def test_a_recipe_builds_a_model_that_its_optimizer_trains(name):
    recipe = shrunk(zoo.recipe(name))
    model = recipe.build_model(V)
    model.compile(recipe.training.build_optimizer())
    expected = SMALLER[recipe.model.architecture].get("latent_dim", 0)
    assert model.latent_dim == expected
    assert model.decoder.vocabulary_size == V
    moments = [v for v in model.optimizer.variables if v.path.endswith("momentum")]
    assert [m.shape for m in moments] == [w.shape for w in model.trainable_weights]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_all_arguments_of_an_architecture_have_names(name):
    parameters = inspect.signature(ARCHITECTURES[name]).parameters.values()
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'nope'") as error:
        zoo.recipe("nope")
    for name in zoo.RECIPES:
        assert name in str(error.value)


@pytest.mark.parametrize("name", zoo.RECIPES)
def test_a_recipe_s_schedule_begins_low_and_ends_at_one(name):
    recipe = zoo.recipe(name)
    weight = recipe.terms.schedule.build()
    constant = recipe.terms.schedule == zoo.CONSTANT
    language_model = recipe.model.architecture == "rnnlm"
    assert language_model or constant == (name in CONSTANT)
    # After a stage, z says something already.
    assert constant or weight(0) < 0.05 or recipe.stages
    assert weight(10**6) == pytest.approx(1.0)


@pytest.mark.parametrize("name", zoo.RECIPES)
def test_a_recipe_is_the_same_after_json(name):
    stage = zoo.Stage("autoencoder", {"beta": 0.0, "channels": (1, 2)}, ("encoder",))
    recipe = zoo.recipe(name).replace(stages=(stage,), components=3)
    config = json.loads(json.dumps(recipe.get_config()))
    assert zoo.Recipe.from_config(config) == recipe
    # A field that is younger than the configuration has its default.
    del config["text"]["tweets"], config["training"]["epsilon"], config["density"]
    del config["text"]["split"]
    again = zoo.Recipe.from_config(config)
    assert again.density.components == 0
    assert again.text.tweets is False and again.training.epsilon == 1e-7
    assert again.text.split == "blanks"


def test_fields_are_replaced_in_the_part_that_has_them():
    recipe = zoo.recipe("lstm-grammar")
    changed = recipe.replace(epochs=2, length=9, units=7, beta=0.5, batch_size=3)
    assert (changed.training.epochs, changed.text.length) == (2, 9)
    assert changed.model.arguments == recipe.model.arguments | {"units": 7}
    assert (changed.terms.beta, changed.data.batch_size) == (0.5, 3)
    # What the recipe leaves to the architecture's default can be replaced too.
    assert recipe.replace(tied=True).model.arguments["tied"] is True
    with pytest.raises(ValueError, match="no field 'depth'"):
        recipe.replace(depth=3)


def test_another_level_leaves_length_and_vocabulary_to_the_corpus():
    recipe = zoo.recipe("bowman2016-ptb")
    text = recipe.replace(level="bytes").text
    assert (text.level, text.length, text.vocabulary) == ("bytes", None, None)
    assert text.too_long == "drop"
    given = recipe.replace(level="characters", length=200, too_long="cut").text
    assert (given.length, given.too_long) == (200, "cut")
    assert recipe.replace(level=recipe.text.level) == recipe
    crops = zoo.recipe("semeniuta2017-ptb").replace(level="bytes").text
    assert (crops.form, crops.length) == ("crop", 60)
    with pytest.raises(ValueError, match="Crops of running text are of characters"):
        zoo.recipe("semeniuta2017-ptb").replace(level="words")
    with pytest.raises(ValueError, match="is one of words, .* level='syllables'"):
        recipe.replace(level="syllables")


def test_another_architecture_keeps_the_arguments_that_it_takes():
    sizes = {"embedding_dim": 5, "units": 4, "latent_dim": 2}
    model = zoo.Model("lstm", sizes | {"pooling": "max", "z_every_step": True})
    recipe = zoo.recipe("lstm-grammar").replace(model=model)
    changed = recipe.replace(architecture="bag_of_words", keep_rate=0.5)
    expected = sizes | {"pooling": "max", "keep_rate": 0.5}
    assert changed.model == zoo.Model("bag_of_words", expected)
    assert changed.replace(model=model) == recipe


def test_a_stage_changes_the_recipe_and_has_no_stages_or_density_of_its_own():
    stage = zoo.Stage("autoencoder", {"beta": 0.0, "epochs": 1}, ("encoder",))
    recipe = zoo.recipe("lstm-grammar").replace(stages=(stage,), components=3)
    assert recipe.stage(stage) == zoo.recipe("lstm-grammar").replace(beta=0.0, epochs=1)
    with pytest.raises(ValueError, match="keep"):
        zoo.Stage("autoencoder", {}, ("head",))
