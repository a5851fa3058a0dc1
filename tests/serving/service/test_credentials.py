"""Who is let in: TLS, mutual TLS and the bearer token, and files that change."""

import os
import shutil
import ssl
import subprocess

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from serving.server import Server
from serving.service import BearerToken, Certificates
from tests.serving.certificates import Authority

TOKEN = "s3cret"
RIGHT = ("authorization", f"Bearer {TOKEN}")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates") / "ours")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates") / "strange")


@pytest.fixture(scope="session")
def issued(authority):
    """A certificate for a server, and its key."""
    return authority.issue("server")


def ask(channel, *metadata, timeout=20) -> grpc.StatusCode:
    """The status code of a call that any client may make of a model."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "toy"
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    try:
        stub.GetModelStatus(request, timeout=timeout, metadata=metadata)
    except grpc.RpcError as refusal:
        return refusal.code()
    return grpc.StatusCode.OK


def ask_securely(address, authority, certificate=None, key=None) -> grpc.StatusCode:
    """The same on a new connection, with a client's certificate perhaps."""
    files = (authority.certificate, key, certificate)
    contents = [file and file.read_bytes() for file in files]
    # A pool of its own: gRPC would use an open connection again.
    options = [("grpc.use_local_subchannel_pool", 1)]
    credentials = grpc.ssl_channel_credentials(*contents)
    with grpc.secure_channel(address, credentials, options) as channel:
        return ask(channel)


def replace(source, target) -> None:
    """Replaces a file as a careful administrator does."""
    shutil.copy(source, f"{target}.new")
    os.replace(f"{target}.new", target)


def presented(address: str) -> str:
    host, _, port = address.rpartition(":")
    return ssl.get_server_certificate((host, int(port)))


def test_clients_that_trust_the_authority_are_answered(
    base_path, authority, stranger, issued
):
    with Server(base_path, "toy", certificates=Certificates(*issued)) as server:
        assert ask_securely(server.address, authority) == grpc.StatusCode.OK
        refusal = ask_securely(server.address, stranger)
        assert refusal == grpc.StatusCode.UNAVAILABLE
        with grpc.insecure_channel(server.address) as channel:
            assert ask(channel) == grpc.StatusCode.UNAVAILABLE


def test_mutual_tls_refuses_clients_without_a_certificate_of_the_authority(
    base_path, authority, stranger, issued, tmp_path
):
    client_ca = tmp_path / "client_ca.pem"
    replace(authority.certificate, client_ca)
    known, unknown = authority.issue("client"), stranger.issue("client")
    certificates = Certificates(*issued, client_ca)
    with Server(base_path, "toy", certificates=certificates) as server:

        def answer(*client):
            return ask_securely(server.address, authority, *client)

        assert answer(*known) == grpc.StatusCode.OK
        assert answer(*unknown) == grpc.StatusCode.UNAVAILABLE
        assert answer() == grpc.StatusCode.UNAVAILABLE
        replace(stranger.certificate, client_ca)
        assert answer(*known) == grpc.StatusCode.UNAVAILABLE
        assert answer(*unknown) == grpc.StatusCode.OK


def test_renewed_certificate_is_presented_once_its_key_is_there(
    base_path, authority, issued, tmp_path, caplog
):
    files = tmp_path / "server.pem", tmp_path / "server.key"
    renewed = authority.issue("renewed")
    for source, target in zip(issued, files, strict=True):
        replace(source, target)
    with Server(base_path, "toy", certificates=Certificates(*files)) as server:
        old = presented(server.address)
        assert old.strip() == issued[0].read_text().strip()
        replace(renewed[0], files[0])
        assert presented(server.address) == old
        assert "not a certificate and its key" in caplog.text
        files[1].unlink()
        assert presented(server.address) == old
        replace(renewed[1], files[1])
        assert presented(server.address).strip() == renewed[0].read_text().strip()
        assert ask_securely(server.address, authority) == grpc.StatusCode.OK


@pytest.mark.parametrize("wrong", ["certificate", "key", "client_ca"])
def test_files_that_are_no_certificates_are_refused(wrong, authority, issued, tmp_path):
    files = dict(zip(("certificate", "key"), issued, strict=True))
    files |= {"client_ca": authority.certificate, wrong: tmp_path / "wrong"}
    (tmp_path / "wrong").write_text("nothing of the kind")
    with pytest.raises(ValueError, match="wrong.*: not a certificate"):
        Certificates(**files)
    (tmp_path / "wrong").unlink()
    with pytest.raises(FileNotFoundError, match="wrong"):
        Certificates(**files)


def test_key_with_a_passphrase_is_refused(issued, tmp_path):
    certificate, key = issued
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "ec", "-aes256", "-passout", "pass:x", "-in", key, "-out", locked],
        check=True,
        capture_output=True,
    )
    with pytest.raises(ValueError, match="locked.key: not a certificate and its key"):
        Certificates(certificate, locked)


@pytest.fixture(scope="module")
def guarding(base_path, tmp_path_factory):
    """A server that asks for a token, and the file of that."""
    token_file = tmp_path_factory.mktemp("guarded") / "token"
    token_file.write_text(TOKEN)
    with Server(base_path, "toy", token=BearerToken(token_file)) as server:
        with grpc.insecure_channel(server.address) as channel:
            yield channel, token_file


@pytest.fixture
def guarded(guarding):
    """A channel to the server, whose token is the right one again."""
    channel, token_file = guarding
    token_file.write_text(f"{TOKEN}\n")
    return channel


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("authorization", "Bearer wrong")],
        [("authorization", f"Bearer {TOKEN}s")],
        [("authorization", f"Bearer {TOKEN[:-1]}")],
        [("authorization", f"Basic {TOKEN}")],
        [("authorization", TOKEN)],
        [("authorization", "Bearer ")],
        [("authorization", "")],
        [("x-authorization", RIGHT[1])],
        [RIGHT, ("authorization", "Bearer wrong")],
    ],
)
def test_call_without_the_token_is_unauthenticated(guarded, metadata):
    assert ask(guarded, *metadata) == grpc.StatusCode.UNAUTHENTICATED
    assert ask(guarded, RIGHT) == grpc.StatusCode.OK


def test_token_opens_everything_and_health_needs_none(guarded, capfd, caplog):
    assert ask(guarded, RIGHT) == grpc.StatusCode.OK
    assert ask(guarded, ("authorization", f"bearer {TOKEN}")) == grpc.StatusCode.OK
    assert ask(guarded) == grpc.StatusCode.UNAUTHENTICATED
    wrong = ("authorization", "Bearer wr0ng")
    assert ask(guarded, wrong) == grpc.StatusCode.UNAUTHENTICATED
    unknown = guarded.unary_unary("/tensorflow.serving.PredictionService/Unknown")
    with pytest.raises(grpc.RpcError) as refusal:
        unknown(b"", timeout=20)
    assert refusal.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert refusal.value.details() == "A valid bearer token is required"
    health = health_pb2_grpc.HealthStub(guarded)
    answer = health.Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    written = caplog.text + "".join(capfd.readouterr())
    assert TOKEN not in written and "wr0ng" not in written


def test_replaced_token_holds_from_the_next_call(guarded, guarding):
    _, token_file = guarding
    token_file.write_text("another\n")
    assert ask(guarded, RIGHT) == grpc.StatusCode.UNAUTHENTICATED
    another = ("authorization", "Bearer another")
    assert ask(guarded, another) == grpc.StatusCode.OK
    token_file.write_text("")
    assert ask(guarded, ("authorization", "Bearer ")) == grpc.StatusCode.UNAUTHENTICATED
    assert ask(guarded, another) == grpc.StatusCode.OK
    token_file.unlink()
    assert ask(guarded, another) == grpc.StatusCode.OK


@pytest.mark.parametrize("content", [b"", b" \n", b"two words", b"a\nb", b"\xff\xff"])
def test_file_without_a_token_is_refused(content, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_bytes(content)
    with pytest.raises(ValueError, match="token: must hold one token of visible ASCII"):
        BearerToken(token_file)
