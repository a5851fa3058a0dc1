"""The inside algorithm: the probability that a symbol derives a span of words.

The chart is filled from the top, which leaves out the spans that nothing to their left
asks for. An agenda takes the place of recursion, so that Python's stack does not limit
the length of a sentence.
"""

import math
from collections.abc import Sequence

from keras_textvae.grammar.rules import (
    Rules,
    is_symbol,
    nullable_symbols,
    reached,
    tokens_below,
)

Chart = dict[tuple[str, int], dict[int, float]]


class InsideParser:
    """Fills charts for one set of rules.

    Args:
        rules: symbol -> its rules, checked.
        start: the symbol every derivation begins with.

    Raises:
        ValueError: if a symbol can begin with itself.
    """

    def __init__(self, rules: Rules, start: str):
        self._rules = rules
        self._start = start
        self._nullable = nullable_symbols(rules)
        heads = {
            symbol: {token for rule in alternatives for token in self._heads(rule)}
            for symbol, alternatives in rules.items()
        }
        self._first = {symbol: reached(heads, *heads[symbol]) for symbol in rules}
        for symbol, first in self._first.items():
            if symbol in first:
                raise ValueError(
                    f"The symbol {symbol!r} is left-recursive; "
                    "rewrite its rules to recur on the right."
                )
        below = tokens_below(rules)
        self._whole = [(rule, reached(below, *rule.right)) for rule in rules[start]]
        self.vocabulary = frozenset(
            token for token in reached(below, start) if not is_symbol(token)
        )
        self._candidates = {}

    def chart(self, words: Sequence[str]) -> Chart:
        """Returns ``{(symbol, begin): {end: log-probability in nats}}``."""
        if not self.vocabulary.issuperset(words):
            return {(self._start, 0): {}}
        followed = (*words, None)  # None: nothing follows
        chart = {}
        agenda = [(self._start, 0)]
        while agenda:
            symbol, begin = agenda[-1]
            if (symbol, begin) not in chart:
                ends, missing = self._ends(symbol, begin, followed, chart)
                if missing:
                    agenda.extend(missing)
                    continue
                chart[symbol, begin] = ends
            agenda.pop()
        return chart

    def _ends(self, symbol, begin, words, chart):
        """Where `symbol` can end, and the spans that must be known to tell."""
        if begin == 0 and symbol == self._start:
            candidates = self._whole_candidates(words)
        else:
            candidates = self._candidates_for(symbol, words[begin])
        ends, missing = {}, []
        for log_p, right in candidates:
            spans = {begin: log_p}
            for token in right:
                spans = self._advance(spans, token, words, chart, missing)
                if not spans:
                    break
            for end, total in spans.items():
                _add(ends, end, total)
        return ends, missing

    def _advance(self, spans, token, words, chart, missing):
        """Extends each span by what `token` derives behind it."""
        grown = {}
        for middle, log_p in spans.items():
            if token not in self._rules:
                if words[middle] == token:
                    grown[middle + 1] = log_p
            elif (token, middle) in chart:
                for end, more in chart[token, middle].items():
                    _add(grown, end, log_p + more)
            elif self._candidates_for(token, words[middle]):
                missing.append((token, middle))
        return grown

    def _whole_candidates(self, words):
        """The start symbol's rules, less those that lack a word of the sentence."""
        used = set(words[:-1])
        return [
            (math.log(rule.probability), rule.right)
            for rule, whole in self._whole
            if used <= whole
        ]

    def _candidates_for(self, symbol, word):
        """The rules of `symbol` that can derive nothing or begin with `word`."""
        if (symbol, word) not in self._candidates:
            self._candidates[symbol, word] = [
                (math.log(rule.probability), rule.right)
                for rule in self._rules[symbol]
                if self._nullable.issuperset(rule.right)
                or any(
                    head == word or word in self._first.get(head, ())
                    for head in self._heads(rule)
                )
            ]
        return self._candidates[symbol, word]

    def _heads(self, rule):
        """The tokens that can come first: up to the first that cannot be empty."""
        for count, token in enumerate(rule.right, start=1):
            if token not in self._nullable:
                return rule.right[:count]
        return rule.right


def _add(table, key, log_p):
    """Adds a probability to an entry of a table of log-probabilities."""
    if key in table:
        larger, smaller = max(table[key], log_p), min(table[key], log_p)
        log_p = larger + math.log1p(math.exp(smaller - larger))
    table[key] = log_p
