"""Requests made up at random: a documented code, and a server that is well after."""

import grpc
import hypothesis
import pytest
from hypothesis import strategies
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2

from tests.conformance.conftest import option
from tests.conformance.requests import MODEL

PREDICT = "/tensorflow.serving.PredictionService/Predict"
DOCUMENTED = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
SIGNATURES = ["sample", "impute", "score", "interpolate", "reconstruct", "encode"]
NAMES = ["text", "start", "end", "seed", "steps", "z", "temperature", "top_k", "x"]

sizes = strategies.one_of(
    strategies.integers(0, 4), strategies.sampled_from([-1, 2**31, 2**62])
)
tensors = strategies.builds(
    lambda dtype, shape, unknown, fields: tensor_pb2.TensorProto(
        dtype=dtype,
        tensor_shape={"dim": [{"size": s} for s in shape], "unknown_rank": unknown},
        **fields,
    ),
    # Our server refuses types that TensorFlow Serving's parser would crash on.
    strategies.sampled_from([1, 2, 3, 7, 9, 10]),
    strategies.lists(sizes, max_size=3),
    strategies.booleans(),
    strategies.fixed_dictionaries(
        {},
        optional={
            "string_val": strategies.lists(strategies.binary(max_size=20), max_size=4),
            "float_val": strategies.lists(strategies.floats(width=32), max_size=4),
            "int64_val": strategies.lists(
                strategies.integers(-(2**63), 2**63 - 1), max_size=4
            ),
            "int_val": strategies.lists(strategies.integers(-9, 300), max_size=2),
            "tensor_content": strategies.binary(max_size=40),
        },
    ),
)
requests = strategies.builds(
    lambda signature, inputs, outputs: predict_pb2.PredictRequest(
        model_spec={"name": MODEL, "signature_name": signature},
        inputs=inputs,
        output_filter=outputs,
    ),
    strategies.one_of(strategies.sampled_from(SIGNATURES), strategies.text(max_size=5)),
    strategies.dictionaries(strategies.sampled_from(NAMES), tensors, max_size=4),
    strategies.lists(strategies.sampled_from(["text", "kl", ""]), max_size=2),
)


def made_up(request, strategy, check):
    """Checks as many examples of a strategy as `--cases` says."""
    cases = option(request.config, "--cases", 200)
    settings = hypothesis.settings(
        max_examples=cases, deadline=None, derandomize=True, database=None
    )
    settings(hypothesis.given(strategy)(check))()


@pytest.fixture(scope="module")
def well(target):
    return target.sample()


def test_any_request_has_a_documented_code(request, target, well):
    def check(made):
        try:
            target.ask(made)
        except grpc.RpcError as error:
            assert error.code() in DOCUMENTED, error
            assert "\n" not in error.details()

    made_up(request, requests, check)
    assert target.sample() == well


def test_any_bytes_have_a_documented_code(request, target, well):
    call = target.channel.unary_unary(PREDICT)

    def check(data):
        try:
            call(data, timeout=60)
        except grpc.RpcError as error:
            # TensorFlow Serving and ours alike for what is no message at all.
            assert error.code() in DOCUMENTED | {grpc.StatusCode.INTERNAL}, error

    good = requests.map(lambda made: made.SerializeToString())
    cut = strategies.builds(lambda b, n: b[: n % (len(b) + 1)], good, sizes)
    made_up(request, strategies.one_of(strategies.binary(max_size=200), cut), check)
    assert target.sample() == well
