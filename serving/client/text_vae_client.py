"""`TextVAEClient`: the signatures of an exported text VAE as methods.

B: batch size. D: latent size. S: steps of an interpolation.
"""

import math
import reprlib
import time
from collections.abc import Iterable, Sequence

import grpc
import numpy as np

from serving.client import arrays, batches, channel, retries
from serving.client.protocol import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class TextVAEClient:
    """Calls the signatures of an exported text VAE; also a context manager.

    Every method raises `grpc.RpcError`, which has a `code()` and `details()`, if the
    call fails. A server that is UNAVAILABLE is tried again until the timeout or the end
    of `patience`; no other failure is. Rows beyond `rows_per_call` go in several calls,
    one after another. An option that is None is left to the model's own default.

    Args:
        address: `host:port`.
        model_name: the name the server gives the model.
        timeout: seconds that a method may take, all its calls and retries included.
        version: the model's version; None for the one the server chooses.
        label: the version by its label instead.
        credentials: for TLS, as `tls_credentials` makes them; None for no TLS.
        token: sent as a bearer token.
        rows_per_call: the most rows of one call.
        patience: seconds for which a call to a server that is UNAVAILABLE is tried
            again, as far as the timeout allows.

    Raises:
        ValueError: if an argument is out of its range, if there is a version and a
            label, or if a token would leave this machine in clear.
    """

    def __init__(
        self,
        address: str,
        model_name: str = "textvae",
        timeout: float = 10.0,
        *,
        version: int | None = None,
        label: str | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        token: str | None = None,
        rows_per_call: int = 256,
        patience: float = math.inf,
    ):
        if ":" not in address:
            raise ValueError(f"address must be host:port. Received: {address!r}")
        if not 0 < timeout < math.inf:
            raise ValueError(f"timeout must be positive, finite. Received: {timeout}")
        if version is not None and label is not None:
            raise ValueError("give a version or a label, not both")
        if rows_per_call < 1:
            raise ValueError(
                f"rows_per_call must be positive. Received: {rows_per_call}"
            )
        clear = credentials is None and not channel.stays_on_this_machine(address)
        if token is not None and clear:
            raise ValueError("a token needs TLS: it would go over the network in clear")
        self.model_name = model_name
        self.timeout = timeout
        self.version = version
        self.label = label
        self.rows_per_call = rows_per_call
        self.patience = patience
        self._metadata = () if token is None else channel.bearer(token)
        self._channel = channel.open_channel(address, credentials)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def sample(
        self,
        seeds: Iterable[int],
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        fitted: bool | None = None,
    ) -> list[str]:
        """A text for each seed; `fitted` is an option of models with a density."""
        return self._predict_rows(
            "sample",
            {"seed": _array("seed", [*seeds], np.int64)},
            temperature=_scalar("temperature", temperature, np.float32),
            top_k=_scalar("top_k", top_k, np.int32),
            top_p=_scalar("top_p", top_p, np.float32),
            fitted=_scalar("fitted", fitted, np.bool_),
        )["text"].tolist()

    def interpolate(
        self,
        starts: Sequence[str],
        ends: Sequence[str],
        steps: int | None = None,
        spherical: bool | None = None,
    ) -> list[list[str]]:
        """The `steps` texts from each start to its end, both included. B x S."""
        return self._predict_rows(
            "interpolate",
            {"start": _texts(starts), "end": _texts(ends)},
            steps=_scalar("steps", steps, np.int32),
            spherical=_scalar("spherical", spherical, np.bool_),
        )["text"].tolist()

    def reconstruct(self, texts: Sequence[str]) -> list[str]:
        """Encodes each text and decodes it again."""
        outputs = self._predict_rows("reconstruct", {"text": _texts(texts)})
        return outputs["text"].tolist()

    def impute(self, texts: Sequence[str], max_pieces: int | None = None) -> list[str]:
        """Replaces each hidden word, or character, "_".

        `max_pieces` is an option of models of subwords, whose words have several.
        """
        return self._predict_rows(
            "impute",
            {"text": _texts(texts)},
            max_pieces=_scalar("max_pieces", max_pieces, np.int32),
        )["text"].tolist()

    def encode(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """`mean` and `log_var` [B, D] of each text's posterior; `kl` [B] in nats.

        `unknown` [B] says how many words of each text are unknown to the model.
        """
        return self._predict_rows("encode", {"text": _texts(texts)})

    def decode(self, z) -> list[str]:  # [B, D]
        """The text of each latent vector."""
        z = np.asarray(z, np.float32)
        if z.ndim != 2:
            raise ValueError(f"z must be [B, D]. Received: shape {z.shape}")
        return self._predict_rows("decode", {"z": z})["text"].tolist()

    def score(
        self, texts: Sequence[str], seed: int | None = None
    ) -> dict[str, np.ndarray]:
        """`bound`, `reconstruction` and `kl` [B], in nats per text; `unknown` [B].

        `unknown` says how many words of each text are unknown to the model.
        """
        return self._predict_rows(
            "score", {"text": _texts(texts)}, seed=_scalar("seed", seed, np.int64)
        )

    def classify(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """The `label` [B] of each text; all `labels` and `probabilities` [B, C]."""
        return self._predict_rows("classify", {"text": _texts(texts)})

    def predict(self, signature: str, **inputs) -> dict[str, np.ndarray]:
        """Calls any signature, in one call.

        Args:
            signature: its name.
            **inputs: arrays of its exact data types, texts as bytes; None is left out.

        Returns:
            dict of output name to array, texts as str.
        """
        return self._call(signature, inputs, time.monotonic() + self.timeout)

    def signatures(self) -> dict[str, list[str]]:
        """The names of the inputs of each signature, as the server says."""
        definitions = self._definitions()
        return {name: sorted(definitions[name].inputs) for name in sorted(definitions)}

    def inputs(self, signature: str) -> dict[str, tuple[np.dtype, int]]:
        """The data type, object of texts, and rank of each input, as the server says.

        Raises:
            ValueError: if the model has no such signature.
        """
        definitions = self._definitions()
        if signature not in definitions:
            names = ", ".join(sorted(definitions))
            raise ValueError(f"no such signature, only {names}. Received: {signature}")
        return {
            name: (arrays.DATA_TYPES[info.dtype][0], len(info.tensor_shape.dim))
            for name, info in definitions[signature].inputs.items()
        }

    def _definitions(self):
        """The model's signatures by name, as the server describes them."""
        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.metadata_field.append("signature_def")
        self._set_model(request.model_spec)
        deadline = time.monotonic() + self.timeout
        response = self._send(self._stub.GetModelMetadata, request, deadline)
        message = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(message)
        return message.signature_def

    def _predict_rows(self, signature: str, columns, **options):
        """Calls a signature whose inputs are rows, in batches, and scalar options."""
        deadline = time.monotonic() + self.timeout
        return batches.join(
            [
                self._call(signature, batch | options, deadline)
                for batch in batches.split(columns, self.rows_per_call)
            ]
        )

    def _call(self, signature: str, inputs, deadline: float):
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        self._set_model(request.model_spec)
        for name, array in inputs.items():
            if array is not None:
                arrays.write(array, request.inputs[name])
        response = self._send(self._stub.Predict, request, deadline)
        return {name: arrays.read(proto) for name, proto in response.outputs.items()}

    def _send(self, method, request, deadline: float):
        return retries.call(method, request, deadline, self._metadata, self.patience)

    def _set_model(self, model_spec) -> None:
        model_spec.name = self.model_name
        if self.version is not None:
            model_spec.version.value = self.version
        if self.label is not None:
            model_spec.version_label = self.label

    def close(self) -> None:
        """Ends the connection; a call in flight is CANCELLED."""
        self._channel.close()

    def __enter__(self) -> "TextVAEClient":
        return self

    def __exit__(self, *exception) -> None:
        self.close()


def _scalar(name, value, dtype):
    return None if value is None else _array(name, value, dtype)


def _array(name, value, dtype):
    try:
        return np.array(value, dtype)
    except OverflowError:
        raise OverflowError(
            f"{name} must be {dtype.__name__}. Received: {reprlib.repr(value)}"
        ) from None


def _texts(texts: Sequence[str]) -> np.ndarray:
    if isinstance(texts, str):
        raise ValueError(f"texts must be a list of str. Received: {texts!r}")
    return np.array([text.encode() for text in texts], object)
