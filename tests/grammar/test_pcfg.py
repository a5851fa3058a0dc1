import itertools
import math
import random
from collections import Counter

import pytest

from keras_textvae.grammar import ProbabilisticGrammar

CATS = {
    "S": [(0.75, "Noun Verb End"), (0.25, "Verb Noun")],
    "Noun": [(0.5, "cats"), (0.3, "old cats"), (0.2, "")],
    "Verb": [(0.9, "sleep"), (0.1, "old cats sleep")],
    "End": [(0.6, ""), (0.4, "today")],
}


def nested(q):  # a^k c b^k with probability q^k (1 - q)
    return ProbabilisticGrammar({"S": [(q, "a S b"), (1 - q, "c")]})


def random_grammar(seed):
    """A grammar without recursion, ambiguous as a rule, with empty right sides."""
    rng = random.Random(seed)
    symbols = ["S", "A", "B", "C"]
    rules = {}
    for depth, symbol in enumerate(symbols):
        rights = {"A B C"} if symbol == "S" else set()
        for _ in range(rng.randint(1, 4)):
            tokens = [*symbols[depth + 1 :], "x", "y"]
            rights.add(" ".join(rng.choices(tokens, k=rng.randint(0, 3))))
        weights = [rng.random() + 0.01 for _ in rights]
        total = sum(weights)
        rules[symbol] = [
            (w / total, right) for w, right in zip(weights, sorted(rights), strict=True)
        ]
    return ProbabilisticGrammar(rules)


def sentence_table(grammar):
    """sentence -> probability, summed over derivations."""
    table = Counter()
    for words, probability in grammar.enumerate():
        table[words] += probability
    return table


GRAMMARS = [ProbabilisticGrammar(CATS), *map(random_grammar, range(40))]


def test_the_random_grammars_are_mostly_ambiguous_and_some_have_empty_sentences():
    ambiguous = [
        len(sentence_table(g)) < sum(1 for _ in g.enumerate()) for g in GRAMMARS
    ]
    assert sum(ambiguous) > 10
    assert any(() in sentence_table(g) for g in GRAMMARS)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_probabilities_of_all_sentences_sum_to_one(grammar):
    total = math.fsum(p for _, p in grammar.enumerate())
    assert total == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_entropy_is_that_of_the_enumerated_derivations(grammar):
    entropy = -math.fsum(p * math.log(p) for _, p in grammar.enumerate())
    assert grammar.entropy() == pytest.approx(entropy, abs=1e-12)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_expected_length_is_that_of_the_enumerated_sentences(grammar):
    length = math.fsum(p * len(words) for words, p in grammar.enumerate())
    assert grammar.expected_length() == pytest.approx(length, abs=1e-12)


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_log_prob_sums_over_derivations(grammar):
    table = sentence_table(grammar)
    for words, probability in itertools.islice(table.items(), 300):
        assert grammar.log_prob(words) == pytest.approx(
            math.log(probability), abs=1e-12
        )


@pytest.mark.parametrize("grammar", GRAMMARS[:10])
def test_log_prob_is_minus_infinity_outside_the_language(grammar):
    table = sentence_table(grammar)
    words = sorted(grammar.vocabulary)
    for length in range(4):
        for sentence in itertools.product(words, repeat=length):
            assert (grammar.log_prob(sentence) > -math.inf) == (sentence in table)


def test_log_prob_of_an_unknown_word_is_minus_infinity():
    assert ProbabilisticGrammar(CATS).log_prob(["cats", "<unk>"]) == -math.inf


def test_enumeration_is_in_order_of_probability():
    probabilities = [p for _, p in ProbabilisticGrammar(CATS).enumerate()]
    assert probabilities == sorted(probabilities, reverse=True)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_recursion_has_the_entropy_of_the_geometric_distribution(q):
    choice = -q * math.log(q) - (1 - q) * math.log(1 - q)
    assert nested(q).entropy() == pytest.approx(choice / (1 - q), rel=1e-12)
    assert nested(q).expected_length() == pytest.approx(1 + 2 * q / (1 - q))


def test_recursion_is_enumerated_lazily_and_parsed_at_any_depth():
    grammar = nested(0.5)
    first = list(itertools.islice(grammar.enumerate(), 3))
    assert first == [
        (("c",), pytest.approx(1 / 2)),
        (("a", "c", "b"), pytest.approx(1 / 4)),
        (("a", "a", "c", "b", "b"), pytest.approx(1 / 8)),
    ]
    deep = ["a"] * 5000 + ["c"] + ["b"] * 5000
    assert grammar.log_prob(deep) == pytest.approx(5001 * math.log(0.5), rel=1e-12)
    assert grammar.log_prob(deep[1:]) == -math.inf


def test_log_prob_of_an_ambiguous_recursion_follows_its_recurrence():
    grammar = ProbabilisticGrammar(
        {"S": [(0.8, "A S"), (0.2, "A")], "A": [(0.7, "a"), (0.3, "a a")]}
    )
    step = {1: 0.7, 2: 0.3}
    exact = [0.0]
    for n in range(1, 61):
        exact.append(
            sum(
                p * (0.8 * exact[n - k] + 0.2 * (k == n))
                for k, p in step.items()
                if k <= n
            )
        )
        assert grammar.log_prob(["a"] * n) == pytest.approx(math.log(exact[n]))


def test_samples_come_with_their_probabilities():
    grammar = ProbabilisticGrammar(CATS)
    rng = random.Random(0)
    samples = [grammar.sample(rng) for _ in range(20_000)]
    counts = Counter(sample.words for sample in samples)
    for words, p in sentence_table(grammar).items():
        error = math.sqrt(p * (1 - p) / len(samples))
        assert counts[words] / len(samples) == pytest.approx(p, abs=5 * error)
    for sample in samples[:100]:
        right_sides = [rule.right for rule in sample.derivation]
        assert right_sides[0] in {("Noun", "Verb", "End"), ("Verb", "Noun")}
        assert sample.log_prob <= grammar.log_prob(sample.words) + 1e-12


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"S": [(0.5, "a"), (0.4, "b")]}, "'S' must sum to 1. Received: sum=0.9"),
        ({"S": []}, "must sum to 1. Received: sum=0.0"),
        ({"S": [(1.5, "a"), (-0.5, "b")]}, r"in \(0, 1\]. Received: 1.5 for S -> a"),
        ({"S": [(math.nan, "a")]}, r"in \(0, 1\]. Received: nan"),
        ({"S": [(1.0, "a Np")]}, "'Np' is undefined in: S -> a Np"),
        ({"S": [(0.5, "a"), (0.5, "a")]}, "'S' has the same right side twice"),
        ({"S": [(1.0, "a")], "B": [(1.0, "b")]}, "from 'S' reaches the symbol 'B'"),
        ({"S": [(1.0, "a")], "b": [(1.0, "b")]}, "capital letter. Received: 'b'"),
        ({"T": [(1.0, "a")]}, "start symbol has no rules. Received: start='S'"),
        ({"S": [(1.0, "a S")]}, "do not terminate"),
        ({"S": [(0.5, "a S S"), (0.5, "b")]}, "do not terminate"),
        ({"S": [(0.6, "a S S"), (0.4, "b")]}, "do not terminate"),
        ({"S": [(0.1, "S a"), (0.9, "b")]}, "'S' is left-recursive"),
        (
            {"S": [(1.0, "A b")], "A": [(0.5, "E A c"), (0.5, "a")], "E": [(1.0, "")]},
            "'A' is left-recursive",
        ),
    ],
)
def test_an_invalid_grammar_is_rejected(rules, message):
    with pytest.raises(ValueError, match=message):
        ProbabilisticGrammar(rules)


def test_a_string_is_not_a_sequence_of_words():
    with pytest.raises(ValueError, match="sequence of words. Received: 'cats sleep'"):
        ProbabilisticGrammar(CATS).log_prob("cats sleep")
