"""The connection to a server: TLS, and a token for it."""

import ipaddress
import os
import pathlib
import ssl

import grpc

OPTIONS = [
    # Answers of any size.
    ("grpc.max_receive_message_length", -1),
    # Dialled directly, whatever HTTP proxy the environment names.
    ("grpc.enable_http_proxy", 0),
    # Milliseconds; by default a server that is just starting is missed for a second
    # or more after each vain attempt.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # For all its name this is how long an attempt to connect may take, where nobody
    # answers at all; by default 20 seconds.
    ("grpc.min_reconnect_backoff_ms", 5000),
]


def tls_credentials(
    ca: str | os.PathLike | None = None,
    certificate: str | os.PathLike | None = None,
    key: str | os.PathLike | None = None,
) -> grpc.ChannelCredentials:
    """Credentials for TLS; mutual TLS with a certificate and its key.

    Args:
        ca: PEM file of the authorities that may have signed the server's certificate;
            None for the public ones that gRPC brings.
        certificate: PEM file of the client's own certificate chain.
        key: PEM file of its private key.

    Raises:
        ValueError: if there is a certificate without a key, or the reverse; if a file
            does not hold what it should.
        OSError: if a file cannot be read.
    """
    if (certificate is None) != (key is None):
        raise ValueError("a client's certificate and its key go together")
    credentials = grpc.ssl_channel_credentials(
        _read(ca), _read(key), _read(certificate)
    )
    _check(ca, certificate, key)
    return credentials


def open_channel(
    address: str, credentials: grpc.ChannelCredentials | None
) -> grpc.Channel:
    """A channel to the address, unencrypted where there are no credentials."""
    if credentials is None:
        return grpc.insecure_channel(address, OPTIONS)
    return grpc.secure_channel(address, credentials, OPTIONS)


def bearer(token: str) -> tuple[tuple[str, str]]:
    """The metadata that carry a token.

    Raises:
        ValueError: if the token is no header's value. The message does not repeat it.
    """
    if not (token and token.isascii() and token.isprintable()):
        raise ValueError("a token is one line of printable ASCII")
    return (("authorization", f"Bearer {token}"),)


def stays_on_this_machine(address: str) -> bool:
    """Whether the address is a loopback one, or a Unix socket."""
    if address.startswith(("unix:", "unix-abstract:")):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check(ca, certificate, key) -> None:
    """Raises ValueError for what gRPC would take, and then fail to connect with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ca is not None:
            context.load_verify_locations(ca)
    except ssl.SSLError:
        raise ValueError(f"{ca}: no certificate in PEM") from None
    try:
        if certificate is not None:
            # A password, even if none is right, keeps it from asking for one.
            context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError:
        raise ValueError(f"{certificate}, {key}: no certificate and its key") from None


def _read(path: str | os.PathLike | None) -> bytes | None:
    return None if path is None else pathlib.Path(path).read_bytes()
