"""The figures of an evaluation against arithmetic, and against exact entropies."""

import math
import random

import keras
import numpy as np
import pytest

from keras_textvae import zoo
from keras_textvae.evaluation import Bound, evaluate_bound
from keras_textvae.grammar import ProbabilisticGrammar
from keras_textvae.objectives import Objective
from keras_textvae.text_space import TextSpace
from keras_textvae.tokenizers import Codec, WordTokenizer

# 2 x 3 x (1 + 3) sentences, whose subject and verb agree.
GRAMMAR = ProbabilisticGrammar(
    {
        "S": [(0.6, "the One"), (0.4, "the Many")],
        "One": [(0.5, "Noun sees End"), (0.5, "Noun hears End")],
        "Many": [(0.7, "Noun Noun see End"), (0.3, "Noun Noun hear End")],
        "Noun": [(0.5, "cat"), (0.3, "dog"), (0.2, "bird")],
        "End": [(0.3, "."), (0.7, "a Noun .")],
    }
)


def draw(count, seed):
    """Sentences of the grammar, and their exact NLL in nats."""
    rng = random.Random(seed)
    words = [GRAMMAR.sample(rng).words for _ in range(count)]
    texts = [" ".join(sentence) for sentence in words]
    return texts, np.array([-GRAMMAR.log_prob(sentence) for sentence in words])


@pytest.fixture(scope="module")
def space():
    """A space trained on the grammar, whose KL weighs so little that z is used."""
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer(sorted(GRAMMAR.vocabulary))
    ids = tokenizer.encode(draw(3200, seed=1)[0]).numpy()
    model = zoo.lstm_vae(
        tokenizer.vocabulary_size, 16, 32, 4, objective=Objective(beta=0.3)
    )
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(ids, batch_size=64, epochs=5, verbose=0)
    return TextSpace(model, Codec(tokenizer, 11))


def test_perplexities_and_bits_are_those_of_the_totals():
    # Two sentences of 3 and 5 words: 10 tokens with <eos>, 8 without; 40 nats in all.
    bound = Bound(bound=20.0, reconstruction=18.0, kl=2.0, tokens=5.0)
    assert bound.perplexity == pytest.approx(math.exp(40 / 10))
    assert bound.perplexity_without_eos == pytest.approx(math.exp(40 / 8))
    assert bound.bits_per_token == pytest.approx(40 / 10 / math.log(2))


def test_a_uniform_model_has_the_vocabulary_as_its_perplexity():
    bound = Bound(6 * math.log(32), 6 * math.log(32), 0.0, 6.0)
    assert bound.perplexity == pytest.approx(32)
    assert bound.bits_per_token == pytest.approx(5)


def test_the_bound_lies_above_the_exact_nll(space):
    texts, nll = draw(1000, seed=2)
    score = space.score(texts)
    differences = score.bound - nll
    error = np.std(differences, ddof=1) / np.sqrt(len(texts))
    assert np.mean(differences) >= -3 * error
    # The model has learned, and says so by way of z: without the KL it would win.
    assert np.mean(differences) < 0.2 * GRAMMAR.entropy()
    assert np.mean(score.reconstruction - nll) < -0.5


def test_an_evaluation_is_the_mean_over_sentences(space):
    texts, _ = draw(100, seed=3)
    ids = space.codec.tokenizer.encode(texts).numpy()
    space.model.compile(run_eagerly=True)
    found = evaluate_bound(space.model, ids)
    assert found.tokens == np.float32(np.mean([len(t.split()) + 1 for t in texts]))
    assert found.bound == pytest.approx(found.reconstruction + found.kl, rel=1e-6)
    assert found.kl == pytest.approx(np.mean(space.encode(texts).kl), rel=1e-5)
    scores = [space.score(texts, seed).bound for seed in range(20)]
    noise = np.std(np.mean(scores, axis=1))
    assert found.bound == pytest.approx(np.mean(scores), abs=float(6 * noise))


def test_an_evaluation_with_the_same_seed_is_the_same(space):
    ids = space.codec.tokenizer.encode(draw(50, seed=4)[0]).numpy()
    space.model.compile(run_eagerly=True)
    first = evaluate_bound(space.model, ids, seed=1)
    assert evaluate_bound(space.model, ids, seed=2) != first
    assert evaluate_bound(space.model, ids, seed=1) == first


def test_a_perplexity_without_end_is_infinite():
    """Of sentences that are their end alone, and where no float is as large."""
    ended = Bound(bound=2.0, reconstruction=2.0, kl=0.0, tokens=1.0)
    assert ended.perplexity == pytest.approx(np.exp(2.0))
    assert ended.perplexity_without_eos == math.inf
    diverged = Bound(bound=1e6, reconstruction=1e6, kl=0.0, tokens=10.0)
    assert diverged.perplexity == math.inf
