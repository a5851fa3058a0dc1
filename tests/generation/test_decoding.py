"""The decoding loop, with decoders that spell and with a real one.

B: batch size. V: vocabulary size. L: ids to generate.
"""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_textvae import samplers
from keras_textvae.decoders import HybridDecoder, LSTMDecoder
from keras_textvae.generation import generate
from keras_textvae.tokens import BOS, EOS, FIRST_WORD, PAD, UNK

LETTERS = "abcdefghijklmnopqrstuvwxyz"
V = FIRST_WORD + len(LETTERS)
D = 3


class Speller:
    """Writes the word that z's first number chooses, then <eos>, then rubbish."""

    vocabulary_size = V

    def __init__(self, *words, after=EOS):
        width = max(map(len, words)) + 20
        self.ids = np.full((len(words), width), after, "int32")
        for row, word in zip(self.ids, words, strict=True):
            row[: len(word)] = [FIRST_WORD + LETTERS.index(letter) for letter in word]
            row[len(word) + 1 :: 2] = FIRST_WORD
        self.steps = 0

    def initial_state(self, z):
        return ops.cast(z[:, 0], "int32"), ops.zeros((), "int32")

    def step(self, ids, features, state):
        self.steps += 1
        target = ops.take(ops.take(self.ids, features, axis=0), state, axis=1)
        return 10.0 * ops.one_hot(target, V), state + 1


class Stubborn:
    """Likes the special ids best, then `a`, then `b`."""

    vocabulary_size = V

    def initial_state(self, z):
        return ops.zeros_like(z[:, :1]), ()

    def step(self, ids, features, state):
        liking = np.zeros(V, "float32")
        liking[[PAD, BOS, UNK, EOS, FIRST_WORD, FIRST_WORD + 1]] = [9, 8, 7, 6, 5, 4]
        return features + liking, state


class Broken:
    """Gives logits that are all the same: the number that z begins with."""

    vocabulary_size = V

    def initial_state(self, z):
        return z[:, :1], ()

    def step(self, ids, features, state):
        return features + np.zeros(V, "float32"), state


def choose(*words):
    return np.array(words, "float32")[:, None]


def spelled(ids):
    names = {PAD: "_", BOS: "<", EOS: ".", UNK: "?"}
    ids = np.asarray(ids)
    return [
        "".join(names.get(int(i)) or LETTERS[i - FIRST_WORD] for i in row)
        for row in ids
    ]


def latents(rows, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, D)).astype("float32")


def noise_of(rows, length, seed=1):
    return 1.0 - np.random.default_rng(seed).random((rows, length), dtype="float32")


@pytest.fixture(scope="module")
def decoder():
    """An LSTM whose words differ from row to row, and which ends now and then."""
    decoder = LSTMDecoder(V, 4, 6, z_every_step=True)
    decoder.build((None, None), (None, D))
    rng = np.random.default_rng(2)
    for weight in decoder.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    bias = decoder.logits.projection.bias
    bias.assign(np.where(np.arange(V) == EOS, 2.0, bias))
    return decoder


def test_spells_a_word_and_stops():
    decoder = Speller("sequentially")
    assert spelled(generate(decoder, choose(0), 16)) == ["sequentially.___"]


def test_each_row_ends_by_itself():
    ids = generate(Speller("sequentially", "a", ""), choose(1, 0, 2, 1), 14)
    assert spelled(ids) == [
        "a.____________",
        "sequentially._",
        "._____________",
        "a.____________",
    ]


def test_stops_as_soon_as_every_row_has_ended():
    decoder = Speller("sequentially", "abc")
    generate(decoder, choose(1, 1), 14)
    assert decoder.steps == 4
    generate(decoder, choose(0, 1), 14)
    assert decoder.steps == 4 + 13


@pytest.mark.parametrize("length", [1, 5])
def test_a_long_word_is_cut_at_the_length_without_an_end(length):
    decoder = Speller("sequentially")
    assert spelled(generate(decoder, choose(0), length)) == ["sequentially"[:length]]
    assert decoder.steps == length


@pytest.mark.parametrize(
    ("forbidden", "expected"),
    [((UNK,), ".____"), ((), "?????"), ((UNK, EOS), "aaaaa")],
)
def test_padding_and_beginning_are_never_emitted_and_unknown_only_if_asked(
    forbidden, expected
):
    ids = generate(Stubborn(), latents(2), 5, forbidden=forbidden)
    assert spelled(ids) == [expected] * 2


def test_unlikely_noise_emits_nothing_forbidden():
    noise = np.array([[1.0], [1.0 - 2**-24], [0.5], [2e-38], [1e-40]], "float32")
    noise = np.repeat(noise, 6, axis=1)
    for forbidden in ((UNK,), (UNK, EOS)):
        ids = generate(
            Stubborn(), latents(5), 6, samplers.categorical(5.0), noise, forbidden
        )
        before_end = np.cumsum(np.asarray(ids) == EOS, axis=1) == 0
        assert not np.isin(np.asarray(ids)[before_end], [PAD, BOS, *forbidden]).any()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("logit", [np.nan, -np.inf])
def test_a_row_without_numbers_ends_or_emits_what_is_allowed(logit, temperature):
    z, noise = choose(logit, logit), noise_of(2, 4)
    sampler = samplers.categorical(temperature)
    ids = generate(Broken(), z, 4, sampler, noise)
    assert spelled(ids) == [".___"] * 2
    ids = generate(Broken(), z, 4, sampler, noise, (UNK, EOS))
    assert spelled(ids) == ["aaaa"] * 2


def test_each_step_uses_its_own_column_of_noise():
    sampler = samplers.categorical(5.0)
    noise = noise_of(1, 6)
    ids = np.asarray(generate(Stubborn(), latents(1), 6, sampler, noise, (UNK, EOS)))
    logits, _ = Stubborn().step(None, np.zeros((1, 1), "float32"), ())
    logits = np.array(logits)
    logits[:, [PAD, BOS, UNK, EOS]] = -np.inf
    expected = [int(sampler(logits, noise[:, t])[0]) for t in range(6)]
    assert ids[0].tolist() == expected
    assert len(set(expected)) > 2


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_equals_its_rows_one_at_a_time(decoder, temperature):
    z, noise = latents(8), noise_of(8, 12)
    sampler = samplers.categorical(temperature)
    together = generate(decoder, z, 12, sampler, noise)
    assert len(set(spelled(together))) > 4
    assert len({text.count("_") for text in spelled(together)}) > 1
    for k in range(8):
        alone = generate(decoder, z[k : k + 1], 12, sampler, noise[k : k + 1])
        np.testing.assert_array_equal(alone[0], together[k])


def test_greedy_ids_are_the_arg_max_under_teacher_forcing(decoder):
    z = latents(6)
    ids = np.asarray(generate(decoder, z, 10))
    history = np.concatenate([np.full((6, 1), BOS), ids[:, :-1]], axis=1)
    logits = np.array(decoder(history.astype("int32"), z))
    logits[..., [PAD, BOS, UNK]] = -np.inf
    expected = np.where(ids == PAD, PAD, logits.argmax(-1))
    np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize("kind", ["lstm", "hybrid"])
def test_unknown_rows_in_a_graph(decoder, kind):
    if kind == "hybrid":
        decoder = HybridDecoder(V, 8, 5, (2, 3), 4)
        decoder.build((None, None), (None, D))
    specs = [tf.TensorSpec([None, D]), tf.TensorSpec([None, 8])]

    @tf.function(input_signature=specs)
    def graph(z, noise):
        sampler = samplers.categorical(1.0, top_k=10)
        return generate(decoder, z, 8, sampler, noise)

    for rows in (1, 5):
        z, noise = latents(rows), noise_of(rows, 8)
        sampler = samplers.categorical(1.0, top_k=10)
        expected = generate(decoder, z, 8, sampler, noise)
        np.testing.assert_array_equal(graph(z, noise), expected)
    assert graph(latents(0), noise_of(0, 8)).shape == (0, 8)


def test_a_decoder_longer_than_asked_is_cut():
    decoder = HybridDecoder(V, 8, 5, (2, 3), 4)
    decoder.build((None, None), (None, D))
    z = latents(2)
    whole = generate(decoder, z, 8, forbidden=(UNK, EOS))
    part = generate(decoder, z, 5, forbidden=(UNK, EOS))
    np.testing.assert_array_equal(part, whole[:, :5])


def test_more_ids_than_the_decoder_has_are_refused():
    decoder = HybridDecoder(V, 8, 5, (2, 3), 4)
    decoder.build((None, None), (None, D))
    message = "at most 8, the decoder's length. Received: length=9"
    with pytest.raises(ValueError, match=message):
        generate(decoder, latents(1), 9)


def test_more_ids_than_there_is_noise_for_are_refused(decoder):
    message = "at most 3, the noise. Received: length=4"
    with pytest.raises(ValueError, match=message):
        generate(decoder, latents(1), 4, samplers.categorical(), noise_of(1, 3))


def test_drawing_without_noise_is_refused(decoder):
    with pytest.raises(ValueError, match="needs `noise`"):
        generate(decoder, latents(1), 4, samplers.categorical())
