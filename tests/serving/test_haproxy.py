"""The real HAProxy, with our configuration, before embedded servers."""

import functools
import grp
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
import types
from pathlib import Path

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2
from tensorflow_serving.apis import predict_pb2

from serving.client import TextVAEClient, retries, tls_credentials
from serving.server import Server
from tests.serving.certificates import Authority
from tests.serving.conftest import under_load, wait_for

if not shutil.which("haproxy"):
    pytest.skip("haproxy is not installed", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "serving" / "haproxy" / "haproxy.cfg"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
HEALTH = "/grpc.health.v1.Health"
RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "authority")


@pytest.fixture(scope="module")
def servers(base_path):
    with Server(base_path, "toy") as first, Server(base_path, "toy") as second:
        yield first, second


@pytest.fixture(scope="module")
def settings(authority):
    """The environment that takes the place of the configuration's own settings."""
    certificate, key = authority.issue("edge")
    both = certificate.with_name("both.pem")
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return {
        "TEXTVAE_CERTIFICATE": str(both),
        "TEXTVAE_CLIENT_CA": str(authority.certificate),
        "TEXTVAE_USER": pwd.getpwuid(os.getuid()).pw_name,
        "TEXTVAE_GROUP": grp.getgrgid(os.getgid()).gr_name,
    }


@pytest.fixture(scope="module")
def start(settings, tmp_path_factory):
    """Two addresses -> HAProxy's, and the file of its log; stopped at the end."""
    processes = []

    def start(first: str, second: str) -> tuple[str, Path]:
        log = tmp_path_factory.mktemp("haproxy") / "log"
        with socket.create_server(("127.0.0.1", 0)) as listener, open(log, "wb") as out:
            addresses = {
                "TEXTVAE_ADDRESS": f"fd@{listener.fileno()}",
                "TEXTVAE_BACKEND_1": first,
                "TEXTVAE_BACKEND_2": second,
            }
            processes.append(
                subprocess.Popen(
                    ["haproxy", "-f", CONFIGURATION],
                    env=os.environ | settings | addresses,
                    stdout=out,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[listener.fileno()],
                )
            )
            return f"127.0.0.1:{listener.getsockname()[1]}", log

    yield start
    for process in processes:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def edge(start, servers):
    return start(*(server.address for server in servers))


@pytest.fixture(scope="module")
def connect(authority):
    """Address, authority of the client's certificate -> channel."""
    channels = []

    def connect(address: str, issuer: Authority | None = authority, options=()):
        certificate, key = issuer.issue("client") if issuer else (None, None)
        credentials = grpc.ssl_channel_credentials(
            authority.certificate.read_bytes(),
            key and key.read_bytes(),
            certificate and certificate.read_bytes(),
        )
        channels.append(grpc.secure_channel(address, credentials, options))
        return channels[-1]

    yield connect
    for channel in channels:
        channel.close()


@pytest.fixture(scope="module")
def channel(edge, connect):
    return connect(edge[0], options=[("grpc.max_send_message_length", -1)])


def refusal(channel, path: str, message: bytes = b"") -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refusal:
        channel.unary_unary(path)(message, timeout=20)
    return refusal.value


def answered_by(log: Path) -> list[str]:
    """The backends that answered a Predict, call by call."""
    return re.findall(r"/Predict (server\d) 200 ", log.read_text())


def test_configuration_is_valid_without_warnings(settings):
    check = subprocess.run(
        ["haproxy", "-c", "-V", "-f", CONFIGURATION],
        env=os.environ | settings,
        capture_output=True,
        text=True,
    )
    assert check.stdout == "Configuration file is valid\n"
    assert check.stderr == ""


def test_calls_spread_over_the_servers_and_texts_are_not_logged(
    edge, channel, make_request
):
    _, log = edge
    before = len(answered_by(log))
    request = make_request("reconstruct", text=["xyzzy  plugh"]).SerializeToString()
    predict = channel.unary_unary(
        PREDICT, response_deserializer=predict_pb2.PredictResponse.FromString
    )
    for _ in range(10):
        response = predict(request, timeout=20)
        assert response.outputs["text"].string_val == [b"xyzzy plugh"]
    wait_for(lambda: len(answered_by(log)) == before + 10)
    backends = answered_by(log)[before:]
    assert min(backends.count("server1"), backends.count("server2")) >= 3
    assert "xyzzy" not in log.read_text()
    assert re.search(f" 127.0.0.1 client {PREDICT} ", log.read_text())


@pytest.mark.parametrize("issuer", ["none", "another"])
def test_client_without_a_certificate_of_ours_is_refused(
    issuer, edge, connect, tmp_path
):
    other = Authority(tmp_path / "other") if issuer == "another" else None
    assert refusal(connect(edge[0], other), PREDICT).code() == (
        grpc.StatusCode.UNAVAILABLE
    )


def test_plaintext_is_refused(edge):
    with grpc.insecure_channel(edge[0]) as channel:
        assert refusal(channel, PREDICT).code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "path",
    [
        PREDICT,
        "/tensorflow.serving.PredictionService/GetModelMetadata",
        "/tensorflow.serving.ModelService/GetModelStatus",
    ],
)
def test_path_is_allowed(path, channel):
    answer = refusal(channel, path)
    assert answer.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert answer.details() == "Missing ModelSpec"


def test_health_is_allowed(channel):
    serving = health_pb2.HealthCheckResponse(status="SERVING").SerializeToString()
    assert channel.unary_unary(f"{HEALTH}/Check")(b"", timeout=20) == serving
    # A client that watches takes this for healthy, and any other error for ill.
    watch = refusal(channel, f"{HEALTH}/Watch")
    assert watch.code() == grpc.StatusCode.UNIMPLEMENTED
    assert watch.details() == "Method not implemented"


@pytest.mark.parametrize(
    "path",
    [
        "/tensorflow.serving.ModelService/HandleReloadConfigRequest",
        "/tensorflow.serving.PredictionService/Classify",
        "/tensorflow.ProfilerService/Profile",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        f"{HEALTH}/List",
        f"{PREDICT}/",
        f"/..{PREDICT}",
        "/",
    ],
)
def test_any_other_path_is_refused(path, channel):
    answer = refusal(channel, path)
    assert answer.code() == grpc.StatusCode.PERMISSION_DENIED
    assert answer.details() == "Received http2 header with status: 403"


def test_request_of_more_than_16_mib_is_refused_and_the_next_is_answered(channel):
    answer = refusal(channel, PREDICT, bytes(16 * 2**20 + 1))
    assert answer.code() == grpc.StatusCode.UNKNOWN
    assert answer.details() == "Received http2 header with status: 413"
    # The servers read it, and answer: as a message it is malformed.
    answer = refusal(channel, PREDICT, bytes(16 * 2**20))
    assert answer.code() == grpc.StatusCode.INTERNAL


def test_calls_of_a_client_that_retries_survive_a_server_that_stops(
    base_path, servers, start, connect, make_request
):
    with Server(base_path, "toy") as stopping:
        address, log = start(servers[0].address, stopping.address)
        options = [("grpc.service_config", json.dumps(RETRIES))]
        predict = connect(address, options=options).unary_unary(PREDICT)
        request = make_request("reconstruct", text=["a  b"]).SerializeToString()
        with under_load(lambda: predict(request, timeout=20)) as answers:
            wait_for(lambda: answered_by(log).count("server2") >= 20)
            stopping.stop()
            wait_for(lambda: "embedded_servers/server2 is DOWN" in log.read_text())
            before = len(answers)
            wait_for(lambda: len(answers) >= before + 20)


def test_calls_of_our_client_survive_a_server_that_is_killed(
    base_path, servers, start, authority, start_server, monkeypatch
):
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        time.sleep(seconds)

    clock = types.SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
    monkeypatch.setattr(retries, "time", clock)
    flags = f"--model_base_path={base_path}", "--model_name=toy"
    process, backend, _ = start_server(*flags)
    address, log = start(servers[0].address, backend)
    certificate, key = authority.issue("client")
    credentials = tls_credentials(authority.certificate, certificate, key)
    with TextVAEClient(address, "toy", 60, credentials=credentials) as client:
        spin = functools.partial(client.predict, "spin", steps=np.int32(2000))
        with under_load(spin, clients=8) as answers:
            wait_for(lambda: answered_by(log).count("server2") >= 20)
            process.kill()
            wait_for(lambda: "embedded_servers/server2 is DOWN" in log.read_text())
            before = len(answers)
            wait_for(lambda: len(answers) >= before + 20)
    assert pauses  # calls were cut off, and tried again


def test_units_start_servers_on_the_ports_of_the_configuration():
    unit = CONFIGURATION.with_name("textvae@.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.*)", unit.replace("\\\n", ""), re.MULTILINE)
    _, program, *flags = command.split()
    assert program == "serving/server.py"
    declared = (ROOT / "serving" / "server_flags.py").read_text()
    known = re.findall(r"DEFINE_\w+\(\s*\"(\w+)\"", declared)
    assert {re.fullmatch(r"--(\w+)=.+", flag)[1] for flag in flags} <= set(known)
    assert "--port=%i" in flags
    backends = r"TEXTVAE_BACKEND_\d +127\.0\.0\.1:(\d+)"
    ports = re.findall(backends, CONFIGURATION.read_text())
    assert ports == re.findall(r"textvae@(\d+)", unit)
