"""How the built-in English sentences are put together.

Letters that stand for features in the names of symbols:

t    topic
s    sentiment
z    tense of the main clause
n    number of a noun phrase, and of its verb
o    role of a noun: agent or thing
k    kind of a verb: transitive or intransitive
r    tense of a relative clause: past under a past main clause, else present
"""

import itertools
import string
from collections.abc import Collection, Mapping

ROLES = ("agent", "thing")
KINDS = ("transitive", "intransitive")

# A left side stands for one symbol for each combination of its features.
_SCHEMATA = {
    # When it happened agrees with the tense.
    "Sentence[{t},{s},{z},{n}]": (
        (0.60, "Clause[{t},{s},{z},{n}] ."),
        (0.26, "Clause[{t},{s},{z},{n}] When[{z}] ."),
        (0.14, "When[{z}] Clause[{t},{s},{z},{n}] ."),
    ),
    # Every alternative holds a word of the sentiment: a quality or a manner.
    "Clause[{t},{s},{z},{n}]": (
        (0.18, "Judged[{t},agent,{s},{n}] Deeds[{t},{z},{n}] Where[{t}]"),
        (
            0.20,
            "Plain[{t},agent,{n},{r}] Verb[{t},transitive,{z},{n}] "
            "JudgedAny[{t},thing,{s}] Where[{t}]",
        ),
        (
            0.10,
            "Judged[{t},agent,{s},{n}] Verb[{t},transitive,{z},{n}] "
            "JudgedAny[{t},thing,{s}] Where[{t}]",
        ),
        (0.14, "Plain[{t},agent,{n},{r}] Deeds[{t},{z},{n}] Manner[{s}] Where[{t}]"),
        (
            0.10,
            "Plain[{t},agent,{n},{r}] Verb[{t},intransitive,{z},{n}] "
            "Manner[{s}] Where[{t}]",
        ),
        (
            0.06,
            "Judged[{t},agent,{s},{n}] Verb[{t},intransitive,{z},{n}] Where[{t}]",
        ),
        (
            0.06,
            "Plain[{t},agent,{n},{r}] Copula[{z},{n}] Degree Quality[agent,{s}] "
            "Where[{t}]",
        ),
        (0.09, "Plain[{t},thing,{n},{r}] Copula[{z},{n}] Degree Quality[thing,{s}]"),
        (
            0.07,
            "Plain[{t},thing,{n},{r}] Be[{z},{n}] Form[{t},transitive,participle] "
            "by JudgedAny[{t},agent,{s}] Where[{t}]",
        ),
    ),
    "Deeds[{t},{z},{n}]": (
        (0.9, "Deed[{t},{z},{n}]"),
        (0.1, "Deed[{t},{z},{n}] and Deeds[{t},{z},{n}]"),
    ),
    "Deed[{t},{z},{n}]": (
        (0.6, "Verb[{t},transitive,{z},{n}] Plain[{t},thing,singular,{r}]"),
        (0.4, "Verb[{t},transitive,{z},{n}] Plain[{t},thing,plural,{r}]"),
    ),
    # Noun phrases that judge ...
    "JudgedAny[{t},{o},{s}]": (
        (0.6, "Judged[{t},{o},{s},singular]"),
        (0.4, "Judged[{t},{o},{s},plural]"),
    ),
    "Judged[{t},{o},{s},singular]": (
        (0.7, "Determiner[singular] Quality[{o},{s}] Noun[{t},{o},singular]"),
        (0.3, "AnQuality[{o},{s}] Noun[{t},{o},singular]"),
    ),
    "Judged[{t},{o},{s},plural]": (
        (0.8, "Determiner[plural] Quality[{o},{s}] Noun[{t},{o},plural]"),
        (0.2, "Quality[{o},{s}] Noun[{t},{o},plural]"),
    ),
    # ... and noun phrases that do not.
    "Plain[{t},{o},{n},{r}]": (
        (0.9, "Group[{t},{o},{n}]"),
        (0.1, "Group[{t},{o},{n}] Relative[{t},{o},{n},{r}]"),
    ),
    "Group[{t},{o},singular]": (
        (0.42, "Determiner[singular] Noun[{t},{o},singular]"),
        (0.22, "AnNoun[{t},{o}]"),
        (0.24, "Determiner[singular] Trait[{o}] Noun[{t},{o},singular]"),
        (0.12, "AnTrait[{o}] Noun[{t},{o},singular]"),
    ),
    "Group[{t},{o},plural]": (
        (0.46, "Determiner[plural] Noun[{t},{o},plural]"),
        (0.14, "Noun[{t},{o},plural]"),
        (0.22, "Determiner[plural] Trait[{o}] Noun[{t},{o},plural]"),
        (0.08, "Trait[{o}] Noun[{t},{o},plural]"),
        (0.10, "the Noun[{t},{o},singular] and the Noun[{t},{o},singular]"),
    ),
    # The verb of a relative clause agrees with the noun it belongs to.
    "Relative[{t},agent,{n},{r}]": (
        (0.6, "who Verb[{t},transitive,{r},{n}] Plain[{t},thing,singular,{r}]"),
        (0.4, "who Verb[{t},transitive,{r},{n}] Plain[{t},thing,plural,{r}]"),
    ),
    "Relative[{t},thing,{n},{r}]": (
        (0.6, "that Plain[{t},agent,singular,{r}] Verb[{t},transitive,{r},singular]"),
        (0.4, "that Plain[{t},agent,plural,{r}] Verb[{t},transitive,{r},plural]"),
    ),
    "Verb[{t},{k},present,singular]": (
        (0.75, "Form[{t},{k},third]"),
        (0.25, "is Form[{t},{k},gerund]"),
    ),
    "Verb[{t},{k},present,plural]": (
        (0.75, "Form[{t},{k},plain]"),
        (0.25, "are Form[{t},{k},gerund]"),
    ),
    "Verb[{t},{k},past,singular]": (
        (0.8, "Form[{t},{k},past]"),
        (0.2, "was Form[{t},{k},gerund]"),
    ),
    "Verb[{t},{k},past,plural]": (
        (0.8, "Form[{t},{k},past]"),
        (0.2, "were Form[{t},{k},gerund]"),
    ),
    "Verb[{t},{k},future,singular]": (
        (0.8, "will Form[{t},{k},plain]"),
        (0.2, "is going to Form[{t},{k},plain]"),
    ),
    "Verb[{t},{k},future,plural]": (
        (0.8, "will Form[{t},{k},plain]"),
        (0.2, "are going to Form[{t},{k},plain]"),
    ),
    "Copula[past,{n}]": (
        (0.7, "Be[past,{n}]"),
        (0.2, "seemed"),
        (0.1, "looked"),
    ),
    "Copula[present,singular]": (
        (0.7, "Be[present,singular]"),
        (0.2, "seems"),
        (0.1, "looks"),
    ),
    "Copula[present,plural]": (
        (0.7, "Be[present,plural]"),
        (0.2, "seem"),
        (0.1, "look"),
    ),
    "Copula[future,{n}]": (
        (0.8, "Be[future,{n}]"),
        (0.2, "will seem"),
    ),
    "Be[past,singular]": ((1.0, "was"),),
    "Be[past,plural]": ((1.0, "were"),),
    "Be[present,singular]": ((1.0, "is"),),
    "Be[present,plural]": ((1.0, "are"),),
    "Be[future,{n}]": ((1.0, "will be"),),
    "Degree": ((0.45, ""), (0.55, "Intensifier")),
    "Where[{t}]": ((0.7, ""), (0.3, "Place[{t}]")),
    "When[past]": (
        (0.3, "Moment[past]"),
        (0.5, "last Period"),
        (0.2, "Count Span ago"),
    ),
    "When[present]": (
        (0.4, "Moment[present]"),
        (0.4, "every Period"),
        (0.2, "on Weekdays"),
    ),
    "When[future]": (
        (0.3, "Moment[future]"),
        (0.5, "next Period"),
        (0.2, "in Count Span"),
    ),
    "Determiner[singular]": ((0.55, "the"), (0.45, "Other[singular]")),
    "Determiner[plural]": ((0.5, "the"), (0.5, "Other[plural]")),
}


def expand(
    features: Mapping[str, Collection[str]],
) -> dict[str, list[tuple[float, str]]]:
    """Writes the schemata out.

    Args:
        features: letter -> its values, for `t`, `s`, `z` and `n`.

    Returns:
        symbol -> its alternatives, with every feature in place.
    """
    features = {"o": ROLES, "k": KINDS, "r": ("past", "present"), **features}
    rules = {}
    for left, alternatives in _SCHEMATA.items():
        letters = [name for _, name, _, _ in string.Formatter().parse(left) if name]
        for values in itertools.product(*(features[letter] for letter in letters)):
            binding = dict(zip(letters, values, strict=True))
            if "z" in binding:
                binding["r"] = "past" if binding["z"] == "past" else "present"
            rules[left.format(**binding)] = [
                (p, right.format(**binding)) for p, right in alternatives
            ]
    return rules
