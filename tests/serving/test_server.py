"""The server: as a process of its own, its flags, and what it adds to the servicer."""

import io
import json
import signal
import socket
import sys
import urllib.request

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from tensorflow_serving.apis import prediction_service_pb2_grpc

from serving import server as program
from serving.observers import CallLog
from serving.observers.metrics import Metrics
from serving.server import Server
from tests.examples.conftest import run_program
from tests.serving.certificates import Authority

READY = "tensorflow.serving.PredictionService"
TEXT = "what a user wrote"
SERVICES = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1alpha.ServerReflection",
    "tensorflow.serving.ModelService",
    "tensorflow.serving.PredictionService",
]


def check_health(channel, service: str = READY) -> str:
    request = health_pb2.HealthCheckRequest(service=service)
    answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=20)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def refusal_of(call, *arguments) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refusal:
        call(*arguments)
    return refusal.value.code()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_terminated_server_finishes_its_calls(
    base_path, start_server, connect, make_request
):
    process, address, errors = start_server(
        f"--model_base_path={base_path}",
        "--model_name=toy",
        "--max_calls_in_flight=1",
    )
    stubs = connect(address)
    assert stubs.predict("reconstruct", text=["a  b"])["text"] == [b"a b"]

    request = make_request("spin", steps=np.int32(500_000))
    in_flight = stubs.prediction.Predict.future(request, timeout=20)
    with pytest.raises(grpc.FutureTimeoutError):
        in_flight.result(timeout=0.3)
    assert refusal_of(stubs.predict, "sample") == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert check_health(stubs.channel) == "SERVING"
    process.send_signal(signal.SIGTERM)
    assert in_flight.result().outputs["trace"].float_val == [8.0]
    assert process.wait(timeout=10) == 0
    assert process.stdout.read() == ""
    assert errors.read_text() == ""
    assert refusal_of(stubs.predict, "sample") == grpc.StatusCode.UNAVAILABLE


def test_every_flag_at_once(base_path, start_server, make_request, tmp_path):
    authority = Authority(tmp_path / "authority")
    (certificate, key), client = authority.issue("server"), authority.issue("client")
    (tmp_path / "token").write_text("s3cret")
    config = 'config { name: "%s" base_path: "%s" model_platform: "tensorflow" }'
    models = [config % (name, base_path) for name in ("toy", "too")]
    config_file = tmp_path / "models.config"
    config_file.write_text("model_config_list {" + "".join(models) + "}")
    metrics_port = free_port()
    process, address, errors = start_server(
        f"--models_config={config_file}",
        *("--poll_seconds=0.1", "--host=127.0.0.1"),
        *("--grpc_max_message_mib=1", "--max_calls_in_flight=2"),
        *(f"--tls_certificate={certificate}", f"--tls_key={key}"),
        *(f"--client_ca={authority.certificate}", f"--token_file={tmp_path / 'token'}"),
        *(f"--metrics_port={metrics_port}", "--reflection", "--log_calls"),
        serving="toy version 7, too version 7",
    )
    files = authority.certificate, client[1], client[0]
    credentials = grpc.ssl_channel_credentials(*(file.read_bytes() for file in files))
    with grpc.secure_channel(address, credentials) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        request = make_request("reconstruct", text=[TEXT])
        metadata = [("authorization", "Bearer s3cret")]
        stub.Predict(request, timeout=20, metadata=metadata)
        assert refusal_of(stub.Predict, request, 20) == grpc.StatusCode.UNAUTHENTICATED
        assert check_health(channel) == "SERVING"
    with grpc.secure_channel(
        address, grpc.ssl_channel_credentials(authority.certificate.read_bytes())
    ) as channel:
        assert refusal_of(check_health, channel) == grpc.StatusCode.UNAVAILABLE
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/") as answer:
        count = ':tensorflow:serving:request_count{model_name="toy",status="OK"} 1.0'
        assert count in answer.read().decode().splitlines()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    written = errors.read_text()
    (call,) = [json.loads(line) for line in written.splitlines() if line[0] == "{"]
    assert (call["model"], call["code"]) == ("toy", "OK")
    assert TEXT not in written and "s3cret" not in written


def test_calls_are_observed_and_texts_are_not(base_path, connect, make_request):
    metrics, written = Metrics(), io.StringIO()
    observers = [metrics.observe, CallLog(written).observe]
    wrong = make_request("reconstruct", text=[[TEXT]])
    unknown = make_request("reconstruct", text=[TEXT, TEXT])
    unknown.model_spec.name = "x" * 1000
    with Server(base_path, "toy", observers=observers) as server:
        stubs = connect(server.address)
        stubs.predict("reconstruct", text=[TEXT] * 3)
        stubs.predict("sample", seed=np.int64([1]))
        refusal_of(stubs.prediction.Predict, wrong, 20)
        refusal_of(stubs.prediction.Predict, unknown, 20)
    calls = [json.loads(line) for line in written.getvalue().splitlines()]
    keys = ("model", "version", "signature", "rows", "code")
    assert [tuple(call[key] for key in keys) for call in calls] == [
        ("toy", 7, "reconstruct", 3, "OK"),
        ("toy", 7, "sample", 1, "OK"),
        ("toy", 7, "reconstruct", 1, "INVALID_ARGUMENT"),
        ("x" * 64, None, "reconstruct", 2, "NOT_FOUND"),
    ]
    assert TEXT not in written.getvalue()
    value = metrics.registry.get_sample_value
    name = ":tensorflow:serving:request_count"
    assert value(name, {"model_name": "toy", "status": "OK"}) == 2
    assert value(name, {"model_name": "toy", "status": "INVALID_ARGUMENT"}) == 1
    assert value(name, {"model_name": "unknown", "status": "NOT_FOUND"}) == 1
    for what, label in (("request", "entrypoint"), ("runtime", "runtime")):
        labels = {"model_name": "toy", "API": "Predict"}
        labels[label] = {"request": "GRPC", "runtime": "TF1"}[what]
        name = f":tensorflow:serving:{what}_latency"
        assert value(f"{name}_count", labels) == 2
        assert 10 < value(f"{name}_sum", labels) < 2e7  # microseconds


def test_health_of_a_running_server(stubs):
    assert check_health(stubs.channel, "") == "SERVING"
    assert check_health(stubs.channel) == "SERVING"
    refusal = refusal_of(check_health, stubs.channel, "unknown")
    assert refusal == grpc.StatusCode.NOT_FOUND


def test_stopping_server_is_not_ready_before_it_refuses_calls(
    base_path, connect, monkeypatch
):
    server = Server(base_path, "toy").start()
    channel, states, stop = connect(server.address).channel, [], server._server.stop

    def look_and_stop(grace):
        states.append(check_health(channel))
        return stop(grace)

    monkeypatch.setattr(server._server, "stop", look_and_stop)
    server.stop()
    assert states == ["NOT_SERVING"]
    assert refusal_of(check_health, channel) == grpc.StatusCode.UNAVAILABLE


def services(channel) -> list[str]:
    return sorted(ProtoReflectionDescriptorDatabase(channel).get_services())


def test_methods_are_listed_by_a_flag_only(base_path, stubs, connect):
    assert refusal_of(services, stubs.channel) == grpc.StatusCode.UNIMPLEMENTED
    with Server(base_path, "toy", reflection=True) as server:
        assert services(connect(server.address).channel) == SERVICES


def test_server_without_the_extra_has_no_health_service(
    base_path, connect, monkeypatch
):
    monkeypatch.setitem(sys.modules, "serving.service.health", None)
    with Server(base_path, "toy") as server:
        stubs = connect(server.address)
        refusal = refusal_of(check_health, stubs.channel)
        assert refusal == grpc.StatusCode.UNIMPLEMENTED
        assert stubs.predict("reconstruct", text=["a"])["text"] == [b"a"]


EXTRA = "pip install keras_textvae[serving]"
ONE_OF = "give one of --model_base_path and --models_config"
PAIR = "--tls_certificate and --tls_key go together"


@pytest.mark.parametrize(
    "arguments, line",
    [
        ([], ONE_OF),
        (["--model_base_path=a", "--models_config=b"], ONE_OF),
        (
            ["--models_config=b", "--model_name=toy"],
            "--model_name goes with --model_base_path only",
        ),
        (["--models_config=/no/such/file"], "/no/such/file: No such file or directory"),
        (["--model_base_path=/no/such"], "/no/such: no such directory"),
        (["--model_base_path=a", "--tls_key=b"], PAIR),
        (["--model_base_path=a", "--tls_certificate=b", "--client_ca=c"], PAIR),
        (
            ["--model_base_path=a", "--client_ca=c"],
            "--client_ca needs --tls_certificate and --tls_key",
        ),
        (
            ["--model_base_path=a", "--tls_certificate=/no/x", "--tls_key=/no/y"],
            "/no/x: No such file or directory",
        ),
        (
            ["--model_base_path=a", "--token_file=/no/token"],
            "/no/token: No such file or directory",
        ),
        (["--model_base_path=a", "--metrics_port=9"], f"--metrics_port needs: {EXTRA}"),
        (["--model_base_path=a", "--reflection"], f"--reflection needs: {EXTRA}"),
        (["--model_base_path=a", "more"], "unexpected argument 'more'"),
    ],
)
def test_mistake_on_the_command_line_is_one_line(arguments, line, capsys, monkeypatch):
    for module in ("serving.observers.metrics", "grpc_reflection.v1alpha.reflection"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # those of the tests stay
    assert run_program(program, [*arguments, "--port=0"]) == 2
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", f"server.py: {line}\n")


def test_port_in_use_is_refused(base_path, server):
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(OSError, match=f"127.0.0.1:{port}: Address already in use$"):
        Server(base_path, "toy", port=port).start()


def test_address_of_another_machine_is_refused(base_path):
    with pytest.raises(OSError, match="192.0.2.1:0: Cannot assign requested address"):
        Server(base_path, "toy", host="192.0.2.1").start()


def test_a_model_that_was_not_exported_by_us_is_refused(base_path):
    message = "7: refused: operation .* is not allowed"
    with pytest.raises(ValueError, match=message):
        Server(base_path, "toy", verify=True).start()
