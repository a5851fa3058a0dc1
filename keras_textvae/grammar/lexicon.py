"""The words of the built-in grammar, as rules that rewrite a word class.

Within a class, the word of rank k = 1, 2, ... has a probability proportional to
1 / (k + 2): Zipf's law, flattened at the head as Mandelbrot proposed.
"""

import importlib.resources
import math
import tomllib
from collections.abc import Iterable, Mapping

from keras_textvae.grammar import inflection
from keras_textvae.grammar.syntax import KINDS, ROLES

_FORMS = {
    "plain": str,
    "third": inflection.third_person,
    "past": inflection.past,
    "gerund": inflection.gerund,
    "participle": inflection.participle,
}
_FUNCTION_CLASSES = {
    "determiner_singular": "Other[singular]",
    "determiner_plural": "Other[plural]",
    "place_determiner": "Determiner[place]",
    "degree": "Intensifier",
    "period": "Period",
    "span": "Span",
    "count": "Count",
    "weekdays": "Weekdays",
    "past": "Moment[past]",
    "present": "Moment[present]",
    "future": "Moment[future]",
}


def read_lexicon() -> dict:
    """The lexicon shipped with the package; its layout is that of `lexicon.toml`."""
    files = importlib.resources.files("keras_textvae.grammar")
    return tomllib.loads((files / "lexicon.toml").read_text(encoding="utf-8"))


def lexical_rules(lexicon: Mapping) -> dict[str, list[tuple[float, str]]]:
    """The rules of all word classes: symbol -> (probability, words)."""
    rules = {}
    for topic, words in lexicon["topics"].items():
        rules |= _topic_rules(topic, words)
    for role in ROLES:
        for sentiment, words in lexicon["quality"][role].items():
            rules |= _with_articles(f"Quality[{role},{sentiment}]", words.split())
        rules |= _with_articles(f"Trait[{role}]", lexicon["trait"][role].split())
    for sentiment, words in lexicon["manner"].items():
        rules[f"Manner[{sentiment}]"] = _zipf(words.split())
    for name, symbol in _FUNCTION_CLASSES.items():
        rules[symbol] = _zipf(lexicon["function"][name].split())
    return rules


def _topic_rules(topic, words):
    rules = {}
    for role in ROLES:
        nouns = words[f"{role}s"].split()
        rules[f"Noun[{topic},{role},singular]"] = _zipf(nouns)
        rules[f"Noun[{topic},{role},plural]"] = _zipf(map(inflection.plural, nouns))
        rules[f"AnNoun[{topic},{role}]"] = _zipf(map(inflection.with_article, nouns))
    for kind in KINDS:
        for name, inflect in _FORMS.items():
            forms = map(inflect, words[kind].split())
            rules[f"Form[{topic},{kind},{name}]"] = _zipf(forms)
    del rules[f"Form[{topic},intransitive,participle]"]  # it has no passive
    places = (place.split() for place in words["places"].split(","))
    rules[f"Place[{topic}]"] = _zipf(
        f"{where} Determiner[place] {noun}" for where, noun in places
    )
    return rules


def _with_articles(symbol, adjectives):
    return {
        symbol: _zipf(adjectives),
        f"An{symbol}": _zipf(map(inflection.with_article, adjectives)),
    }


def _zipf(phrases: Iterable[str]) -> list[tuple[float, str]]:
    phrases = list(phrases)
    # Division rounds the same way everywhere; powers and `sum` do not.
    weights = [1 / (rank + 2) for rank in range(1, len(phrases) + 1)]
    total = math.fsum(weights)
    return [
        (weight / total, phrase)
        for weight, phrase in zip(weights, phrases, strict=True)
    ]
