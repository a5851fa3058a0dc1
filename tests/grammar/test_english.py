import hashlib
import itertools
import math
import re
import statistics

import pytest

from keras_textvae.grammar import SPLITS, english, generate, labels_of
from keras_textvae.grammar.english import build
from keras_textvae.grammar.lexicon import read_lexicon


@pytest.fixture(scope="module")
def examples():
    return list(itertools.chain.from_iterable(generate(2000, 7, s) for s in SPLITS))


def test_english_has_the_published_size_and_entropy():
    assert len(english().vocabulary) == 2980
    assert english().entropy() == pytest.approx(30.20172453575, abs=1e-9)
    assert 9 <= english().expected_length() <= 10


def test_english_sentences_have_one_derivation(examples):
    for example in examples[:2500]:
        exact = english().log_prob(example.text.split())
        assert exact == pytest.approx(example.log_prob, abs=1e-9)


def first_words(lexicon):
    """The lexicon with one word in each class."""
    if isinstance(lexicon, str):
        return lexicon.split("," if "," in lexicon else None)[0]
    return {name: first_words(part) for name, part in lexicon.items()}


def test_english_structures_are_unambiguous():
    lexicon = read_lexicon()
    lexicon["topics"] = {"food": lexicon["topics"]["food"]}
    grammar = build(first_words(lexicon))
    likeliest = list(itertools.islice(grammar.enumerate(), 30_000))
    assert len({words for words, _ in likeliest}) == len(likeliest)
    assert sum(probability for _, probability in likeliest) > 0.7


def test_mean_negative_log_prob_is_the_entropy(examples):
    surprise = [-example.log_prob for example in examples]
    error = statistics.stdev(surprise) / math.sqrt(len(surprise))
    assert abs(statistics.fmean(surprise) - english().entropy()) < 3 * error


def test_labels_can_be_read_off_the_sentence(examples):
    for example in examples[:500]:
        assert labels_of(example.text.split()) == example.labels


def test_labels_are_drawn_with_their_probabilities(examples):
    count = len(examples)
    for field, p in [
        ("food", 0.1),
        ("weather", 0.1),
        ("negative", 1 / 3),
        ("neutral", 1 / 3),
        ("past", 0.45),
        ("future", 0.2),
        ("plural", 0.4),
    ]:
        share = sum(field in example.labels for example in examples) / count
        assert share == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / count))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("the chef tastes the soup happily .", "the chef taste the soup happily ."),
        ("the chefs taste the soup happily .", "the chefs tastes the soup happily ."),
        ("an old chef was very happy .", "a old chef was very happy ."),
        ("the soups were terrible .", "the soups was terrible ."),
        ("yesterday the chef dined badly .", "tomorrow the chef dined badly ."),
        ("the chef will dine badly soon .", "the chef will dined badly soon ."),
        ("the soup is eaten by a happy guest .", "the soup is ate by a happy guest ."),
        (
            "the chefs who eat the soup dine badly .",
            "the chefs who eats the soup dine badly .",
        ),
        ("the chef dined badly .", "the chef dined ."),
        ("the chef dined badly .", "the chef dined badly"),
        ("the dog barked badly .", "the dog dined badly ."),
        ("the happy chef dined .", "the happy chef dined badly ."),
    ],
)
def test_agreement_decides_what_is_english(right, wrong):
    assert english().log_prob(right.split()) > -math.inf
    assert english().log_prob(wrong.split()) == -math.inf
    assert labels_of(wrong.split()) is None


def test_subject_verb_and_time_agree_in_samples(examples):
    checked = 0
    for text, labels, _ in examples:
        words = set(text.split())
        if words & {"who", "that"}:  # a relative clause has a verb of its own
            continue
        checked += 1
        assert bool(words & {"was", "were"}) <= (labels.tense == "past")
        assert bool(words & {"will", "going"}) == (labels.tense == "future")
        assert bool(words & {"yesterday", "last", "ago"}) <= (labels.tense == "past")
        assert bool(words & {"tomorrow", "next"}) <= (labels.tense == "future")
        assert bool(words & {"is", "was", "seems"}) <= (labels.number == "singular")
        assert bool(words & {"are", "were"}) <= (labels.number == "plural")
    assert checked > 3000


def test_topic_and_sentiment_words_occur_nowhere_else(examples):
    lexicon = read_lexicon()
    topic_of = {
        word: topic
        for topic, words in lexicon["topics"].items()
        for word in (words["agents"] + words["things"]).split()
    }
    sentiment_of = {
        word: sentiment
        for classes in [*lexicon["quality"].values(), lexicon["manner"]]
        for sentiment, words in classes.items()
        for word in words.split()
    }
    for text, labels, _ in examples:
        assert {topic_of.get(w, labels.topic) for w in text.split()} == {labels.topic}
        sentiments = {sentiment_of[w] for w in text.split() if w in sentiment_of}
        assert sentiments == {labels.sentiment}


def test_every_content_word_has_one_reading():
    readings = {}
    for symbol, rules in english().rules.items():
        name = symbol.replace("participle", "past")
        if re.match(r"Noun|Form|Quality|Trait|Manner|Place|Intensifier|Moment", name):
            for rule in rules:
                word = rule.right[-1]
                assert readings.setdefault(word, name) == name, word
    assert len(readings) > 2500


def test_articles_agree_with_the_next_sound(examples):
    pairs = {
        pair
        for example in examples
        for pair in itertools.pairwise(example.text.split())
        if pair[0] in ("a", "an")
    }
    exceptions = {"usual", "useless", "honest"}
    assert len(pairs) > 500
    for article, word in pairs:
        vowel = (word[0] in "aeiou") != (word in exceptions)
        assert article == ("an" if vowel else "a"), word


def test_sentences_are_plain_lower_case_text(examples):
    for text, _, _ in examples:
        assert re.fullmatch(r"[a-z]+( [a-z]+)+ \.", text)
    seen = {word for example in examples for word in example.text.split()}
    assert seen <= english().vocabulary


def test_a_seed_gives_the_same_corpus_everywhere():
    first = next(generate(1, 0)).text
    assert first == "friendly bakers tasted the previous tomatoes at our restaurant ."
    lines = "".join(example.text + "\n" for example in generate(1000, 0))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    assert digest[:16] == "1e58798de164074e"


def test_a_larger_count_continues_a_smaller_one():
    assert list(generate(5, 1)) == list(itertools.islice(generate(50, 1), 5))


def test_splits_and_seeds_differ():
    drawn = [
        tuple(example.text for example in generate(50, seed, split))
        for seed in (0, 1)
        for split in SPLITS
    ]
    assert len(set(itertools.chain.from_iterable(drawn))) > 0.99 * 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 0, "train"), "`count` must not be negative. Received: count=-1"),
        ((1, -3, "train"), "`seed` must not be negative. Received: seed=-3"),
        ((1, 0, "dev"), "`split` must be one of .* Received: split='dev'"),
    ],
)
def test_generate_rejects_wrong_arguments_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate(*arguments)
