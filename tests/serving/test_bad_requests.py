"""What the server itself refuses of a model without guards of its own.

All that any server refuses of an exported text VAE is in `tests/conformance`.
"""

import grpc
import numpy as np
import pytest
from tensorflow.core.framework import tensor_pb2

from tests.conformance.requests import NOT_FOUND, Row, named, refused, tensor, z

BAD_REQUESTS = {
    "version on disk only": Row(NOT_FOUND, r"Specific\(toy, 3\)", named(version=3)),
    # Shapes: some of these end a TensorFlow process that runs the op unguarded.
    "scalar string": refused(
        r'Expects input "text" to have shape \(None,\) but \(\) is provided',
        "reconstruct",
        text="a",
    ),
    "shape of unknown rank": refused(
        r"shape \(None,\) but \(\) is provided",
        "reconstruct",
        text=tensor_pb2.TensorProto(
            dtype=7, tensor_shape={"unknown_rank": True}, string_val=[b"a"]
        ),
    ),
    "no columns": refused(
        r"but \(2, 0\) is provided", "reconstruct", text=tensor(sizes=(2, 0))
    ),
    "rank 2": refused(r"but \(1, 1\) is provided", "reconstruct", text=[["a"]]),
    "rank 3": refused(r"but \(1, 1, 1\) is provided", "reconstruct", text=[[["a"]]]),
    "wrong width": refused(
        r"\(None, 3\) but \(1, 4\) is provided", "decode", z=z(1, "D+1")
    ),
    "vector for a scalar": refused(
        r"shape \(\) but \(1,\) is provided",
        "interpolate",
        start=["a"],
        end=["b"],
        steps=np.int32([3]),
    ),
    # What the model itself refuses.
    "assertion of the model": refused("^assertion failed", "fail", text=["a"]),
    "rows that do not agree": refused(
        "Shapes of all inputs must match", "interpolate", start=["a", "b"], end=["c"]
    ),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_bad_request_is_refused_and_the_next_is_answered(name, stubs):
    row = BAD_REQUESTS[name]
    request = row.request(latent_dim=3)
    request.model_spec.name = "toy"
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.prediction.Predict(request, timeout=20)
    assert refusal.value.code() == row.code
    assert row.has(refusal.value.details()), refusal.value.details()
    assert stubs.predict("reconstruct", text=["it  rains"])["text"] == [b"it rains"]


def test_long_message_is_truncated_as_tensorflow_serving_does(stubs, make_request):
    request = make_request("é" * 5000)
    with pytest.raises(grpc.RpcError) as refusal:
        stubs.prediction.Predict(request, timeout=20)
    details = refusal.value.details()
    assert details.startswith('Serving signature key "éé')
    assert details.endswith("...TRUNCATED")
    assert len(details.encode()) <= 1024 + len("...TRUNCATED")
