"""A client of a served text VAE: `TextVAEClient`, and a program.

    python serving/client.py sample --count=5 --seed=0 --temperature=0.8
    python serving/client.py interpolate --start="it rains" --end="he sang" --steps=8
    python serving/client.py reconstruct --text="it rains" --text="he sang"
    python serving/client.py impute --text="she punched the cell _ _"
    python serving/client.py encode --text="it rains" --json
    python serving/client.py decode < vectors.jsonl
    python serving/client.py score < sentences.txt

reconstruct, impute, encode and score read one text a line where there is no --text.
decode reads one JSON list of numbers a line, or the lines that `encode --json` prints.
Exit code 1: the call failed; 2: a mistake on the command line.

B: batch size. D: latent size. S: steps of an interpolation.
"""

import importlib.util
import json
import sys
import types
from collections.abc import Iterable, Sequence

import grpc
import numpy as np
from absl import app, flags


def _import_protocol():
    """Imports the protocol's messages without TensorFlow itself.

    All they need is under `tensorflow.core`, but to import anything from there runs
    the whole of TensorFlow: seconds, and half a gigabyte. A bare package takes its
    place meanwhile, unless it is there already.
    """
    bare = "tensorflow" not in sys.modules
    if bare:
        package = types.ModuleType("tensorflow")
        spec = importlib.util.find_spec("tensorflow")
        package.__path__ = list(spec.submodule_search_locations) if spec else []
        sys.modules["tensorflow"] = package
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
    finally:
        # Packages go, so that a later `import tensorflow` is a real one.
        for name, module in list(sys.modules.items()) if bare else ():
            if name.partition(".")[0] == "tensorflow" and hasattr(module, "__path__"):
                del sys.modules[name]
    return predict_pb2, prediction_service_pb2_grpc


predict_pb2, prediction_service_pb2_grpc = _import_protocol()

# Any size of answer; and dialled directly, whatever HTTP proxy there is.
CHANNEL_OPTIONS = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.enable_http_proxy", 0),
]

# The protocol's data types: NumPy's type, and the field that holds the values.
DATA_TYPES = {
    1: (np.dtype(np.float32), "float_val"),
    3: (np.dtype(np.int32), "int_val"),
    7: (np.dtype(object), "string_val"),
    9: (np.dtype(np.int64), "int64_val"),
    10: (np.dtype(np.bool_), "bool_val"),
}


class TextVAEClient:
    """Calls the signatures of an exported text VAE; also a context manager.

    Every method raises `grpc.RpcError`, which has a `code()` and `details()`, if the
    call fails. An option that is None is left to the model's own default.

    Args:
        address: `host:port`.
        model_name: the name the server gives the model.
        timeout: seconds that one call may take.
    """

    def __init__(
        self, address: str, model_name: str = "textvae", timeout: float = 10.0
    ):
        self.model_name = model_name
        self.timeout = timeout
        self._channel = grpc.insecure_channel(address, CHANNEL_OPTIONS)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def sample(
        self,
        seeds: Iterable[int],
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> list[str]:
        """A text for each seed."""
        return self.predict(
            "sample",
            seed=np.array(list(seeds), np.int64),
            temperature=_scalar(temperature, np.float32),
            top_k=_scalar(top_k, np.int32),
            top_p=_scalar(top_p, np.float32),
        )["text"].tolist()

    def interpolate(
        self,
        starts: Sequence[str],
        ends: Sequence[str],
        steps: int | None = None,
        spherical: bool | None = None,
    ) -> list[list[str]]:
        """The `steps` texts from each start to its end, both included. B x S."""
        return self.predict(
            "interpolate",
            start=_texts(starts),
            end=_texts(ends),
            steps=_scalar(steps, np.int32),
            spherical=_scalar(spherical, np.bool_),
        )["text"].tolist()

    def reconstruct(self, texts: Sequence[str]) -> list[str]:
        """Encodes each text and decodes it again."""
        return self.predict("reconstruct", text=_texts(texts))["text"].tolist()

    def impute(self, texts: Sequence[str]) -> list[str]:
        """Replaces each hidden word, or character, "_"."""
        return self.predict("impute", text=_texts(texts))["text"].tolist()

    def encode(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """`mean` and `log_var` [B, D] of each text's posterior; `kl` [B] in nats."""
        return self.predict("encode", text=_texts(texts))

    def decode(self, z) -> list[str]:  # [B, D]
        """The text of each latent vector."""
        return self.predict("decode", z=np.asarray(z, np.float32))["text"].tolist()

    def score(
        self, texts: Sequence[str], seed: int | None = None
    ) -> dict[str, np.ndarray]:
        """`bound`, `reconstruction` and `kl` [B], in nats per text."""
        return self.predict("score", text=_texts(texts), seed=_scalar(seed, np.int64))

    def predict(self, signature: str, **inputs) -> dict[str, np.ndarray]:
        """Calls any signature.

        Args:
            signature: its name.
            **inputs: arrays of its exact data types, texts as bytes; None is left out.

        Returns:
            dict of output name to array, texts as str.
        """
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.model_name
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            if array is not None:
                _write(array, request.inputs[name])
        response = self._stub.Predict(request, timeout=self.timeout)
        return {name: _read(proto) for name, proto in response.outputs.items()}

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> "TextVAEClient":
        return self

    def __exit__(self, *exception) -> None:
        self.close()


def _scalar(value, dtype):
    return None if value is None else np.array(value, dtype)


def _texts(texts: Sequence[str]) -> np.ndarray:
    if isinstance(texts, str):
        raise ValueError(f"texts must be a list of str. Received: {texts!r}")
    return np.array([text.encode() for text in texts], object)


def _write(array: np.ndarray, proto) -> None:
    """Writes an array into a TensorProto."""
    numbers = {dtype: number for number, (dtype, _) in DATA_TYPES.items()}
    if array.dtype not in numbers:
        raise ValueError(f"no such tensors in the protocol. Received: {array.dtype}")
    proto.dtype = numbers[array.dtype]
    proto.tensor_shape.SetInParent()  # a scalar has a shape too, of no dimensions
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    field = DATA_TYPES[proto.dtype][1]
    getattr(proto, field).extend(array.ravel().tolist())


def _read(proto) -> np.ndarray:
    """Reads an array from a TensorProto."""
    if proto.dtype not in DATA_TYPES:
        raise ValueError(f"no array of this data type. Received: {proto.dtype}")
    dtype, field = DATA_TYPES[proto.dtype]
    shape = [dim.size for dim in proto.tensor_shape.dim]
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    values = list(getattr(proto, field))
    if field == "string_val":
        values = [value.decode(errors="replace") for value in values]
    return np.array(values, dtype).reshape(shape)


COMMANDS = "sample interpolate reconstruct impute encode decode score".split()


def run(command: str, options) -> dict[str, Sequence]:
    """Runs a command of the program; returns its answer as columns of equal length."""
    if not options.address:
        raise ValueError("--address must be host:port")
    client = TextVAEClient(options.address, options.model_name, options.timeout)
    if command == "sample":
        seeds = range(options.seed or 0, (options.seed or 0) + options.count)
        sampling = options.temperature, options.top_k, options.top_p
        return {"seed": seeds, "text": client.sample(seeds, *sampling)}
    if command == "interpolate":
        if options.start is None or options.end is None:
            raise ValueError("interpolate needs --start and --end")
        path = options.steps, options.spherical
        (texts,) = client.interpolate([options.start], [options.end], *path)
        return {"step": range(len(texts)), "text": texts}
    if command == "decode":
        vectors = [_vector(line) for line in sys.stdin]
        if not vectors:
            raise ValueError("no vector: give one a line on standard input")
        return {"text": client.decode(vectors)}
    texts = options.text or [line.rstrip("\n") for line in sys.stdin]
    if not texts:
        raise ValueError("no text: give --text, or one a line on standard input")
    if command == "reconstruct":
        return {"text": texts, "reconstruction": client.reconstruct(texts)}
    if command == "impute":
        return {"text": texts, "imputation": client.impute(texts)}
    scores = command == "score"
    answer = client.score(texts, options.seed) if scores else client.encode(texts)
    return {"text": texts} | {name: answer[name].tolist() for name in sorted(answer)}


def _vector(line: str) -> list[float]:
    try:
        row = json.loads(line)
        vector = row["mean"] if isinstance(row, dict) else row
        return [float(number) for number in vector]
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"not a vector in JSON. Received: {line.strip()}") from None


def readable(record: dict) -> str:
    """A text where that is the answer, otherwise every value with its name."""
    *_, answer = record.values()
    if isinstance(answer, str):
        return answer
    return "\t".join(f"{name}: {value}" for name, value in record.items())


def define_flags() -> None:
    # In a function, so that importing this module leaves a program's flags alone.
    flags.DEFINE_string("address", "127.0.0.1:8500", "host:port of the server.")
    flags.DEFINE_string("model_name", "textvae", "The name the server gives the model.")
    flags.DEFINE_float("timeout", 10.0, "Seconds that the call may take.", 0.0)
    flags.DEFINE_bool("json", False, "Print JSON lines.")
    flags.DEFINE_multi_string("text", None, "A text (default: standard input)")
    flags.DEFINE_integer("count", 5, "sample: how many texts.", 1)
    flags.DEFINE_integer("seed", None, "sample: of the first text; score (default: 0).")
    own = "(default: the model's)."
    flags.DEFINE_float("temperature", None, f"sample: below 1, likelier texts {own}")
    flags.DEFINE_integer("top_k", None, f"sample: from the k likeliest; 0 is all {own}")
    flags.DEFINE_float("top_p", None, f"sample: from the likeliest of this sum {own}")
    flags.DEFINE_string("start", None, "interpolate: the first text; must be given.")
    flags.DEFINE_string("end", None, "interpolate: the last text; must be given.")
    flags.DEFINE_integer("steps", None, f"interpolate: texts, ends included {own}")
    flags.DEFINE_bool("spherical", None, f"interpolate: along an arc {own}")


def parse_flags(argv: list[str]) -> list[str]:
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(_failure(error, 2))
    except SystemExit:  # absl's own --help ends with 1
        sys.exit(0)


def main(argv: list[str]) -> int:
    options = flags.FLAGS
    if len(argv) != 2 or argv[1] not in COMMANDS:
        return _failure(f"expected one command of {', '.join(COMMANDS)}", 2)
    try:
        columns = run(argv[1], options)
    except grpc.RpcError as error:
        return _failure(f"{error.code().name}: {error.details()}", 1)
    except (ValueError, OverflowError) as error:
        return _failure(error, 2)
    except KeyboardInterrupt:
        return _failure("interrupted", 130)
    for row in zip(*columns.values(), strict=True):
        record = dict(zip(columns, row, strict=True))
        print(json.dumps(record) if options.json else readable(record))
    return 0


def _failure(message, code: int) -> int:
    print(f"client.py: {message}", file=sys.stderr)
    return code


if __name__ == "__main__":
    define_flags()
    app.run(main, flags_parser=parse_flags)
