"""From a text space to one that classifies, on words and on crops of characters."""

import random

import keras
import numpy as np
import pytest

from keras_textvae import TextSpace, open_space, transfer, zoo
from keras_textvae.decoders import LSTMDecoder
from keras_textvae.grammar.english import build
from keras_textvae.grammar.lexicon import read_lexicon
from keras_textvae.models import LanguageModel
from keras_textvae.objectives import Objective
from keras_textvae.tokenizers import CharacterTokenizer, Codec, WordTokenizer
from keras_textvae.transfer import fitting

WORDS = "the a cat dog sees likes big old".split()
TEXTS = ["the cat sees", "a dog likes the cat", "old dog"]
TEXTS += ["big cat", "the old", "a big"]
LABELS = ["cat", "cat", "dog", "cat", "dog", "dog"]
NAMES = ("dog", "cat")
LENGTH = 8


def words():
    tokenizer = WordTokenizer(WORDS)
    size = tokenizer.vocabulary_size
    model = zoo.lstm_vae(size, 6, 8, 3, keep_rate=0.5, pooling="mean")
    return TextSpace(model, Codec(tokenizer, LENGTH - 1))


def crops():
    tokenizer = CharacterTokenizer([*"abcdeghiklo", " ", "\n"])
    model = zoo.hybrid_vae(
        tokenizer.vocabulary_size, LENGTH, 3, units=8, channels=(4, 6), features=5
    )
    return TextSpace(model, Codec(tokenizer, LENGTH, "crop"))


SPACES = {"words": words, "crops": crops}


@pytest.fixture(scope="module", params=SPACES)
def space(request):
    return SPACES[request.param]()


@pytest.fixture(scope="module")
def sentences():
    """The space of words; what is made of it leaves it alone, as is tested here."""
    return words()


few_steps = pytest.mark.usefixtures("eagerly")


@few_steps
@pytest.mark.parametrize("make", [transfer.classifier, transfer.semi_supervised])
def test_features_are_those_of_before_the_transfer(space, make):
    labelled = make(space, NAMES)
    for kind in ("encoder", "mean", "both"):
        expected = space.features(TEXTS, kind)
        np.testing.assert_array_equal(labelled.features(TEXTS, kind), expected)
    keras.utils.set_random_seed(1)  # the space may have been made from this test's own
    fresh = make(space, NAMES, pretrained=False)
    assert np.abs(fresh.features(TEXTS) - space.features(TEXTS)).max() > 1e-3


@few_steps
def test_training_a_classifier_leaves_the_space_it_came_from_alone(space):
    before = [value.numpy() for value in space.model.variables]
    labelled = transfer.classifier(space, NAMES)
    transfer.fit(labelled, TEXTS, LABELS, epochs=2)
    for value, old in zip(space.model.variables, before, strict=True):
        np.testing.assert_array_equal(value, old)


def weights(layers):
    return [weight.numpy() for layer in layers for weight in layer.weights]


def changed(before, layers):
    pairs = zip(before, weights(layers), strict=True)
    return [bool(np.any(old != new)) for old, new in pairs]


@few_steps
def test_a_frozen_encoder_stays_bit_identical_and_a_fine_tuned_one_does_not(space):
    for encoder, moves in (("frozen", False), ("fine_tuned", True)):
        labelled = transfer.classifier(space, NAMES)
        layers = [labelled.model.encoder, labelled.model.posterior]
        before, head = weights(layers), weights([labelled.model.head])
        transfer.fit(labelled, TEXTS, LABELS, encoder=encoder, epochs=2)
        assert any(changed(before, layers)) == moves
        assert any(changed(head, [labelled.model.head]))
        assert bool(labelled.model.encoder.trainable_weights) == moves
        numbers = transfer.label_numbers(NAMES, LABELS)
        given = labelled.ids(TEXTS), numbers
        found = labelled.model.evaluate(*given, verbose=0, return_dict=True)
        probabilities = labelled.classify(TEXTS).probabilities
        nll = -np.mean(np.log(probabilities[np.arange(6), numbers]))
        assert found["label_loss"] == pytest.approx(nll, rel=1e-4)


@few_steps
def test_gradual_unfreezing_begins_at_the_top(sentences):
    labelled = transfer.classifier(sentences, NAMES)
    encoder, posterior = labelled.model.encoder, labelled.model.posterior
    layers = [*encoder.stages, posterior]
    moved = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.before = [weights([layer]) for layer in layers]

        def on_epoch_end(self, epoch, logs=None):
            pairs = zip(self.before, layers, strict=True)
            moved.append([any(changed(old, [layer])) for old, layer in pairs])

    transfer.fit(
        labelled, TEXTS, LABELS, encoder="gradual", epochs=3, callbacks=[Watch()]
    )
    assert moved[:3] == [[False, False, False]] * 3  # the head alone
    assert moved[3:] == [
        [False, False, True],
        [False, True, True],
        [True, True, True],
    ]


@few_steps
def test_a_labelled_space_is_saved_with_its_labels_and_answers_alike(tmp_path, space):
    labelled = transfer.classifier(space, NAMES, hidden=4)
    transfer.fit(labelled, TEXTS, LABELS, epochs=2)
    labelled.save(str(tmp_path))
    again = open_space(str(tmp_path))
    assert again.model.labels == NAMES
    expected = labelled.classify(TEXTS)
    found = again.classify(TEXTS)
    assert found.label == expected.label
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)


@few_steps
def test_labels_come_with_probabilities_for_any_number_of_texts(sentences):
    labelled = transfer.classifier(sentences, NAMES)
    found = labelled.classify(TEXTS * 300)  # more than a call may have
    assert found.probabilities.shape == (1800, 2)
    np.testing.assert_allclose(np.sum(found.probabilities, axis=1), 1, rtol=1e-5)
    likeliest = np.argmax(found.probabilities, axis=1)
    assert found.label == [NAMES[number] for number in likeliest]
    logits = labelled.model(labelled.ids(TEXTS))
    expected = keras.ops.softmax(logits)
    np.testing.assert_allclose(found.probabilities[:6], expected, atol=1e-6)


@few_steps
def test_the_same_seeds_give_the_same_classifier():
    found = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        labelled = transfer.classifier(words(), NAMES)
        transfer.fit(labelled, TEXTS, LABELS, epochs=3, batch_size=2, seed=5)
        found.append(labelled.classify(TEXTS).probabilities)
    np.testing.assert_array_equal(*found)


def test_semi_supervised_spaces_learn_from_both_and_still_generate():
    keras.utils.set_random_seed(0)
    labelled = transfer.semi_supervised(words(), NAMES)
    history = transfer.fit(
        labelled,
        TEXTS * 10,
        LABELS * 10,
        unlabelled=[*TEXTS, "the dog likes a cat", "old cat"],
        epochs=6,
        batch_size=6,
        learning_rate=0.02,
        validation=(TEXTS, LABELS),
        patience=6,
    )
    assert history["val_accuracy"][-1] == 1.0
    assert history["reconstruction"][-1] < history["reconstruction"][0]
    assert labelled.classify(TEXTS).label == LABELS
    assert len(labelled.sample(2)) == 2


def test_a_density_stays_with_the_space_whose_posteriors_it_was_fitted_to(space):
    fitted = space.with_density(TEXTS * 9, fitted=True)
    for make in (transfer.classifier, transfer.semi_supervised):
        labelled = make(fitted, NAMES)
        assert (labelled.density, labelled.fitted) == (None, False)


def test_a_semi_supervised_space_keeps_the_objective_of_its_source(space):
    found = transfer.semi_supervised(space, NAMES).model.objective
    assert found.get_config() == space.model.objective.get_config()


@few_steps
def test_training_stops_early_with_the_best_weights(sentences):
    labelled = transfer.classifier(sentences, NAMES)
    wrong = [NAMES[label == "dog"] for label in LABELS]  # ever worse from here on
    history = transfer.fit(
        labelled,
        TEXTS,
        LABELS,
        epochs=50,
        validation=(TEXTS, wrong),
        patience=3,
        learning_rate=0.02,
    )
    assert len(history["val_label_loss"]) < 50
    best = min(history["val_label_loss"])
    probabilities = labelled.classify(TEXTS).probabilities
    numbers = transfer.label_numbers(NAMES, wrong)
    found = -np.mean(np.log(probabilities[np.arange(6), numbers]))
    assert found == pytest.approx(best, rel=1e-4)


def test_the_head_alone_finds_the_posterior_mode_of_its_weights(sentences):
    """Against the convex problem solved by Newton's method in NumPy."""
    labelled = transfer.classifier(sentences, NAMES, dropout=0.0)
    options = {"encoder": "frozen", "batch_size": 6, "learning_rate": 0.003}
    transfer.fit(labelled, TEXTS, LABELS, epochs=120, **options)
    norm, _, dense = labelled.model.head.layers
    x = sentences.features(TEXTS)
    x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + norm.epsilon)
    x = x * norm.gamma.numpy() + norm.beta.numpy()
    y = np.array([1.0 if label == "cat" else 0.0 for label in LABELS])
    # Two opposite rows of weights w/2: |kernels|^2 = |w|^2 / 2.
    precision = np.diag([0.5 / fitting.PRIOR_STD**2] * x.shape[1] + [0.0])
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = x.T @ (x * (p * (1 - p))[:, None]) + precision
        weights -= np.linalg.solve(hessian, x.T @ (p - y) + precision @ weights)
    kernel, bias = (value.numpy() for value in dense.weights)
    np.testing.assert_allclose(kernel[:, 1] - kernel[:, 0], weights[:-1], atol=2e-4)
    np.testing.assert_allclose(bias[1] - bias[0], weights[-1], atol=1e-3)


@few_steps
def test_a_new_head_says_nothing(space):
    probabilities = transfer.classifier(space, NAMES).classify(TEXTS).probabilities
    np.testing.assert_array_equal(probabilities, np.full((6, 2), 0.5, "float32"))


def test_each_text_has_the_weight_of_its_label(sentences):
    model = transfer.classifier(sentences, NAMES).model
    dog, cat = (NAMES.index(name) for name in ("dog", "cat"))
    numbers = np.array([dog, cat, cat, cat])
    (balanced,) = fitting._weights(model, numbers, "balanced")
    np.testing.assert_allclose(balanced, [2.0, 2 / 3, 2 / 3, 2 / 3])
    # A label that is left out weighs 1.
    for name, weights in (("cat", [1, 3, 3, 3]), ("dog", [3, 1, 1, 1])):
        (named,) = fitting._weights(model, numbers, {name: 3.0})
        np.testing.assert_array_equal(named, weights)
    assert fitting._weights(model, numbers, None) == []


def labelled_corpus(count, seed):
    """Sentences of a few words of the built-in corpus, and their topics."""
    lexicon = read_lexicon()
    lexicon["topics"] = {
        topic: {kind: _first(words, 2) for kind, words in of_kind.items()}
        for topic, of_kind in lexicon["topics"].items()
    }
    small, rng = build(lexicon), random.Random(seed)
    samples = [small.sample(rng) for _ in range(count)]
    texts = [" ".join(sample.words) for sample in samples]
    symbols = [sample.derivation[0].right[0] for sample in samples]
    return texts, [symbol.split("[")[1].split(",")[0] for symbol in symbols]


def _first(words, count):
    """The first of a class of words, or of its places, which commas separate."""
    comma = "," if "," in words else None
    return (comma or " ").join(words.split(comma)[:count])


def test_a_grammar_is_learned_from_twenty_labels_a_class():
    keras.utils.set_random_seed(0)
    texts, topics = labelled_corpus(1500, seed=0)
    tokenizer = WordTokenizer(sorted({word for text in texts for word in text.split()}))
    model = zoo.bag_of_words_vae(
        tokenizer.vocabulary_size, 32, 32, 8, objective=Objective(beta=0.1)
    )
    ids = tokenizer.encode(texts).numpy()
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(ids, epochs=8, verbose=0)
    space = TextSpace(model, Codec(tokenizer, ids.shape[1] - 1))
    names = sorted({*topics})
    rows = [
        row
        for name in names
        for row in [i for i, topic in enumerate(topics) if topic == name][:20]
    ]
    labelled = transfer.classifier(space, names)
    transfer.fit(
        labelled,
        [texts[i] for i in rows],
        [topics[i] for i in rows],
        epochs=80,
        learning_rate=0.01,
    )
    rest = sorted({*range(len(texts))} - {*rows})
    found = labelled.classify([texts[i] for i in rest]).label
    right = [label == topics[i] for label, i in zip(found, rest, strict=True)]
    assert np.mean(right) > 0.95


BAD = {
    "no such label": (["a"], ["mouse"], {}, "'mouse' is no label .* dog, cat"),
    "one label": (TEXTS, ["cat"] * 6, {}, "two different ones .* 1 different"),
    "no text": ([], [], {}, "0 texts"),
    "more texts than labels": (TEXTS, LABELS[:5], {}, "6 texts, 5 labels"),
    "a text that is too long": (["a " * 20, "a"], NAMES, {}, "more than 7 words"),
    "an empty text": (["a", " "], ["cat", "dog"], {}, r"Text 1 .* is empty"),
    "a byte-order mark alone": (
        ["a", "\ufeff"],
        ["cat", "dog"],
        {},
        r"Text 1 .* is empty",
    ),
    "an empty validation text": (
        TEXTS,
        LABELS,
        {"validation": ([""], ["cat"])},
        r"Text 0 .* is empty",
    ),
    "an unknown way": (TEXTS, LABELS, {"encoder": "thawed"}, "fine_tuned, frozen"),
    "unlabelled": (TEXTS, LABELS, {"unlabelled": ["a"]}, "semi_supervised"),
}


def test_labels_that_are_no_names_are_refused(sentences):
    for make in (transfer.classifier, transfer.semi_supervised):
        with pytest.raises(ValueError, match=r"Labels are names, as str.*\[0, 1\]"):
            make(sentences, [0, 1])


@pytest.fixture(scope="module")
def labelled(sentences):
    return transfer.classifier(sentences, NAMES)


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(labelled, case):
    texts, labels, options, message = BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        transfer.fit(labelled, texts, labels, **options)
    assert "\n" not in str(error.value)


def test_what_a_space_cannot_do_is_one_clear_line(sentences, labelled):
    space, codec = sentences, sentences.codec
    language_model = LanguageModel(LSTMDecoder(codec.vocabulary_size, 4, 5))
    other = TextSpace(language_model, codec)
    for attempt, message in (
        (lambda: labelled.sample(1), "sample: this TextClassifier has no such method"),
        (lambda: space.classify(TEXTS), "classify: this TextVAE has no such method"),
        (lambda: labelled.classify(["a", " "]), "classify: a text is empty"),
        (lambda: labelled.classify(["\ufeff"]), "classify: a text is empty"),
        (lambda: labelled.classify("a"), "A list of texts is needed"),
        (lambda: labelled.classify(["a " * 20]), "more than 7 words"),
        (lambda: transfer.fit(space, TEXTS, LABELS), "has no labels"),
        (lambda: transfer.classifier(other, NAMES), "an encoder is needed"),
        (lambda: other.features(TEXTS), "has no encoder"),
        (lambda: space.features(TEXTS, "z"), "encoder, mean, both"),
        (lambda: transfer.semi_supervised(labelled, NAMES), "A VAE is needed"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            attempt()
        assert "\n" not in str(error.value)


IMPOSSIBLE = [
    ({"class_weight": {"cat": float("nan")}}, '`class_weight` is "balanced"'),
    ({"class_weight": {"cat": float("inf")}}, '`class_weight` is "balanced"'),
    ({"class_weight": {"cat": -1.0}}, '`class_weight` is "balanced"'),
    ({"class_weight": "balance"}, "Received: class_weight='balance'"),
    ({"class_weight": [1.0, 2.0]}, '`class_weight` is "balanced"'),
    ({"learning_rate": float("nan")}, "`learning_rate` must be positive"),
    ({"learning_rate": -1e-3}, "`learning_rate` must be positive"),
    ({"batch_size": 0}, "`batch_size` must be positive"),
    ({"epochs": -1}, "`epochs` must be positive"),
    ({"seed": -1}, "`seed` is an int from 0 on. Received: seed=-1"),
    ({"seed": 1.5}, "`seed` is an int from 0 on"),
]


@pytest.mark.parametrize("options, message", IMPOSSIBLE)
def test_a_number_that_makes_no_classifier_is_refused(options, message):
    labelled = transfer.classifier(words(), NAMES)
    before = labelled.model.get_weights()
    with pytest.raises(ValueError, match=message):
        transfer.fit(labelled, TEXTS, LABELS, **{"epochs": 1} | options)
    for old, new in zip(before, labelled.model.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)


def test_one_text_is_no_list_of_texts():
    labelled = transfer.classifier(words(), NAMES)
    with pytest.raises(ValueError, match="A list of texts is needed. Received: 'ab"):
        transfer.fit(labelled, "abc", ["cat", "dog", "cat"])
