"""Samplers draw what they say, from each row alone.

B: batch size. V: vocabulary size.
"""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_textvae import samplers

V = 8
# Just below 1, the smallest normal float, and a denormal one.
EXTREMES = [1.0, 1.0 - 2**-24, 0.5, 2e-38, 1e-40]


def random_logits(rows, seed=0, levels=None):
    """Normal logits; with `levels`, integers, so that ties abound."""
    rng = np.random.default_rng(seed)
    if levels:
        return rng.integers(0, levels, (rows, V)).astype("float32")
    return 2 * rng.normal(size=(rows, V)).astype("float32")


def uniform(rows, seed=0):
    return 1.0 - np.random.default_rng(seed).random(rows, dtype="float32")


def softmax(logits):
    weights = np.exp(logits.astype("float64") - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def kept_by_oracle(row, k, p):
    """The ids that remain, ties with the last one included."""
    by_rank = sorted(softmax(row), reverse=True)
    count, total = 0, 0.0
    while count < len(row) and (p >= 1 or total < p or count == 0):
        total += by_rank[count]
        count += 1
    count = min(count, k or len(row))
    return softmax(row) >= by_rank[count - 1] * (1 - 1e-12)


def kept(logits, k=0, p=1.0):
    return np.isfinite(samplers.truncate(ops.convert_to_tensor(logits), k, p))


def test_the_id_is_the_first_whose_cumulative_probability_reaches_the_noise():
    logits = np.log(np.array([[0.5, 0.25, 0.25]] * 6, "float32"))
    noise = np.array([1e-6, 0.49, 0.51, 0.74, 0.76, 1.0], "float32")
    np.testing.assert_array_equal(
        samplers.inverse_cdf(logits, noise), [0, 0, 1, 1, 2, 2]
    )


@pytest.mark.parametrize("size", [2, 3, 16, 17, 300])
def test_the_id_is_found_at_every_size_of_vocabulary(size):
    rng = np.random.default_rng(size)
    logits = rng.normal(size=(50, size)).astype("float32")
    logits[:, 1:][rng.random((50, size - 1)) < 0.3] = -np.inf
    ends = np.cumsum(softmax(logits), axis=-1)  # [50, V]
    expected = rng.integers(0, size, 50)
    expected = np.argmax(ends >= np.take_along_axis(ends, expected[:, None], 1), 1)
    rows = np.arange(50)
    width = softmax(logits)[rows, expected]
    for share in (0.01, 0.99):
        noise = (ends[rows, expected] - share * width).astype("float32")
        ids = samplers.inverse_cdf(logits, noise)
        np.testing.assert_array_equal(ids, expected)


@pytest.mark.parametrize("fill", [np.nan, -np.inf])
def test_a_row_without_numbers_gives_an_id_of_the_vocabulary(fill):
    logits = np.full((2, V), fill, "float32")
    for sampler in (samplers.greedy, samplers.categorical(1.0)):
        ids = np.asarray(sampler(logits, uniform(2)))
        assert ((0 <= ids) & (ids < V)).all()


def test_greedy_takes_the_first_of_equals():
    logits = random_logits(200, levels=3)
    ids = samplers.greedy(logits, None)
    np.testing.assert_array_equal(ids, logits.argmax(-1))
    np.testing.assert_array_equal(samplers.greedy(np.zeros((3, V)), None), [0, 0, 0])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_frequencies_are_the_probabilities(temperature):
    row, count = random_logits(1), 20_000
    logits = np.repeat(row, count, axis=0)
    ids = samplers.categorical(temperature)(logits, uniform(count))
    found = np.bincount(ids, minlength=V) / count
    expected = softmax(row / temperature)[0]
    error = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(found - expected) < 4 * error + 1e-9).all()


@pytest.mark.parametrize(
    "arguments", [{}, {"top_k": 3}, {"top_p": 0.8}, {"top_k": 5, "top_p": 0.9}]
)
def test_a_row_is_drawn_from_its_own_logits_and_noise(arguments):
    sampler = samplers.categorical(0.7, **arguments)
    logits, noise = random_logits(20), uniform(20)
    together = sampler(logits, noise)
    for k in range(20):
        alone = sampler(logits[k : k + 1], noise[k : k + 1])
        assert int(alone[0]) == int(together[k])


@pytest.mark.parametrize("arguments", [{"top_k": 1}, {"top_k": 2}, {"top_p": 0.5}])
def test_one_hot_rows_keep_their_own_word(arguments):
    # A top k over the whole batch would give every row the same few words.
    scales = np.linspace(50, 100, V, dtype="float32")[:, None]
    logits = scales * np.eye(V, dtype="float32")
    ids = samplers.categorical(**arguments)(logits, np.full(V, 0.5, "float32"))
    np.testing.assert_array_equal(ids, np.arange(V))


@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize(
    ("k", "p"),
    [
        (1, 1.0),
        (3, 1.0),
        (V, 1.0),
        (V + 5, 1.0),
        (0, 1.0),
        (0, 0.3),
        (0, 0.77),
        (0, 1e-9),
        (0, 0.0),
        (3, 0.77),
        (6, 0.3),
    ],
)
def test_what_is_kept_against_the_oracle(k, p, levels):
    logits = random_logits(30, levels=levels)
    expected = [kept_by_oracle(row, k, p) for row in logits]
    np.testing.assert_array_equal(kept(logits, k, p), expected)


def test_ties_with_the_last_word_kept_are_kept():
    logits = np.array([[1.0, 3.0, 2.0, 2.0, 0.0, 2.0]], "float32")
    expected = [[False, True, True, True, False, True]]
    np.testing.assert_array_equal(kept(logits, k=2), expected)


def test_the_nucleus_is_the_smallest_set_that_reaches_p():
    logits = np.log(np.array([[0.1, 0.5, 0.15, 0.25]], "float32"))
    np.testing.assert_array_equal(kept(logits, p=0.74), [[False, True, False, True]])
    np.testing.assert_array_equal(kept(logits, p=0.76), [[False, True, True, True]])


@pytest.mark.parametrize("arguments", [{"top_k": 3}, {"top_p": 0.6}])
def test_only_what_is_kept_is_drawn(arguments):
    logits = random_logits(400)
    allowed = kept(logits, arguments.get("top_k", 0), arguments.get("top_p", 1.0))
    ids = samplers.categorical(1.0, **arguments)(logits, uniform(400))
    assert allowed[np.arange(400), ids].all()
    assert not allowed.all()


@pytest.mark.parametrize("noise", [0.01, 0.5, 1.0])
def test_temperature_zero_is_greedy(noise):
    logits, noise = random_logits(50), np.full(50, noise, "float32")
    greedy = samplers.greedy(logits, noise)
    np.testing.assert_array_equal(greedy, logits.argmax(-1))
    for temperature in (0, 0.0, 1e-12, tf.constant(0.0)):
        ids = samplers.categorical(temperature)(logits, noise)
        np.testing.assert_array_equal(ids, greedy)


def test_an_infinite_temperature_is_uniform_over_what_is_allowed():
    logits = np.repeat(random_logits(1), 4000, axis=0)
    logits[:, :4] = -np.inf
    ids = samplers.categorical(float("inf"))(logits, uniform(4000))
    found = np.bincount(ids, minlength=V) / 4000
    np.testing.assert_array_equal(found[:4], 0.0)
    np.testing.assert_allclose(found[4:], 0.25, atol=0.03)


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("top_k", [0, 3])
@pytest.mark.parametrize("top_p", [0.6, 1.0])
def test_tensors_in_a_graph_equal_numbers(temperature, top_k, top_p):
    logits, noise = random_logits(40), uniform(40)

    @tf.function
    def graph(logits, noise, temperature, top_k, top_p):
        return samplers.categorical(temperature, top_k, top_p)(logits, noise)

    scalars = tf.constant(temperature), tf.constant(top_k), tf.constant(top_p)
    expected = samplers.categorical(temperature, top_k, top_p)(logits, noise)
    np.testing.assert_array_equal(graph(logits, noise, *scalars), expected)


@pytest.mark.parametrize("noise", EXTREMES)
@pytest.mark.parametrize("arguments", [{}, {"top_k": 6}, {"top_p": 0.999}])
def test_impossible_words_are_never_drawn(noise, arguments):
    rng = np.random.default_rng(3)
    logits = 5 * rng.normal(size=(100, 300)).astype("float32")
    forbidden = rng.random(logits.shape) < 0.7
    forbidden[:, 0] = forbidden[:, -1] = True
    logits[forbidden] = -np.inf
    sampler = samplers.categorical(1.0, **arguments)
    ids = sampler(logits, np.full(100, noise, "float32"))
    assert not forbidden[np.arange(100), ids].any()


@pytest.mark.parametrize("noise", EXTREMES)
def test_sums_that_are_not_monotone_draw_nothing_impossible(noise, monkeypatch):
    """Parallel cumulative sums (JAX, a GPU) may fall by a rounding from id to id."""
    exact = ops.cumsum

    def jittered(x, axis):
        jitter = np.where(np.arange(x.shape[-1]) % 2, 1e-7, -1e-7).astype("float32")
        return exact(x, axis=axis) + jitter

    monkeypatch.setattr(samplers.ops, "cumsum", jittered)
    logits = np.tile(np.array([0.0, -np.inf], "float32"), (20, 10))
    ids = samplers.inverse_cdf(logits, np.full(20, noise, "float32"))
    np.testing.assert_array_equal(np.asarray(ids) % 2, 0)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16])
def test_half_precision_logits(dtype):
    logits, noise = tf.cast(random_logits(30), dtype), uniform(30)
    exact = tf.cast(logits, tf.float32)
    sampler = samplers.categorical(0.9, top_k=4)
    np.testing.assert_array_equal(sampler(logits, noise), sampler(exact, noise))


def test_ids_are_int32_and_no_rows_are_no_ids():
    for sampler in (samplers.greedy, samplers.categorical(1.0, top_k=2)):
        ids = sampler(np.zeros((0, V), "float32"), np.zeros(0, "float32"))
        assert ids.shape == (0,)
        assert ids.dtype == tf.int32


def test_drawing_without_noise_is_refused():
    with pytest.raises(ValueError, match="needs `noise`. Received: noise=None"):
        samplers.categorical()(random_logits(1), None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": -0.1}, r"`temperature` must lie in \[0.0, inf\]. Received"),
        ({"temperature": float("nan")}, "`temperature` must lie"),
        ({"top_k": -1}, r"`top_k` must lie in \[0, inf\]. Received: top_k=-1"),
        ({"top_p": 1.1}, r"`top_p` must lie in \[0.0, 1.0\]. Received: top_p=1.1"),
        ({"top_p": -0.1}, "`top_p` must lie"),
    ],
)
def test_ranges_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message):
        samplers.categorical(**arguments)


def test_options_of_each_row_are_those_of_its_own_call():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6, 20)).astype("float32")
    noise = rng.uniform(0.01, 1.0, size=6).astype("float32")
    options = [(1.0, 0, 1.0), (0.0, 0, 1.0), (2.0, 3, 1.0), (0.5, 0, 0.6)]
    options += [(50.0, 1, 1.0), (1.0, 5, 0.3)]
    temperature, top_k, top_p = zip(*options, strict=True)
    together = samplers.categorical(
        ops.convert_to_tensor(temperature, "float32"),
        ops.convert_to_tensor(top_k, "int32"),
        ops.convert_to_tensor(top_p, "float32"),
    )
    found = ops.convert_to_numpy(together(logits, noise)).tolist()
    expected = [
        int(samplers.categorical(*option)(logits[i : i + 1], noise[i : i + 1])[0])
        for i, option in enumerate(options)
    ]
    assert found == expected
    assert len(set(found)) > 2
