"""The linear probe: what a linear classifier can read off an encoder.

N: texts. F: size of the features.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from keras_textvae.text_space import TextSpace


class Probe(NamedTuple):
    """How a linear classifier fares on folds that it was not fitted on.

    Attributes:
        accuracy: float64 [folds], fractions.
        macro_f1: float64 [folds], fractions: the mean over labels of F1.
    """

    accuracy: np.ndarray
    macro_f1: np.ndarray


def linear_probe(
    space: TextSpace,
    texts: Iterable[str],
    labels: Iterable[str],
    features: str = "both",
    folds: int = 5,
    seed: int = 0,
) -> Probe:
    """Fits logistic regressions on the features of an encoder that stays as it is.

    Features are standardised, the regression is multinomial with scikit-learn's own
    penalty, and folds hold the labels in equal shares. Alain and Bengio 2016.

    Args:
        space: of a model with an encoder.
        texts: N texts.
        labels: their N labels.
        features: "encoder", "mean" or "both", see `models.TextClassifier`.
        folds: int. Each is classified once, by a regression on all the others.
        seed: int. Seeds the folds.

    Returns:
        A `Probe`; its means are the usual figures.

    Raises:
        ValueError: if scikit-learn is not installed; for unequally many texts and
            labels, one label only, or a label with fewer texts than folds.
    """
    try:
        from sklearn import linear_model, model_selection, pipeline, preprocessing
    except ImportError:
        raise ValueError(
            "`linear_probe` needs scikit-learn: pip install keras_textvae[classify]"
        ) from None
    texts, labels = list(texts), np.array(list(labels))
    names, counts = np.unique(labels, return_counts=True)
    if len(texts) != len(labels) or len(names) < 2 or min(counts) < folds:
        tally = ", ".join(f"{n} of {c}" for c, n in zip(names, counts, strict=True))
        raise ValueError(
            f"There must be a label for each text, and {folds} texts at least of each "
            f"of two labels or more. Received: {len(texts)} texts, labels: {tally}"
        )
    model = pipeline.make_pipeline(
        preprocessing.StandardScaler(),
        linear_model.LogisticRegression(max_iter=1000),
    )
    split = model_selection.StratifiedKFold(folds, shuffle=True, random_state=seed)
    scores = model_selection.cross_validate(
        model,
        space.features(texts, features),
        labels,
        cv=split,
        scoring=("accuracy", "f1_macro"),
    )
    return Probe(scores["test_accuracy"], scores["test_f1_macro"])
