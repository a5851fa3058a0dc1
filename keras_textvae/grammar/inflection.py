"""The forms of English nouns and verbs, by rule plus the listed exceptions.

The rules cover what spelling shows. What it does not show (irregular forms, the
stress that doubles the *t* of *submit*) is listed here; a new word of that kind
must be added to the list.
"""

import re

_PLURALS = {
    "bacterium": "bacteria",
    "child": "children",
    "hypothesis": "hypotheses",
    "midwife": "midwives",
    "mouse": "mice",
    "oasis": "oases",
    "phenomenon": "phenomena",
    "potato": "potatoes",
    "quiz": "quizzes",
    "thesis": "theses",
    "tomato": "tomatoes",
    "tornado": "tornadoes",
    "volcano": "volcanoes",
    "wolf": "wolves",
}

# lemma -> (past, past participle)
_PASTS = {
    "bite": ("bit", "bitten"),
    "catch": ("caught", "caught"),
    "drive": ("drove", "driven"),
    "eat": ("ate", "eaten"),
    "find": ("found", "found"),
    "flee": ("fled", "fled"),
    "foresee": ("foresaw", "foreseen"),
    "forget": ("forgot", "forgotten"),
    "freeze": ("froze", "frozen"),
    "hide": ("hid", "hidden"),
    "leave": ("left", "left"),
    "lose": ("lost", "lost"),
    "overeat": ("overate", "overeaten"),
    "see": ("saw", "seen"),
    "sing": ("sang", "sung"),
    "sleep": ("slept", "slept"),
    "swim": ("swam", "swum"),
    "teach": ("taught", "taught"),
    "understand": ("understood", "understood"),
    "win": ("won", "won"),
    "withstand": ("withstood", "withstood"),
    "write": ("wrote", "written"),
}

_STRESSED_LAST = frozenset({"forget", "submit"})
_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_CONSONANT_Y = re.compile(r".*[^aeiou]y")
_HISSING = ("s", "x", "z", "ch", "sh")
_VOWEL_SOUND = re.compile(r"(?!uni|use|usu|eu|one)[aeiou]|hon|hour|heir")


def plural(noun: str) -> str:
    """The plural of a singular noun: ``plural("city") == "cities"``."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("man"):
        return noun[:-3] + "men"
    return _with_s(noun)


def third_person(verb: str) -> str:
    """The form after *she*, present: ``third_person("study") == "studies"``."""
    return verb + "es" if verb.endswith("o") else _with_s(verb)


def past(verb: str) -> str:
    """The past form: ``past("chop") == "chopped"``."""
    return _PASTS[verb][0] if verb in _PASTS else _with_ed(verb)


def participle(verb: str) -> str:
    """The form after *was* in the passive: ``participle("eat") == "eaten"``."""
    return _PASTS[verb][1] if verb in _PASTS else _with_ed(verb)


def gerund(verb: str) -> str:
    """The form in *-ing*: ``gerund("bake") == "baking"``."""
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def with_article(phrase: str) -> str:
    """The phrase after *a* or *an*: ``with_article("apple") == "an apple"``."""
    return ("an " if _VOWEL_SOUND.match(phrase) else "a ") + phrase


def _with_s(word: str) -> str:
    if _CONSONANT_Y.fullmatch(word):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(_HISSING) else "s")


def _with_ed(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    if _CONSONANT_Y.fullmatch(verb):
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def _doubled(verb: str) -> str:
    if verb in _STRESSED_LAST or _SHORT.fullmatch(verb):
        return verb + verb[-1]
    return verb
