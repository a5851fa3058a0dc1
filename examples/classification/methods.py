"""Ways to classify with few labels, each a function that returns predictions."""

from typing import NamedTuple

import keras
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from examples.classification.labelled import Labelled
from keras_textvae import TextSpace, transfer

# A bound of about 100 nats a text would drown a label of one nat.
VAE_WEIGHT = 0.05


class Score(NamedTuple):
    """How a classifier does on texts that it has not seen; fractions, 0 to 1."""

    accuracy: float
    macro_f1: float


class Problem(NamedTuple):
    """What every method is given.

    Attributes:
        space: the pretrained text space, in float32.
        names: of the labels.
        unlabelled: texts without labels.
        features: what classifiers read, see `models.TextClassifier`.
        learning_rate: of Adam, for the methods that use it.
        hidden: units of the head's hidden layer; 0 has none.
    """

    space: TextSpace
    names: list[str]
    unlabelled: list[str]
    features: str
    learning_rate: float
    hidden: int


def bag_of_words(problem: Problem, train: Labelled, seed: int):
    """Logistic regression on the words, see `on_words`."""
    return on_words(problem.space.codec.tokenizer, train, seed)


def on_words(tokenizer, train: Labelled, seed: int):
    """Logistic regression on tf-idf weights of a tokenizer's words, without a space."""

    def words(texts):
        return tokenizer.split(texts).to_list()

    counts = TfidfVectorizer(analyzer=lambda ids: ids, sublinear_tf=True)
    model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed)
    model.fit(counts.fit_transform(words(train.texts)), train.labels)
    return lambda texts: model.predict(counts.transform(words(texts)))


def scratch(problem, train, seed):
    """The pretrained encoder's network from new weights."""
    return _predict(classifier(problem, train, seed, "fine_tuned", pretrained=False))


def frozen(problem, train, seed):
    """A head on the pretrained encoder, which stays as it is."""
    return _predict(classifier(problem, train, seed, "frozen"))


def gradual(problem, train, seed):
    """The pretrained encoder, thawed from the head downwards."""
    return _predict(classifier(problem, train, seed, "gradual"))


def fine_tuned(problem, train, seed):
    """The pretrained encoder, trained along with its head, which comes first."""
    return _predict(classifier(problem, train, seed, "fine_tuned"))


def semi_supervised(problem, train, seed):
    """The pretrained autoencoder, trained on labelled and unlabelled texts at once."""
    make, others = transfer.semi_supervised, {"unlabelled": problem.unlabelled}
    return _predict(_trained(make, problem, train, seed, others, vae_weight=VAE_WEIGHT))


METHODS = {
    method.__name__: method
    for method in (bag_of_words, scratch, frozen, fine_tuned, gradual, semi_supervised)
}


def score(predict, test: Labelled) -> Score:
    """Returns how predictions compare with the labels."""
    predicted = predict(test.texts)
    return Score(
        float(accuracy_score(test.labels, predicted)),
        float(f1_score(test.labels, predicted, average="macro")),
    )


def classifier(problem, train, seed, encoder, pretrained=True) -> TextSpace:
    """Returns a trained space that classifies, see `transfer.fit`."""
    make, how = transfer.classifier, {"encoder": encoder}
    return _trained(make, problem, train, seed, how, pretrained=pretrained)


def _predict(space):
    return lambda texts: space.classify(texts).label


def _trained(make, problem, train, seed, how, **options):
    """Returns a space that `make` makes with `options`, trained as `how` says."""
    keras.utils.set_random_seed(seed)
    labelled = make(
        problem.space,
        problem.names,
        features=problem.features,
        hidden=problem.hidden,
        **options,
    )
    transfer.fit(
        labelled,
        train.texts,
        train.labels,
        learning_rate=problem.learning_rate,
        seed=seed,
        **how,
    )
    return labelled
