"""What a server of an exported text VAE answers to requests, good and bad: as data.

Each row is a request, the status code of its answer, and a regular expression that the
answer's line has. The codes are TensorFlow Serving's; so are the lines, where they do
not come from the guards of the model itself. `OURS` holds what only the embedded server
promises.
"""

import numpy as np
from grpc import StatusCode
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

from tests.conformance.requests import (
    INF,
    INVALID,
    NAN,
    NOT_FOUND,
    Row,
    answered,
    malformed,
    metadata,
    named,
    predict,
    refused,
    status,
    tensor,
    wanting,
    z,
)

SEEDS = np.array([1, 2], np.int64)
SHAPE = "[Ss]hape"  # our server's words, or those of the guard
# Signature -> its rows: the one input that is wrong, beside good ones.
TEXTS = {
    "encode": lambda text: {"text": text},
    "score": lambda text: {"text": text},
    "reconstruct": lambda text: {"text": text},
    "impute": lambda text: {"text": text},
    "interpolate": lambda text: {"start": text, "end": ["a"]},
}

SPEC = {
    "no model spec": Row(
        INVALID, "Missing ModelSpec", lambda _: predict_pb2.PredictRequest()
    ),
    "no model name": Row(INVALID, "ModelSpec has no name specified", named(name="")),
    "unknown model": Row(
        NOT_FOUND, r"Servable not found for request: Latest\(x\)", named(name="x")
    ),
    "path as model": Row(NOT_FOUND, r"Latest\(\.\./x\)", named(name="../x")),
    "absent version": Row(NOT_FOUND, r"Specific\(.*, 7777\)", named(version=7777)),
    "negative version": Row(NOT_FOUND, r"Specific\(.*, -1\)", named(version=-1)),
    "unknown label": Row(
        INVALID, "Unrecognized servable version label", named(version_label="none")
    ),
    "unknown signature": Row(
        StatusCode.FAILED_PRECONDITION,
        'Serving signature key "dream" not found',
        predict("dream", text=["a"]),
    ),
}
NAMES = {
    "no inputs": Row(INVALID, "input size does not match", predict("encode")),
    "a required input missing": Row(
        INVALID, "input alias: seed", predict("sample", temperature=np.float32(1))
    ),
    "extra input": Row(
        INVALID,
        "input size does not match",
        predict("encode", text=["a"], more=["b"]),
    ),
    "extra input in place of an optional one": Row(
        INVALID,
        "Inputs contains invalid name",
        predict("sample", seed=SEEDS, more=np.float32(1)),
    ),
    "wrong input name": Row(INVALID, "input alias", predict("encode", texts=["a"])),
    "internal tensor as input": Row(
        INVALID, "input alias", predict("encode", **{"encode_text:0": ["a"]})
    ),
    "unknown output": Row(INVALID, "output tensor alias not found", wanting("x")),
    "empty output name": Row(INVALID, "output tensor alias not found", wanting("")),
    "internal tensor as output": Row(
        INVALID,
        "output tensor alias not found",
        wanting("StatefulPartitionedCall:0"),
    ),
    "output twice": Row(
        INVALID, "duplicate output tensor alias: kl", wanting("kl", "kl")
    ),
    "one output": Row(StatusCode.OK, "", wanting("kl")),
}
TYPES = {
    "float for string": refused("string but float is", "encode", text=[1.0]),
    "int64 for string": refused("string but int64 is", "encode", text=SEEDS),
    "bool for string": refused("string but bool is", "encode", text=[True]),
    "complex for string": refused("string but complex128 is", "encode", text=[1j]),
    "string for float": refused("float but string is", "decode", z=[["1"]]),
    "double for float": refused(
        "float but double is", "decode", z=z(1, "D", dtype=np.float64)
    ),
    "half for float": refused(
        "float but half is", "decode", z=z(1, "D", dtype=np.float16)
    ),
    "int32 for int64": refused("int64 but int32 is", "sample", seed=np.int32([1])),
    "float for int64": refused("int64 but float is", "sample", seed=np.float32([1])),
    "double for temperature": refused(
        "float but double is", "sample", seed=SEEDS, temperature=np.float64(1)
    ),
    "int64 for steps": refused(
        "int32 but int64 is", "interpolate", start=["a"], end=["a"], steps=np.int64(3)
    ),
}
SHAPES = {
    **{
        f"{what} for {signature}": refused(SHAPE, signature, **inputs(value))
        for signature, inputs in TEXTS.items()
        for what, value in {
            "scalar": "a",
            "no columns": np.empty((2, 0), "S1"),
            "rank 2": [["a"]],
        }.items()
    },
    "rank 3": refused(SHAPE, "encode", text=[[["a"]]]),
    "scalar seed": refused(SHAPE, "sample", seed=np.int64(1)),
    "rank 2 seeds": refused(SHAPE, "sample", seed=np.array([[1]])),
    "z too wide": refused(SHAPE, "decode", z=z(1, "D+1")),
    "z too narrow": refused(SHAPE, "decode", z=z(1, "D-1")),
    "z a vector": refused(SHAPE, "decode", z=z("D")),
    "z of rank 3": refused(SHAPE, "decode", z=z(1, 1, "D")),
    "z a scalar": refused(SHAPE, "decode", z=z()),
    "vector of temperatures": refused(
        SHAPE, "sample", seed=SEEDS, temperature=np.ones(2, np.float32)
    ),
    "vector of steps": refused(
        SHAPE, "interpolate", start=["a"], end=["a"], steps=np.int32([3])
    ),
    "no scalar seed of a score": refused(SHAPE, "score", text=["a"], seed=SEEDS),
}
ROWS_OF_A_REQUEST = {
    **{
        f"no rows for {signature}": refused(
            "has no rows", signature, **inputs(np.array([], "S1"))
        )
        for signature, inputs in TEXTS.items()
    },
    "no seeds": refused("has no rows", "sample", seed=np.array([], np.int64)),
    "no z": refused("has no rows", "decode", z=z(0, "D")),
    "too many texts": refused("more than 1024 rows", "encode", text=["a"] * 1025),
    "too many seeds": refused("more than 1024 rows", "sample", seed=np.arange(20_000)),
    "too many z": refused("more than 1024 rows", "decode", z=z(1025, "D")),
    "too many imputations": refused("more than 128 rows", "impute", text=["a _"] * 129),
    "too many paths": refused(
        "more than 128 rows", "interpolate", start=["a"] * 129, end=["a"] * 129
    ),
    "rows that do not agree": refused(
        "differ in their number of rows", "interpolate", start=["a"] * 2, end=["a"] * 3
    ),
}
VALUES = {
    "z not a number": refused("`z` is not finite", "decode", z=z(1, "D", value=NAN)),
    "z infinite": refused("`z` is not finite", "decode", z=z(2, "D", value=-INF)),
    "temperature not a number": refused(
        "`temperature` is not finite", "sample", seed=SEEDS, temperature=np.float32(NAN)
    ),
    "temperature infinite": refused(
        "`temperature` is not finite", "sample", seed=SEEDS, temperature=np.float32(INF)
    ),
    "temperature below zero": refused(
        "must be at least 0", "sample", seed=SEEDS, temperature=np.float32(-0.1)
    ),
    "temperature of 101": refused(
        "must be at most 100", "sample", seed=SEEDS, temperature=np.float32(101)
    ),
    "top_k below zero": refused(
        "must be at least 0", "sample", seed=SEEDS, top_k=np.int32(-1)
    ),
    "top_p of two": refused(
        "must be at most 1", "sample", seed=SEEDS, top_p=np.float32(2)
    ),
    **{
        f"{steps} steps": refused(
            f"`steps` must be at {'least 2' if steps < 2 else 'most 256'}",
            "interpolate",
            start=["a"],
            end=["a"],
            steps=np.int32(steps),
        )
        for steps in (-1, 0, 1, 257, 10**9)
    },
    "no hidden word": refused("no hidden word", "impute", text=["a a"]),
    "hidden words only": refused("hidden words only", "impute", text=["_"]),
    "one of two without a hidden word": refused(
        r"no hidden word \(_\)\] \[1\]", "impute", text=["a _", "a a"]
    ),
    "20,000 words": refused(
        "more than [0-9]+ (sub)?words", "encode", text=["a", "a " * 20_000]
    ),
    "a word of 1 MB": refused(
        "text of more than 65536 bytes", "encode", text=["a", "a" * 2**20]
    ),
    "500,000 combining marks": refused(
        "text of more than 65536 bytes", "score", text=["a" + "\u0301" * 500_000]
    ),
}
# What a model answers by what it reads.
WORDS = {"the longest word": answered("encode", text=["a" * 65_536])}
SUBWORDS = {
    "the longest word": refused(
        "more than [0-9]+ subwords", "encode", text=["a" * 65_536]
    ),
    "a word of one piece": answered("impute", text=["a _"], max_pieces=np.int32(1)),
    "a word of eight pieces": answered("impute", text=["a _"], max_pieces=np.int32(8)),
    "a word of no piece": refused(
        "must be at least 1", "impute", text=["a _"], max_pieces=np.int32(0)
    ),
    "a word of nine pieces": refused(
        "must be at most 8", "impute", text=["a _"], max_pieces=np.int32(9)
    ),
    "two numbers of pieces": refused(
        SHAPE, "impute", text=["a _"], max_pieces=np.int32([1, 2])
    ),
}
BY_LEVEL = [
    *(("words", name, row) for name, row in WORDS.items()),
    *(("subwords", name, row) for name, row in SUBWORDS.items()),
]
MALFORMED = {
    "no data type": malformed(tensor_pb2.TensorProto()),
    "negative size": malformed(tensor(sizes=(-1,))),
    "sizes that overflow": malformed(tensor(sizes=(2**62, 2**62))),
    "300 dimensions": malformed(tensor(sizes=(1,) * 300)),
    "7 bytes for 32 floats": malformed(
        tensor(types_pb2.DT_FLOAT, (1, 8), tensor_content=b"1234567"), "decode", "z"
    ),
    "garbage for strings": malformed(tensor(sizes=(3,), tensor_content=b"\xff" * 5)),
    "unknown rank": Row(
        INVALID,
        SHAPE,
        predict(
            "encode",
            text=tensor_pb2.TensorProto(
                dtype=types_pb2.DT_STRING,
                tensor_shape={"unknown_rank": True},
                string_val=[b"a"],
            ),
        ),
    ),
}
GOOD = {
    "no words": answered("reconstruct", text=[""]),
    "blanks": answered("reconstruct", text=[" \t\u3000"]),
    "unknown words": answered("score", text=["zyzzyva qwyjibo"]),
    "NUL": answered("reconstruct", text=[b"a\0b \0"]),
    "no UTF-8": answered("encode", text=[b"\xff\xfe a \xc3"]),
    "half a character": answered("score", text=["\u20ac".encode()[:2]]),
    "byte order mark": answered("encode", text=["\ufeffa"]),
    "from right to left": answered("encode", text=["\u05e9\u05dc\u05d5\u05dd \u202e"]),
    "emoji": answered("reconstruct", text=["\U0001f600\U0001f1e9\U0001f1ea"]),
    "a row from its middle on hidden": answered("impute", text=["a _"]),
    "the least seed": answered("sample", seed=np.array([-(2**63)])),
    "the greatest seed": answered("sample", seed=np.array([2**63 - 1])),
    "greedy": answered("sample", seed=SEEDS, temperature=np.float32(0)),
    "hot": answered("sample", seed=SEEDS, temperature=np.float32(100)),
    "more top words than words": answered(
        "sample", seed=SEEDS, top_k=np.int32(2**31 - 1)
    ),
    "top p of zero": answered("sample", seed=SEEDS, top_p=np.float32(0)),
    "far z": answered("decode", z=z(1, "D", value=1e30)),
    "two steps": answered("interpolate", start=["a"], end=["a"], steps=np.int32(2)),
    "same ends on an arc": answered(
        "interpolate", start=["a"], end=["a"], spherical=np.bool_(True)
    ),
    # As TensorFlow reads a tensor: the last value is repeated, others are left out.
    "three rows, one value": Row(
        StatusCode.OK, "", predict("encode", text=tensor(sizes=(3,), string_val=[b"a"]))
    ),
    "one row, three values": Row(
        StatusCode.OK, "", predict("encode", text=tensor(string_val=[b"a"] * 3))
    ),
}


ABOUT_MODELS = {
    "metadata of no model": Row(
        INVALID,
        "Missing ModelSpec",
        lambda _: get_model_metadata_pb2.GetModelMetadataRequest(),
    ),
    "metadata without a field": Row(
        INVALID, "must specify at least one metadata_field", metadata()
    ),
    "metadata of another field": Row(
        INVALID, "Metadata field weights is not supported", metadata("weights")
    ),
    "metadata of an unknown model": Row(
        NOT_FOUND, r"Latest\(x\)", metadata("signature_def", name="x")
    ),
    "status of an unknown model": Row(
        NOT_FOUND, "Could not find any versions of model x", status(name="x")
    ),
    "status of an absent version": Row(
        NOT_FOUND, "Could not find version 7777 of model", status(version=7777)
    ),
    "metadata": Row(StatusCode.OK, "", metadata("signature_def")),
    "status": Row(StatusCode.OK, "", status()),
    "status by label, which is ignored": Row(StatusCode.OK, "", status(label="none")),
}
OURS = {
    "the loader's signature": Row(
        StatusCode.FAILED_PRECONDITION,
        "__saved_model_init_op",
        predict("__saved_model_init_op"),
    ),
    "unknown data type": malformed(tensor_pb2.TensorProto(dtype=9999)),
    "resource": Row(
        INVALID,
        "string but resource is",
        predict("encode", text=tensor(types_pb2.DT_RESOURCE)),
    ),
    "variant": Row(
        INVALID,
        "string but variant is",
        predict("encode", text=tensor(types_pb2.DT_VARIANT)),
    ),
    "50 million strings in 11 bytes": malformed(tensor(sizes=(50_000_000,))),
    "a long string repeated": malformed(
        tensor(sizes=(10_000,), string_val=[b"a" * 10_000])
    ),
    "a message of 20 MB": Row(
        StatusCode.RESOURCE_EXHAUSTED,
        "",
        predict("encode", text=tensor(string_val=[b"a" * (20 * 2**20)])),
    ),
}
ROWS = {
    **SPEC,
    **NAMES,
    **TYPES,
    **SHAPES,
    **ROWS_OF_A_REQUEST,
    **VALUES,
    **MALFORMED,
    **GOOD,
    **ABOUT_MODELS,
}
