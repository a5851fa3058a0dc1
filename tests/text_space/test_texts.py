"""The methods of a text space against each other and against the model itself.

B: texts. D: latent size.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_textvae import GaussianMixture, paths, transfer, zoo
from keras_textvae.evaluation import posterior_samples
from keras_textvae.text_space import TextSpace
from keras_textvae.text_space.signatures import MAX_ROWS
from keras_textvae.tokenizers import Codec, WordTokenizer
from keras_textvae.tokens import BOS, EOS, PAD
from tests.text_space.conftest import DENSITY, stirred

TEXTS = ["the cat sees a dog", "old dog", "a big cat likes"]
CHARACTERS = ["abcabc", "edc ba", "b\nd  e"]


@pytest.fixture
def texts(space):
    return CHARACTERS if space.codec.form == "crop" else TEXTS


def normal(seed, size=3):  # [D]
    return tf.random.stateless_normal([size], [seed, 0]).numpy()


def test_a_seed_draws_the_same_texts_again(space):
    texts = space.sample(8, seed=5)
    assert space.sample(8, seed=5) == texts
    assert len(set(texts)) > 1


def test_a_text_depends_on_its_own_seed_alone(space):
    texts = space.sample(8, seed=5)
    assert space.sample(3, seed=5) == texts[:3]
    assert space.sample(1, seed=9) == texts[4:5]


@pytest.mark.usefixtures("eagerly")
def test_any_number_of_texts_is_taken(words):
    # The last requests have three rows, or seven.
    assert words.sample(MAX_ROWS + 3, seed=5)[-8:] == words.sample(8, seed=MAX_ROWS)
    rows = (TEXTS * MAX_ROWS)[: MAX_ROWS + 3]
    ends = (0, MAX_ROWS - 1)  # multiples of three
    for method in (words.encode, words.score):
        for found, expected in zip(method(rows), method(TEXTS), strict=True):
            assert len(found) == len(rows)
            for at in ends:
                part = found[at : at + 3]
                np.testing.assert_allclose(part, expected, rtol=1e-5, atol=1e-6)
    expected = (words.reconstruct(TEXTS) * MAX_ROWS)[: MAX_ROWS + 3]
    assert words.reconstruct(rows) == expected
    assert words.decode(words.encode(rows).mean) == expected
    hidden = ["the _ sees", "_ dog", "a _"]
    found = words.impute(hidden * 45, width=2, steps=1)
    assert found == words.impute(hidden, width=2, steps=1) * 45


def test_options_of_sampling_change_texts(words):
    texts = words.sample(20)
    assert words.sample(20, temperature=3.0) != texts
    assert words.sample(20, top_k=2) != texts
    assert words.sample(20, top_p=0.3) != texts


@pytest.mark.parametrize(
    "greedy", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 1e-6}]
)
def test_sampling_without_choice_decodes_draws_from_the_prior(space, greedy):
    z = np.stack([normal(seed) for seed in range(4, 10)])
    assert space.sample(6, seed=4, **greedy) == space.decode(z)


@pytest.mark.usefixtures("eagerly")
def test_samples_are_drawn_from_the_prior_or_from_the_density(words, fitted):
    """The noise of z is the same, and the component a seed's own."""
    texts = fitted.sample(8, seed=4, temperature=0.0)
    noise = np.stack([normal(seed) for seed in range(4, 12)])
    pairs = [[seed, 2] for seed in range(4, 12)]
    uniform = [tf.random.stateless_uniform([1], pair)[0].numpy() for pair in pairs]
    assert 0 < sum(u < 0.5 for u in uniform) < 8
    assert texts == words.decode(DENSITY.sample(noise, np.stack(uniform)))
    assert texts != words.decode(noise)
    assert fitted.sample(2, seed=9, temperature=0.0) == texts[5:7]
    assert fitted.sample(8, seed=4, fitted=True) == fitted.sample(8, seed=4)
    assert fitted.sample(8, seed=4, fitted=False) == words.sample(8, seed=4)
    plain = TextSpace(words.model, words.codec, DENSITY)
    assert plain.sample(8, seed=4) == words.sample(8, seed=4)
    assert plain.sample(8, seed=4, fitted=True) == fitted.sample(8, seed=4)


@pytest.mark.usefixtures("eagerly")
def test_a_density_is_that_of_draws_from_the_posteriors_of_texts(words):
    texts = TEXTS * 5
    space = words.with_density(iter(texts), components=2, seed=3, fitted=True)
    z = posterior_samples(words.model, words.ids(texts), 3)
    expected = GaussianMixture.fit(z, 2, 3)
    for name, part in vars(expected).items():
        np.testing.assert_array_equal(vars(space.density)[name], part)
    assert space.fitted and not words.with_density(texts).fitted
    means = words.encode(texts).mean
    of_means = words.with_density(texts, noise=0.0).density
    np.testing.assert_allclose(of_means.means[0], np.mean(means, axis=0), 1e-4, 1e-6)
    assert np.all(np.diag(of_means.factors[0]) < np.diag(space.density.factors[0]))
    assert space.sample(3) == space.sample(3, fitted=True)


@pytest.mark.usefixtures("eagerly")
def test_a_density_that_is_not_there_or_cannot_be_is_told_in_one_line(words):
    with pytest.raises(ValueError, match="sample: there is no density yet"):
        words.sample(fitted=True)
    with pytest.raises(ValueError, match="`fitted` must be of type bool. Received: 2"):
        TextSpace(words.model, words.codec, DENSITY).sample(fitted=2)
    with pytest.raises(ValueError, match="Received: 3 points, 3 dimensions"):
        words.with_density(TEXTS)
    model = zoo.rnnlm(words.codec.vocabulary_size, 5, 8)
    with pytest.raises(ValueError, match="with_density: this LanguageModel draws no"):
        TextSpace(model, words.codec).with_density(TEXTS)
    with pytest.raises(ValueError, match="model's z. Received: 3 and 0 dimensions"):
        TextSpace(model, words.codec, DENSITY)
    with pytest.raises(ValueError, match="with_density: this TextClassifier draws no"):
        transfer.classifier(words, ["a", "b"]).with_density(TEXTS)


def test_texts_are_words_of_the_vocabulary(words):
    known = set(words.codec.tokenizer.tokens[4:])
    for text in words.sample(50, temperature=5.0):
        assert set(text.split()) <= known
        assert len(text.split()) <= words.codec.length


def test_crops_have_exactly_their_length(crops):
    texts = crops.sample(20) + crops.reconstruct(["", "a", "abcdeabcde"])
    assert [len(text) for text in texts] == [crops.codec.length] * 23


def test_a_crop_is_cut_or_filled_with_blanks(crops):
    given = crops.encode(["abcde abcde", "ab"])
    same = crops.encode(["abcde ", "ab    "])
    np.testing.assert_array_equal(given.mean, same.mean)


@pytest.mark.parametrize("tweet", ["", "\U0001f600", b"\xf0\x9f", b"a\xff"])
def test_every_tweet_has_a_score_and_a_reconstruction_in_utf8(tweets, tweet):
    assert np.isfinite(tweets.score([tweet]).bound)
    (text,) = tweets.reconstruct([tweet])
    assert len(text) <= tweets.codec.length


def test_a_tweet_longer_than_the_model_s_limit_is_refused(tweets):
    message = "reconstruct: a text has more than 5 bytes"
    with pytest.raises(ValueError, match=message):
        tweets.reconstruct(["abcde", "\U0001f600\U0001f600"])


def test_decoding_the_encoded_means_reconstructs(space, texts):
    assert space.decode(space.encode(texts).mean) == space.reconstruct(texts)


def test_a_path_leads_from_one_reconstruction_to_the_other(space, texts):
    path = space.interpolate(texts[0], texts[1], steps=5)
    assert [path[0], path[-1]] == space.reconstruct(texts[:2])
    start, end = space.encode(texts[:2]).mean
    line = [start + share * (end - start) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert path == space.decode(np.stack(line))


def test_a_spherical_path_is_the_arc_between_the_codes(space, texts):
    path = space.interpolate(texts[0], texts[1], steps=5, spherical=True)
    share = np.linspace(0.0, 1.0, 5, dtype="float32")[:, None]
    arc = paths.arc(*space.encode(texts[:2]).mean, share)
    assert path == space.decode(np.asarray(arc))


def test_encodings_are_the_posteriors_of_the_model(words):
    ids = words.codec.tokenizer.encode(TEXTS)
    mean, log_var = words.model.posterior.parameters(words.model.encoder(ids))
    found = words.encode(TEXTS)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.log_var, log_var, rtol=1e-5, atol=1e-6)
    kl = 0.5 * np.sum(
        np.exp(found.log_var) + found.mean**2 - 1 - found.log_var, axis=-1
    )
    np.testing.assert_allclose(found.kl, kl, rtol=1e-5)


def test_a_score_is_a_bound_and_its_parts(space, texts):
    score = space.score(texts, seed=3)
    np.testing.assert_array_equal(score.bound, score.reconstruction + score.kl)
    np.testing.assert_allclose(score.kl, space.encode(texts).kl, rtol=1e-6)
    alone = [space.score([text], seed=3).bound[0] for text in texts]
    np.testing.assert_allclose(score.bound, alone, rtol=1e-5)
    assert not np.array_equal(space.score(texts, seed=4).bound, score.bound)


def test_a_score_s_reconstruction_is_that_of_the_decoder(words):
    encoding = words.encode(TEXTS)
    z = encoding.mean + np.exp(encoding.log_var / 2) * normal(seed=7)
    ids = words.codec.tokenizer.encode(TEXTS).numpy()
    logits = words.model.decoder(ids[:, :-1], z)
    log_probs = keras.ops.convert_to_numpy(keras.ops.log_softmax(logits))
    picked = np.take_along_axis(log_probs, ids[:, 1:, None], axis=-1)[:, :, 0]
    expected = -np.sum(picked, axis=-1, where=ids[:, 1:] != PAD)
    found = words.score(TEXTS, seed=7).reconstruction
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_words_that_are_unknown_are_counted(words):
    texts = ["the cat sees a dog", "xyzzy the <unk> cat Dog", "", "_ <eos>"]
    for counted in (words.encode(texts), words.score(texts)):
        assert counted.unknown.dtype == np.int32
        assert counted.unknown.tolist() == [0, 3, 0, 2]


def test_a_byte_is_never_unknown(tweets):
    assert tweets.encode(["\U0001f600", "_"]).unknown.tolist() == [0, 0]


def test_crops_are_scored_without_an_end(crops):
    ids = crops.codec.ids(tf.constant(CHARACTERS)).numpy()
    assert ids.shape == (3, 1 + crops.codec.length)
    assert np.all(ids[:, 0] == BOS)
    assert not np.any(np.isin(ids, [PAD, EOS]))


@pytest.mark.parametrize("text", ["", "xyzzy plugh", "a\0b", "\u00e4\u4e2d\U0001f600"])
def test_any_short_text_is_taken(space, text):
    (reconstructed,) = space.reconstruct([text])
    assert isinstance(reconstructed, str)
    assert np.isfinite(space.score([text]).bound[0])


def test_texts_come_as_arrays_and_tensors_too(words):
    expected = words.encode(TEXTS).mean
    for texts in (tuple(TEXTS), np.array(TEXTS), tf.constant(TEXTS), iter(TEXTS)):
        np.testing.assert_array_equal(words.encode(texts).mean, expected)


@pytest.mark.usefixtures("eagerly")
def test_hidden_words_are_completed_and_the_others_stay(words):
    given = ["the _ sees a _", "_ dog", "xyzzy _ plugh"]
    completed = words.impute(given)
    for before, after in zip(given, completed, strict=True):
        pairs = [*zip(before.split(), after.split(), strict=True)]
        assert all(old in ("_", new) for old, new in pairs)
        assert "_" not in after
    assert words.impute(given[0]) == completed[0]
    assert words.impute(given, width=5, steps=3) == completed
    assert len(words.impute(given, width=1, steps=1)) == 3


@pytest.mark.usefixtures("eagerly")
def test_hidden_characters_of_a_crop_are_completed(crops):
    (completed,) = crops.impute(["a_\u4e2d__"])
    assert (completed[0], completed[2]) == ("a", "\u4e2d")
    assert len(completed) == crops.codec.length


@pytest.mark.usefixtures("eagerly")
def test_a_sentence_read_from_the_right_is_completed_in_reading_order(words):
    tokenizer = WordTokenizer(words.codec.tokenizer.tokens[4:], right_to_left=True)
    space = TextSpace(words.model, Codec(tokenizer, words.codec.length))
    (completed,) = space.impute(["the cat _"])
    assert completed.split()[:2] == ["the", "cat"]
    left_to_right = words.impute(["_ cat the"])[0].split()
    assert completed.split() == left_to_right[::-1]


@pytest.mark.usefixtures("eagerly")
def test_a_hidden_word_between_marks_is_completed_and_the_marks_stay_in_place(words):
    tokenizer = WordTokenizer("the a cat dog (￭ ￭) ￭, ￭.".split(), split="punctuation")
    space = TextSpace(words.model, Codec(tokenizer, words.codec.length))
    (completed,) = space.impute(["(_)! zebra"])
    assert completed.startswith("(") and completed.endswith(")! zebra")
    assert "_" not in completed and len(completed) > len("()! zebra")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the cat", r"impute: a text has no hidden word \(_\)"),
        ("_ _", "impute: a text has hidden words only"),
        ("the" + " _" * 6, "impute: a text has more than 5 words"),
    ],
)
def test_what_cannot_be_imputed_is_refused(words, text, message):
    with pytest.raises(ValueError, match=message):
        words.impute(["the _", text])


@pytest.mark.parametrize("name", ["width", "steps"])
def test_no_beam_and_no_step_are_refused(words, name):
    with pytest.raises(ValueError, match=f"{name}=0"):
        words.impute("the _", **{name: 0})


def test_more_beams_than_ids_are_refused(words):
    with pytest.raises(ValueError, match="Received: 99 beams, 12 ids"):
        words.impute("the _", width=99)


@pytest.mark.usefixtures("eagerly")
def test_a_language_model_samples_scores_and_imputes_but_has_no_space(words):
    model = zoo.rnnlm(words.codec.vocabulary_size, 5, 8)
    space = TextSpace(stirred(model), words.codec)
    assert len(space.sample(3)) == 3
    score = space.score(TEXTS)
    np.testing.assert_array_equal(score.kl, 0.0)
    np.testing.assert_array_equal(score.bound, score.reconstruction)
    assert space.impute("the _ dog").split()[::2] == ["the", "dog"]
    with pytest.raises(ValueError, match="interpolate: this LanguageModel has no such"):
        space.interpolate(*TEXTS[:2])
    with pytest.raises(ValueError, match="encode: this LanguageModel has no such"):
        space.encode(TEXTS)


def test_an_arc_has_the_ends_of_the_line_and_keeps_the_distance_from_the_origin():
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=(2, 1, 5)).astype("float32")
    last *= np.linalg.norm(first) / np.linalg.norm(last)
    shares = np.linspace(0.0, 1.0, 9, dtype="float32")[:, None]
    points = np.asarray(paths.arc(first, last, shares))
    np.testing.assert_allclose(points[[0, -1]], np.concatenate([first, last]), 1e-5)
    lengths = np.linalg.norm(points, axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(first), rtol=1e-5)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-4)


@pytest.mark.parametrize("scale", [1.0, -2.0, 0.0])
def test_the_arc_between_parallel_points_is_the_line(scale):
    first = np.array([[1.0, 2.0]], "float32")
    shares = np.array([[0.25], [0.75]], "float32")
    found = paths.arc(first, scale * first, shares)
    np.testing.assert_allclose(found, paths.line(first, scale * first, shares))


def test_an_offset_is_the_difference_of_two_means():
    first, last = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[5.0, 4.0]])
    np.testing.assert_allclose(paths.offset(first, last), [4.0, 2.0])
