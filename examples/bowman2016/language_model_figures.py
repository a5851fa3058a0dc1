"""What table 2 of Bowman et al. 2016 says of a model: likelihoods and use of z.

Without TensorFlow: on JAX `reproduce_bowman2016.py` computes them too.
"""

import keras
import numpy as np

from examples.keeping import once
from keras_textvae import evaluation

PIECE = 10  # batches whose importance-weighted likelihood is kept together


def figures(run, scale, chunk=None) -> dict:
    """Evaluates a run's best epoch; each figure once, and kept in the run's folder.

    Args:
        run: `training.Run`.
        scale: `Scale`.
        chunk: int or None. See `evaluation.importance_weighted_nll`.
    """
    inputs = {
        "train_batches": scale.train_batches,
        "test_batches": scale.test_batches,
        "samples": scale.samples,
    }
    return {
        name: once(run, name, inputs, figure)
        for name, figure in _figures(run, scale, chunk).items()
    }


def _figures(run, scale, chunk) -> dict:
    """Returns what is evaluated, by name, as functions."""
    model = run.best_model()
    train = run.train_batches.spread(scale.train_batches)
    test, some = run.test_batches, run.test_batches.spread(scale.test_batches)
    evaluations = {
        "train": lambda: evaluation.evaluate_bound(model, train)._asdict(),
        "test": lambda: evaluation.evaluate_bound(model, test)._asdict(),
    }
    if not model.latent_dim:
        return evaluations
    return evaluations | {
        "of_the_same": lambda: evaluation.evaluate_bound(model, some).bound,
        "active_units": lambda: evaluation.active_units(model, test).count,
        "information": lambda: evaluation.mutual_information(model, test),
        "weighted": lambda: importance_weighted(run, model, some, scale.samples, chunk),
    }


def importance_weighted(run, model, batches, samples, chunk=None) -> float:
    """Returns the importance-weighted likelihood of sentences, nats per sentence.

    It takes hours at the paper's scale: finished pieces are kept in the run's folder,
    so that a killed run goes on from them.
    """
    ids = [np.asarray(batch) for batch in batches]
    pieces = [ids[start : start + PIECE] for start in range(0, len(ids), PIECE)]
    inputs = {"samples": samples, "batches": len(ids)}
    progress = keras.utils.Progbar(len(pieces), unit_name="piece")
    nll = []
    for seed, piece in enumerate(pieces):

        def bound(piece=piece, seed=seed):
            estimate = evaluation.importance_weighted_nll
            return estimate(model, piece, samples, chunk, seed).bound

        nll.append(once(run, f"weighted-{seed}", inputs, bound))
        progress.add(1)
    sentences = [sum(map(len, piece)) for piece in pieces]
    return float(np.average(nll, weights=sentences))
