import pytest

from keras_textvae.grammar import inflection


@pytest.mark.parametrize(
    ("inflect", "forms"),
    [
        (
            inflection.plural,
            "dog:dogs box:boxes city:cities boy:boys child:children wolf:wolves "
            "witch:witches chairman:chairmen quiz:quizzes tango:tangos tomato:tomatoes",
        ),
        (
            inflection.third_person,
            "study:studies play:plays watch:watches go:goes miss:misses taste:tastes",
        ),
        (
            inflection.past,
            "study:studied play:played chop:chopped cook:cooked taste:tasted "
            "submit:submitted visit:visited eat:ate chew:chewed hum:hummed",
        ),
        (inflection.participle, "eat:eaten write:written chop:chopped teach:taught"),
        (
            inflection.gerund,
            "bake:baking see:seeing chop:chopping study:studying forget:forgetting "
            "visit:visiting pray:praying",
        ),
    ],
)
def test_words_are_inflected_correctly(inflect, forms):
    for pair in forms.split():
        lemma, form = pair.split(":")
        assert inflect(lemma) == form
