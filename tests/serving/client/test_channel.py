"""TLS, mutual TLS, and where a token may go."""

import subprocess

import grpc
import pytest

from serving.client import TextVAEClient, channel, tls_credentials

SECRET = "s3cret-of-ours"


@pytest.fixture(scope="session")
def pem(tmp_path_factory):
    """A folder with an authority, and with what it signed: a server and a client.

    `other.pem` is of another authority.
    """
    folder = tmp_path_factory.mktemp("pem")

    def make(name: str, *options: str) -> None:
        key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split()
        files = f"-keyout {name}.key -out {name}.pem".split()
        command = ["openssl", "req", "-x509", *key, *files, "-subj", f"/CN={name}"]
        subprocess.run(
            [*command, *options], cwd=folder, check=True, capture_output=True
        )

    signed = "-CA", "ca.pem", "-CAkey", "ca.key"
    make("ca")
    make("other")
    make("server", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
    make("client", *signed)
    return folder


@pytest.fixture
def server_credentials(pem):
    """Whether clients must have a certificate -> a server's credentials."""

    def server_credentials(mutual: bool) -> grpc.ServerCredentials:
        key, certificate, ca = (
            (pem / name).read_bytes() for name in ("server.key", "server.pem", "ca.pem")
        )
        return grpc.ssl_server_credentials([(key, certificate)], ca, mutual)

    return server_credentials


def failure(address: str, credentials) -> grpc.RpcError:
    with TextVAEClient(address, timeout=0.3, credentials=credentials) as client:
        with pytest.raises(grpc.RpcError) as failure:
            client.reconstruct(["a"])
    return failure.value


def test_tls_and_a_token(serve, echo, pem, server_credentials):
    servicer = echo()
    address = serve(servicer, server_credentials(mutual=False))
    options = {"credentials": tls_credentials(pem / "ca.pem"), "token": SECRET}
    with TextVAEClient(address, **options) as client:
        assert client.reconstruct(["a"]) == ["a"]
    assert servicer.metadata[0]["authorization"] == f"Bearer {SECRET}"


def test_a_server_of_another_authority_is_refused(serve, echo, pem, server_credentials):
    servicer = echo()
    address = serve(servicer, server_credentials(mutual=False))
    for credentials in (tls_credentials(pem / "other.pem"), tls_credentials()):
        error = failure(address, credentials)
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        assert "CERTIFICATE_VERIFY_FAILED" in error.details()
    assert servicer.requests == []


def test_mutual_tls_needs_the_clients_certificate(serve, echo, pem, server_credentials):
    servicer = echo()
    address = serve(servicer, server_credentials(mutual=True))
    for credentials in (None, tls_credentials(pem / "ca.pem")):
        assert failure(address, credentials).code() == grpc.StatusCode.UNAVAILABLE
    assert servicer.requests == []
    files = pem / "ca.pem", pem / "client.pem", pem / "client.key"
    with TextVAEClient(address, credentials=tls_credentials(*files)) as client:
        assert client.reconstruct(["a"]) == ["a"]


def test_files_that_do_not_fit_are_refused_at_once(pem):
    ca, certificate, key = pem / "ca.pem", pem / "client.pem", pem / "client.key"
    for files in [(ca, certificate), (ca, None, key)]:
        with pytest.raises(ValueError, match="certificate and its key go together"):
            tls_credentials(*files)
    with pytest.raises(ValueError, match="client.key: no certificate in PEM"):
        tls_credentials(key)
    for wrong in (pem / "server.key", ca):
        with pytest.raises(ValueError, match=": no certificate and its key"):
            tls_credentials(ca, certificate, wrong)
    with pytest.raises(FileNotFoundError, match="none.pem"):
        tls_credentials(pem / "none.pem")


@pytest.mark.parametrize(
    "address, stays",
    [
        ("127.0.0.1:8500", True),
        ("127.8.9.1:8500", True),
        ("[::1]:8500", True),
        ("localhost:8500", True),
        ("unix:/run/textvae", True),
        ("10.0.0.1:8500", False),
        ("[2001:db8::1]:8500", False),
        ("example.org:8500", False),
        ("localhost.example.org:8500", False),
        ("127.0.0.1.example.org:8500", False),
        ("dns:///127.0.0.1:8500", False),
        ("ipv4:127.0.0.1:1,10.0.0.1:1", False),
    ],
)
def test_a_token_leaves_this_machine_by_tls_only(address, stays):
    assert channel.stays_on_this_machine(address) == stays
    TextVAEClient(address, token=SECRET, credentials=tls_credentials()).close()
    TextVAEClient(address).close()
    if stays:
        TextVAEClient(address, token=SECRET).close()
    else:
        with pytest.raises(ValueError) as refusal:
            TextVAEClient(address, token=SECRET)
        expected = "a token needs TLS: it would go over the network in clear"
        assert str(refusal.value) == expected


@pytest.mark.parametrize("token", ["", f"{SECRET}\n", f"{SECRET}\u00e9", f"{SECRET}\0"])
def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(token):
    with pytest.raises(ValueError) as refusal:
        channel.bearer(token)
    assert str(refusal.value) == "a token is one line of printable ASCII"


def test_the_program_uses_tls_and_a_token_from_a_file(
    program, serve, echo, pem, server_credentials, tmp_path
):
    servicer = echo()
    address = f"--address={serve(servicer, server_credentials(mutual=True))}"
    token = tmp_path / "token"
    token.write_text(f"{SECRET}\n")
    files = {"ca": "ca.pem", "certificate": "client.pem", "key": "client.key"}
    tls = [f"--tls_{name}={pem / file}" for name, file in files.items()]
    result = program("reconstruct", "--text=a", address, *tls, f"--token_file={token}")
    assert result == (0, "a\n", "")
    assert servicer.metadata[0]["authorization"] == f"Bearer {SECRET}"
    code, _, line = program(
        "reconstruct", "--text=a", address, "--tls", "--timeout=0.5"
    )
    assert code == 1
    assert line.startswith("client: UNAVAILABLE: ")
    assert "CERTIFICATE_VERIFY_FAILED" in line
    assert line.count("\n") == 1
