"""Rewriting rules, and the checks that make a set of them a distribution."""

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np


class Rule(NamedTuple):
    """``symbol -> right``, used with `probability` whenever `symbol` is expanded."""

    symbol: str
    probability: float
    right: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.symbol} -> {' '.join(self.right)}"


Rules = Mapping[str, tuple[Rule, ...]]


def is_symbol(token: str) -> bool:
    """Whether a token of a right side is a symbol (begins with a capital letter)."""
    return token[:1].isupper()


def reached(graph: Mapping[str, Iterable[str]], *tokens: str) -> set[str]:
    """`tokens` and all that can be reached from them in `graph`."""
    seen, pending = set(tokens), list(tokens)
    while pending:
        for token in graph.get(pending.pop(), ()):
            if token not in seen:
                seen.add(token)
                pending.append(token)
    return seen


def tokens_below(rules: Rules) -> dict[str, set[str]]:
    """symbol -> the tokens of its right sides."""
    return {
        symbol: {token for rule in alternatives for token in rule.right}
        for symbol, alternatives in rules.items()
    }


def check_rules(rules: Rules, start: str) -> None:
    """Raises a ValueError at the first rule or symbol that is wrong."""
    for symbol, alternatives in rules.items():
        _check_symbol(symbol, alternatives, rules)
    if start not in rules:
        raise ValueError(f"The start symbol has no rules. Received: start={start!r}")
    unreachable = set(rules) - reached(tokens_below(rules), start)
    if unreachable:
        raise ValueError(
            f"No derivation from {start!r} reaches the symbol {min(unreachable)!r}."
        )


def _check_symbol(symbol, alternatives, rules):
    if not is_symbol(symbol):
        raise ValueError(
            f"A symbol must begin with a capital letter. Received: {symbol!r}"
        )
    for rule in alternatives:
        if not 0 < rule.probability <= 1:
            raise ValueError(
                "The probability of a rule must be in (0, 1]. "
                f"Received: {rule.probability} for {rule}"
            )
        for token in rule.right:
            if is_symbol(token) and token not in rules:
                raise ValueError(f"The symbol {token!r} is undefined in: {rule}")
    if len({rule.right for rule in alternatives}) < len(alternatives):
        raise ValueError(f"The symbol {symbol!r} has the same right side twice.")
    total = math.fsum(rule.probability for rule in alternatives)
    if abs(total - 1) > 1e-9:
        raise ValueError(
            f"The probabilities of {symbol!r} must sum to 1. Received: sum={total}"
        )


def nullable_symbols(rules: Rules) -> set[str]:
    """The symbols that can derive no word at all."""
    nullable, size = set(), -1
    while len(nullable) > size:
        size = len(nullable)
        nullable |= {
            symbol
            for symbol, alternatives in rules.items()
            if any(nullable.issuperset(rule.right) for rule in alternatives)
        }
    return nullable


def expected_uses(rules: Rules, start: str) -> dict[str, float]:
    """The expected number of expansions of each symbol in one derivation.

    With M[A, B] the mean number of B in the right sides of A, the numbers n solve
    ``n = e_start + n M``. M is non-negative and every symbol is reachable, so that a
    finite non-negative solution exists only where the expected derivation is finite.

    Raises:
        ValueError: if the expected derivation is infinite.
    """
    index = {symbol: i for i, symbol in enumerate(rules)}
    system = np.eye(len(rules))
    for rule in itertools.chain.from_iterable(rules.values()):
        for token in rule.right:
            if is_symbol(token):
                system[index[token], index[rule.symbol]] -= rule.probability
    unit = np.zeros(len(rules))
    unit[index[start]] = 1.0
    try:
        uses = np.linalg.solve(system, unit)
    except np.linalg.LinAlgError:
        uses = np.full(len(rules), np.inf)
    if not (uses > -1e-9).all() or uses.max() > 1e12:
        raise ValueError(
            "The recursive rules do not terminate: the expected length of a "
            f"derivation from {start!r} is not finite."
        )
    return dict(zip(rules, uses.tolist(), strict=True))
