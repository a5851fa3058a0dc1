"""Probabilistic context-free grammars whose entropy and likelihoods are exact.

Letters used in formulas:

A, B    symbols (nonterminals); S is the start symbol
r       a rule ``A -> right side``, used with probability p(r) whenever A is expanded
w       a sentence: a sequence of words
d       a derivation: the rules that produce a sentence, leftmost symbol first

All entropies and log-probabilities are in nats per sentence.
"""

import heapq
import itertools
import math
import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from keras_textvae.grammar.inside import Chart, InsideParser
from keras_textvae.grammar.rules import Rule, check_rules, expected_uses, is_symbol


class Sample(NamedTuple):
    """A sentence, and the rules that produced it, leftmost symbol first."""

    words: tuple[str, ...]
    derivation: tuple[Rule, ...]

    @property
    def log_prob(self) -> float:
        """log p(d) in nats; it is log p(w) where the grammar is unambiguous."""
        return math.fsum(math.log(rule.probability) for rule in self.derivation)


class ProbabilisticGrammar:
    """A probability distribution over sentences, given by rewriting rules.

    ```python
    grammar = ProbabilisticGrammar({
        "S": [(1.0, "Noun Verb")],
        "Noun": [(0.5, "dogs"), (0.5, "old Noun")],
        "Verb": [(0.9, "bark"), (0.1, "")],
    })
    ```

    A token of a right side is a symbol if it begins with a capital letter and a word
    otherwise; an empty right side produces nothing. Rules may be recursive, but not
    on the left (``A -> A b``).

    Args:
        rules: symbol -> its alternatives, each a probability and a right side of
            tokens separated by spaces.
        start: the symbol every derivation begins with.

    Raises:
        ValueError: if a probability is not in (0, 1], those of a symbol do not sum
            to 1, a right side is given twice, a symbol is undefined, unreachable or
            left-recursive, or the expected length of a derivation is not finite.
    """

    def __init__(
        self, rules: Mapping[str, Sequence[tuple[float, str]]], start: str = "S"
    ):
        self.start = start
        self.rules = {
            symbol: tuple(
                Rule(symbol, p, tuple(right.split())) for p, right in alternatives
            )
            for symbol, alternatives in rules.items()
        }
        check_rules(self.rules, start)
        self._uses = expected_uses(self.rules, start)
        self._parser = InsideParser(self.rules, start)
        self._draws = {
            symbol: (
                _cumulative(alternatives),
                alternatives,
                [rule.right[::-1] for rule in alternatives],
            )
            for symbol, alternatives in self.rules.items()
        }

    @property
    def vocabulary(self) -> frozenset[str]:
        """Every word that some sentence contains."""
        return self._parser.vocabulary

    def sample(self, rng: random.Random) -> Sample:
        """Draws a sentence.

        Args:
            rng: only its `random()` is called, whose stream Python keeps the same on
                every platform and in every version.

        Returns:
            The words and their derivation.
        """
        words, derivation, pending = [], [], [self.start]
        while pending:
            token = pending.pop()
            if token not in self._draws:
                words.append(token)
                continue
            cumulative, rules, reversed_rights = self._draws[token]
            choice = bisect_right(cumulative, rng.random())
            derivation.append(rules[choice])
            pending.extend(reversed_rights[choice])
        return Sample(tuple(words), tuple(derivation))

    def entropy(self) -> float:
        """The exact entropy of a derivation, in nats per sentence.

        The entropy H(A) of what A derives solves the linear system

            H(A) = sum_r p(r) (-log p(r) + sum_{B in r} H(B)),    r: A -> ...

        of which H(S) is returned, as ``sum_A n(A) h(A)``: n(A) is the expected number
        of expansions of A in a sentence, h(A) the entropy of the choice among its
        rules. Where the grammar is unambiguous a sentence has one derivation, and this
        is the entropy of the sentence: the least mean of ``-log q(w)`` that any model
        q can reach. Where the grammar is ambiguous, it is an upper bound on that.
        """
        return math.fsum(
            -self._uses[rule.symbol] * rule.probability * math.log(rule.probability)
            for rule in itertools.chain.from_iterable(self.rules.values())
        )

    def expected_length(self) -> float:
        """The exact mean number of words in a sentence, punctuation included."""
        return math.fsum(
            self._uses[rule.symbol] * rule.probability
            for rule in itertools.chain.from_iterable(self.rules.values())
            for token in rule.right
            if not is_symbol(token)
        )

    def log_prob(self, words: Sequence[str]) -> float:
        """log p(w) in nats: the exact sum over all derivations of w.

        Args:
            words: the sentence as a sequence of words.

        Returns:
            The log-probability; ``-inf`` for a sentence the grammar cannot produce.

        Raises:
            ValueError: if `words` is a string.
        """
        return self.inside(words)[self.start, 0].get(len(words), -math.inf)

    def inside(self, words: Sequence[str]) -> Chart:
        """The log-probabilities of the spans that the start symbol asks for.

        Args:
            words: the sentence as a sequence of words.

        Returns:
            ``{(symbol, begin): {end: log p(symbol derives words[begin:end])}}``, nats.

        Raises:
            ValueError: if `words` is a string.
        """
        if isinstance(words, str):
            raise ValueError(
                f"`words` must be a sequence of words. Received: {words[:80]!r}"
            )
        return self._parser.chart(words)

    def enumerate(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Yields every derivation's sentence and probability, most probable first.

        An ambiguous sentence comes once for each of its derivations. The iterator is
        lazy, and endless where the grammar is recursive.
        """
        order = itertools.count()
        start = (0.0, next(order), (), (self.start,))
        frontier: list[tuple[float, int, tuple[str, ...], tuple[str, ...]]] = [start]
        while frontier:
            cost, _, words, pending = heapq.heappop(frontier)
            if not pending:
                yield words, math.exp(-cost)
                continue
            token, *rest = pending
            if token not in self.rules:
                entry = (cost, next(order), (*words, token), tuple(rest))
                heapq.heappush(frontier, entry)
                continue
            for rule in self.rules[token]:
                more = cost - math.log(rule.probability)
                entry = (more, next(order), words, (*rule.right, *rest))
                heapq.heappush(frontier, entry)


def _cumulative(alternatives):
    """Upper ends of the intervals of [0, 1) in which each rule is chosen."""
    # Plain additions: `sum` rounds differently from Python 3.12 on.
    ends = list(itertools.accumulate(rule.probability for rule in alternatives))
    return [*ends[:-1], 1.0]
