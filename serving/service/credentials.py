"""Who may call a server: TLS, mutual TLS, and a bearer token.

All of it is in files, which are read again when they change: a certificate can be
renewed, and a token replaced, while the server runs. A change that makes no sense, such
as a certificate whose key is still the old one, leaves what was there in force.
"""

import hmac
import os
import ssl
from pathlib import Path

import grpc
from absl import logging

HEALTH_SERVICE = "/grpc.health.v1.Health/"


class Certificates:
    """A server's certificate, and the authority that its clients must be certified by.

    Args:
        certificate: PEM file, the server's own certificate first.
        key: PEM file of its private key, without a passphrase.
        client_ca: PEM file. Clients without a certificate of these authorities are
            refused; None takes all clients.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if one is not what it should be.
    """

    def __init__(
        self,
        certificate: str | os.PathLike,
        key: str | os.PathLike,
        client_ca: str | os.PathLike | None = None,
    ):
        self._certificate = Path(certificate)
        self._key = Path(key)
        self._client_ca = Path(client_ca) if client_ca else None
        self._contents = self._read()
        self._check()

    def server_credentials(self) -> grpc.ServerCredentials:
        """Credentials that hold for each new connection what the files then hold."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(*self._contents),
            self._renewed,
            require_client_authentication=self._client_ca is not None,
        )

    def _renewed(self):
        """The configuration, if it has changed; gRPC asks before each handshake."""
        try:
            contents = self._read()
            if contents == self._contents:
                return None
            self._check()
        except (OSError, ValueError) as error:
            logging.error("The TLS certificates stay as they were: %s", error)
            return None
        self._contents = contents
        return _configuration(*contents)

    def _read(self) -> tuple[bytes, bytes, bytes | None]:
        authority = self._client_ca.read_bytes() if self._client_ca else None
        return self._certificate.read_bytes(), self._key.read_bytes(), authority

    def _check(self) -> None:
        """Raises ValueError for what gRPC would refuse without saying why."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # The empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(self._certificate, self._key, password="")
        except ssl.SSLError:
            raise ValueError(
                f"{self._certificate} and {self._key}: not a certificate and its key"
            ) from None
        if self._client_ca:
            try:
                context.load_verify_locations(self._client_ca)
            except ssl.SSLError:
                raise ValueError(f"{self._client_ca}: not a certificate") from None


def _configuration(certificate: bytes, key: bytes, authority: bytes | None):
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authority)


class BearerToken(grpc.ServerInterceptor):
    """Refuses calls without `authorization: Bearer TOKEN`; checks of health excepted.

    Args:
        path: file that holds the token, one line.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it holds no token.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = Path(path)
        self._token = self._read()
        # A stream's handler, because it need not wait for the message.
        self._refusal = grpc.stream_stream_rpc_method_handler(_refuse)

    def intercept_service(self, continuation, handler_call_details):
        is_health = handler_call_details.method.startswith(HEALTH_SERVICE)
        if is_health or self._is_right(handler_call_details.invocation_metadata):
            return continuation(handler_call_details)
        return self._refusal

    def _is_right(self, metadata) -> bool:
        values = [value for key, value in metadata if key == "authorization"]
        scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("",) * 3
        return scheme.lower() == "bearer" and hmac.compare_digest(
            token.encode(), self._current()
        )

    def _current(self) -> bytes:
        try:
            self._token = self._read()
        except (OSError, ValueError):
            pass  # half written, perhaps: the last one still holds
        return self._token

    def _read(self) -> bytes:
        token = self._path.read_bytes().strip()
        if not token or any(byte not in range(33, 127) for byte in token):
            raise ValueError(f"{self._path}: must hold one token of visible ASCII")
        return token


def _refuse(requests, context):
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "A valid bearer token is required")
