"""What Keras's users do with a model, before it was ever called and after."""

import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import zoo
from keras_textvae.batches import ArrayBatches
from keras_textvae.evaluation import (
    active_units,
    evaluate_bound,
    importance_weighted_nll,
    kl_per_dimension,
    mutual_information,
)
from keras_textvae.models import SemiSupervisedTextVAE, TextClassifier
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD
from tests.step_by_step import step_by_step

V, LENGTH = 13, 8
CODEC = Codec(WordTokenizer("abcdefghi"), LENGTH - 1)


def lstm():
    return zoo.lstm_vae(V, 4, 6, 3)


def hybrid():
    return zoo.hybrid_vae(V, LENGTH, 3, units=6, channels=(4, 6), features=5)


def classifier():
    parts = zoo.lstm_vae(V, 4, 6, 3)
    head = keras.layers.Dense(2)
    return TextClassifier(parts.encoder, head, ["no", "yes"], parts.posterior)


def semi_supervised():
    parts = zoo.lstm_vae(V, 4, 6, 3)
    return SemiSupervisedTextVAE(
        parts.encoder,
        parts.posterior,
        parts.decoder,
        keras.layers.Dense(2),
        ["no", "yes"],
    )


MODELS = {
    "lstm": lstm,
    "one_hot": lambda: zoo.lstm_vae(V, None, 6, 3, layer_norm=True, highways=1),
    "flow": lambda: zoo.lstm_vae(V, 4, 6, 3, posterior="autoregressive"),
    "multi_step": lambda: zoo.lstm_vae(V, 6, 6, 3, posterior="multi_step", tied=True),
    "hybrid": hybrid,
    "bytenet": lambda: zoo.bytenet_vae(V, LENGTH, 3, hidden=8, channels=(4, 6)),
    "feedforward": lambda: zoo.feedforward_vae(V, LENGTH, 3, channels=(4, 6)),
    "bag_of_words": lambda: zoo.bag_of_words_vae(V, 4, 6, 3, hidden=4),
    "rnnlm": lambda: zoo.rnnlm(V, 4, 6),
    "classifier": classifier,
    "semi_supervised": semi_supervised,
}


def sentences(count, seed=0):
    """Ids [B, T] of sentences of every length up to the longest."""
    rng = np.random.default_rng(seed)
    ids = np.full((count, LENGTH + 1), PAD, "int32")
    ids[:, 0] = BOS
    for row, words in enumerate(rng.integers(1, LENGTH, count)):
        ids[row, 1 : words + 1] = rng.integers(FIRST_WORD, V, words)
        ids[row, words + 1] = EOS
    return ids


IDS = sentences(11)


def values(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assert_equal(some, others):
    for one, other in zip(some, others, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_it_has_all_its_weights_when_it_is_constructed(make):
    model = make()
    assert model.built
    paths = [variable.path for variable in model.variables]
    count = model.count_params()
    assert count == sum(weight.value.numpy().size for weight in model.weights)
    model.build((None, 99))
    model(IDS)
    assert [variable.path for variable in model.variables] == paths


def test_its_summary_counts_them():
    model, lines = hybrid(), []
    model.summary(print_fn=lambda line, line_break=False: lines.append(line))
    assert f"Total params: {model.count_params():,}" in "\n".join(lines)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_weights_can_be_saved_before_a_call(make, tmp_path):
    model, other = make(), make()
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    other.load_weights(path)
    assert_equal(values(other.weights), values(model.weights))


@pytest.mark.parametrize("make", [lstm, hybrid, classifier])
def test_it_can_be_cloned_and_pickled(make):
    model = make()
    clone = keras.models.clone_model(model)
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    restored = pickle.loads(pickle.dumps(model))
    assert_equal(values(restored.weights), values(model.weights))


def test_a_backup_is_restored_before_a_call(tmp_path):
    class Kill(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def fit(callbacks):
        model = lstm()
        model.compile("sgd", run_eagerly=True)
        backup = keras.callbacks.BackupAndRestore(tmp_path)
        options = {"epochs": 2, "verbose": 0, "shuffle": False}
        model.fit(IDS, callbacks=[backup, *callbacks], **options)
        return model

    with pytest.raises(KeyboardInterrupt):
        fit([Kill()])
    assert fit([]).optimizer.iterations == 2


@step_by_step()
def test_a_text_space_needs_no_call():
    assert len(TextSpace(lstm(), CODEC).sample(2)) == 2


@step_by_step()
def test_a_compiled_model_is_saved_as_such(tmp_path):
    model = lstm()
    model.compile(keras.optimizers.Adam(0.5))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.optimizer.learning_rate) == 0.5
    loaded.train_on_batch(IDS)


# What `fit` and `evaluate` are given.

WEIGHTS = np.array([0.0, 1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 1.0, 1.0, 1.0, 0.25], "float32")


@pytest.fixture(scope="module")
def deterministic():
    """A model whose figures have no noise, far from its start."""
    keras.utils.set_random_seed(1)
    model = zoo.lstm_vae(V, 4, 6, 3, posterior="deterministic")
    model.compile(keras.optimizers.SGD(0.0), run_eagerly=True)
    return model


def nll(model):
    """Of each sentence, in float64."""
    logits = np.asarray(model(IDS)["logits"], "float64")
    log_p = logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    picked = np.take_along_axis(log_p, IDS[:, 1:, None], axis=-1)[..., 0]
    return -np.sum(picked * (IDS[:, 1:] != PAD), axis=-1)


def weighted(deterministic):
    """The loss, and a metric, of weighted sentences."""
    losses = nll(deterministic)
    return np.sum(WEIGHTS * losses) / len(IDS), np.average(losses, weights=WEIGHTS)


@pytest.mark.parametrize("labels", [None, np.zeros(len(IDS))])
@pytest.mark.parametrize("weights", [WEIGHTS, WEIGHTS[:, None]])
def test_evaluation_weighs_sentences(deterministic, labels, weights):
    loss, metric = weighted(deterministic)
    found = deterministic.evaluate(
        IDS, labels, 4, sample_weight=weights, verbose=0, return_dict=True
    )
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    assert found["reconstruction"] == pytest.approx(metric, rel=1e-5)
    lengths = np.sum(IDS[:, 1:] != PAD, axis=1)
    expected = np.average(lengths, weights=WEIGHTS)
    assert found["tokens"] == pytest.approx(expected, rel=1e-6)


def test_training_and_its_validation_weigh_sentences(deterministic):
    loss, metric = weighted(deterministic)
    options = {"batch_size": 4, "verbose": 0, "validation_data": (IDS, None, WEIGHTS)}
    history = deterministic.fit(IDS, sample_weight=WEIGHTS, **options).history
    for prefix in ("", "val_"):
        assert history[f"{prefix}loss"] == pytest.approx([loss], rel=1e-5)
        assert history[f"{prefix}reconstruction"] == pytest.approx([metric], rel=1e-5)


def test_gradients_are_those_of_weighted_sentences():
    """A weight of two is the sentence twice, of zero not at all, but for the mean."""
    keras.utils.set_random_seed(1)
    steps = []
    model = zoo.lstm_vae(V, 4, 6, 3, posterior="deterministic")
    start = model.get_weights()
    for ids, weights in [
        (IDS[[0, 1, 2]], np.array([2.0, 0.0, 1.0])),
        (IDS[[0, 0, 2]], None),
    ]:
        model.set_weights(start)
        model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
        model.train_on_batch(ids, sample_weight=weights)
        steps.append(model.get_weights())
    for one, other in zip(*steps, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_a_label_counts_as_much_as_its_sentence():
    keras.utils.set_random_seed(1)
    model = semi_supervised()
    model.compile(run_eagerly=True)
    labels = np.array([0, 1, -1, 1], "int32")
    weights = np.array([1.0, 0.5, 4.0, 0.0], "float32")
    found = model.test_on_batch(IDS[:4], labels, weights, return_dict=True)
    log_p = np.log(np.asarray(model.classify(IDS[:4])))
    losses = -log_p[[0, 1, 3], [0, 1, 1]]
    expected = np.average(losses, weights=[1.0, 0.5, 0.0])
    assert found["label_loss"] == pytest.approx(expected, rel=1e-5)
    bound = np.mean(weights) * found["objective"]
    expected = bound + np.sum(losses * [1.0, 0.5, 0.0]) / 3
    assert found["loss"] == pytest.approx(expected, rel=1e-5)


TEXTS = np.array(["a b", "c"])
RAGGED = tf.ragged.constant([[BOS, 4, EOS], [BOS, EOS]])
NO_IDS = {
    "strings": TEXTS,
    "a list": ["a b", "c"],
    "floats": IDS.astype("float32"),
    "one row": IDS[0],
    "ragged": RAGGED,
    "dataset of strings": tf.data.Dataset.from_tensor_slices(TEXTS).batch(2),
    "ragged dataset": tf.data.Dataset.from_tensor_slices(RAGGED).batch(2),
}


@pytest.mark.parametrize("given", NO_IDS.values(), ids=NO_IDS)
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_what_is_no_array_of_ids_is_refused(deterministic, method, given):
    with pytest.raises(ValueError, match=r"^Ids are one array of integers, \[B, T\]"):
        getattr(deterministic, method)(given, verbose=0)


@pytest.mark.parametrize("given", [V, -1])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_ids_outside_the_vocabulary_are_refused(deterministic, method, given):
    ids = IDS.copy()
    ids[3, 2] = given
    message = rf"^Ids must lie in \[0, 13\), the vocabulary. Received: {given}$"
    with pytest.raises(ValueError, match=message):
        getattr(deterministic, method)(ids, verbose=0)
    with pytest.raises(ValueError, match=message):
        deterministic.fit(IDS, validation_data=(ids,), verbose=0)


@pytest.mark.parametrize("eagerly", [True, False])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
@pytest.mark.parametrize("given", [V, -1])
def test_so_are_those_that_come_in_a_dataset(method, eagerly, given):
    model, ids = lstm(), IDS.copy()
    ids[7, 1] = given
    model.compile("sgd", run_eagerly=eagerly)
    batches = tf.data.Dataset.from_tensor_slices(ids).batch(4)
    with pytest.raises(
        ValueError, match=r"^Ids must lie in \[0, 13\), the vocabulary.$"
    ):
        if method == "fit":
            model.fit(batches, shuffle=False, verbose=0)
        model.evaluate(batches, verbose=0)


def test_class_weights_need_labels(deterministic):
    with pytest.raises(ValueError, match="^`class_weight` needs labels."):
        deterministic.fit(IDS, class_weight={0: 2.0})


def test_batches_bring_their_own_weights(deterministic):
    loss, _ = weighted(deterministic)
    labels = np.zeros(len(IDS), "int32")
    found = deterministic.evaluate(
        ArrayBatches([IDS, labels, WEIGHTS], 4), verbose=0, return_dict=True
    )
    assert found["loss"] == pytest.approx(loss, rel=1e-5)
    with pytest.raises(ValueError, match="^Batches bring .* Received: sample_weight$"):
        deterministic.evaluate(ArrayBatches([IDS], 4), sample_weight=WEIGHTS)
    with pytest.raises(ValueError, match="^Batches bring .* Received: class_weight$"):
        deterministic.fit(ArrayBatches([IDS], 4), class_weight={0: 1.0})


@pytest.mark.parametrize("options", [{"metrics": ["accuracy"]}, {"loss": "mse"}])
def test_it_has_a_loss_and_metrics_of_its_own(options):
    with pytest.raises(ValueError, match="^A TextVAE has a loss and metrics of its"):
        lstm().compile("adam", **options)


# Evaluations.

EVALUATIONS = {
    "bound": evaluate_bound,
    "importance": lambda *args: importance_weighted_nll(*args, samples=2),
    "kl": kl_per_dimension,
    "active": active_units,
    "information": mutual_information,
}


@pytest.mark.parametrize("evaluate", EVALUATIONS.values(), ids=EVALUATIONS)
@step_by_step()
def test_an_evaluation_leaves_the_model_as_it_was(evaluate):
    model = lstm()
    first = evaluate(model, IDS)  # not compiled
    model.compile(keras.optimizers.Adam(0.5), run_eagerly=True)
    state, optimizer = values(model.state), model.optimizer
    with_labels = tf.data.Dataset.from_tensor_slices((IDS, IDS[:, 0])).batch(32)
    for batches in (IDS, [IDS], with_labels, tf.constant(IDS)):
        again = evaluate(model, batches)
        np.testing.assert_array_equal(numbers(again), numbers(first))
    assert_equal(values(model.state), state)
    assert model.optimizer is optimizer and model.run_eagerly
    assert model.train_on_batch(IDS, return_dict=True)["skipped_steps"] == 0


def numbers(figures):
    """All numbers of an evaluation, in one array."""
    return np.hstack(figures if isinstance(figures, tuple) else [figures])


@pytest.mark.parametrize("evaluate", EVALUATIONS.values(), ids=EVALUATIONS)
def test_an_evaluation_takes_ids_only(evaluate):
    model = lstm()
    for batches in (IDS.astype("float32"), [TEXTS], [IDS[0]], [RAGGED]):
        with pytest.raises(ValueError, match="^Ids are one array of integers"):
            evaluate(model, batches)
    with pytest.raises(ValueError, match=r"^Ids must lie in \[0, 13\)"):
        evaluate(model, IDS + 5)
    with pytest.raises(ValueError, match="only `evaluate` reads them"):
        evaluate(model, [(IDS, None, WEIGHTS)])


BATCH_METHODS = ["train_on_batch", "test_on_batch", "predict", "predict_on_batch"]


@pytest.mark.parametrize("method", BATCH_METHODS)
def test_a_batch_is_checked_as_all_of_them_are(deterministic, method):
    with pytest.raises(ValueError, match=r"^Ids must lie in \[0, 13\)"):
        getattr(deterministic, method)(IDS + 5)
    for given in (TEXTS, {"ids": IDS}, (IDS, IDS)):
        with pytest.raises(ValueError, match="^Ids are one array of integers"):
            getattr(deterministic, method)(given)


def test_a_batch_is_weighed_as_all_of_them_are(deterministic):
    weights = np.array([2.0, 0.0, 0.5], "float32")
    expected = deterministic.evaluate(IDS[:3], sample_weight=weights, verbose=0)
    for given in (weights, weights[:, None]):
        np.testing.assert_allclose(
            deterministic.test_on_batch(IDS[:3], sample_weight=given), expected, 1e-6
        )
    with pytest.raises(ValueError, match="^`class_weight` needs labels."):
        deterministic.train_on_batch(IDS, class_weight={0: 2.0})


def test_weights_of_words_are_refused(deterministic):
    weights = np.ones((len(IDS), LENGTH), "float32")
    weighed = tf.data.Dataset.from_tensor_slices((IDS, IDS[:, 0], weights)).batch(4)
    message = r"^`sample_weight` has one weight a sentence, \[B\]. Received: shape"
    with pytest.raises(ValueError, match=message):
        deterministic.fit(IDS, sample_weight=weights, verbose=0)
    with pytest.raises(ValueError, match=message):
        deterministic.evaluate(weighed, verbose=0)


def test_without_an_optimizer_it_is_evaluated(deterministic):
    expected = deterministic.evaluate(IDS, verbose=0)
    deterministic.compile(None, run_eagerly=True)
    assert deterministic.evaluate(IDS, verbose=0) == expected


def test_a_model_that_is_frozen_whole_stays_as_it_is():
    model = lstm()
    model.trainable = False
    model.compile(run_eagerly=True)
    before = values(model.weights)
    with pytest.warns(UserWarning, match="no weight that is trained"):
        history = model.fit(IDS, verbose=0).history
    assert_equal(values(model.weights), before)
    assert history["skipped_steps"] == [0.0] and history["loss"][0] > 0.0


@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`:UserWarning")
def test_it_is_quantized_before_a_call():
    model, twin = lstm(), lstm()
    twin.set_weights(model.get_weights())
    model.quantize("int8")
    z = np.ones((len(IDS), 3), "float32")
    expected = np.asarray(twin.decoder(IDS[:, :-1], z))
    quantized = np.asarray(model.decoder(IDS[:, :-1], z))
    np.testing.assert_allclose(quantized, expected, atol=0.05)
    assert np.any(quantized != expected)


@pytest.mark.parametrize("make", [lstm, classifier])
def test_keras_s_own_export_needs_no_call(make, tmp_path):
    model = make()
    model.export(tmp_path / "exported", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "exported")
    served, expected = loaded.serve(tf.constant(IDS)), model(IDS)
    if make is lstm:  # z is drawn
        served, expected = served["mean"], expected["mean"]
    np.testing.assert_allclose(served, expected, rtol=1e-5, atol=1e-6)


def test_a_model_with_lora_is_saved_and_then_a_space(tmp_path):
    model = lstm()
    dense = model.decoder.logits.projection
    dense.enable_lora(2)
    dense.lora_kernel_b.assign(np.full((2, V), 0.1))
    space = TextSpace(model, CODEC)
    with pytest.raises(ValueError, match="^A model with LoRA or quantized weights"):
        space.save(tmp_path / "space")
    model.save(tmp_path / "model.keras")
    merged = TextSpace(keras.saving.load_model(tmp_path / "model.keras"), CODEC)
    merged.save(tmp_path / "space")
    loaded, texts = TextSpace.load(tmp_path / "space"), ["a b", "c d e"]
    for one, other in zip(loaded.score(texts), space.score(texts), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
