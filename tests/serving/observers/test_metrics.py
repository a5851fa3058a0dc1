"""What Prometheus is told."""

import socket
import urllib.request

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.observers.metrics import BUCKETS, CONTENT_TYPE, UNKNOWN_MODEL, Metrics
from serving.service import Call

COUNT = ":tensorflow:serving:request_count"
REQUEST = ":tensorflow:serving:request_latency"
RUNTIME = ":tensorflow:serving:runtime_latency"
OK = Call("toy", True, 7, "encode", 3, grpc.StatusCode.OK, 0.002, 0.0005)
WRONG = OK._replace(code=grpc.StatusCode.INVALID_ARGUMENT, seconds=9.0)


@pytest.fixture
def metrics():
    metrics = Metrics()
    yield metrics
    metrics.close()


def scrape(port: int) -> dict:
    """Value by name and labels, as Prometheus reads them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
        families = text_string_to_metric_families(response.read().decode())
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }


def counted(samples, model, status):
    return samples.get((COUNT, ("model_name", model), ("status", status)))


def test_calls_are_counted_by_model_and_status(metrics):
    for call in (OK, OK, WRONG):
        metrics.observe(call)
    samples = scrape(metrics.serve(0))
    assert counted(samples, "toy", "OK") == 2
    assert counted(samples, "toy", "INVALID_ARGUMENT") == 1


def test_latencies_are_in_microseconds_and_of_successes_only(metrics):
    for call in (OK, OK, WRONG):
        metrics.observe(call)
    samples = scrape(metrics.serve(0))
    labels = ("API", "Predict"), ("entrypoint", "GRPC"), ("model_name", "toy")
    assert samples[f"{REQUEST}_count", *labels] == 2
    assert samples[f"{REQUEST}_sum", *labels] == pytest.approx(4000)
    labels = ("API", "Predict"), ("model_name", "toy"), ("runtime", "TF1")
    assert samples[f"{RUNTIME}_count", *labels] == 2
    assert samples[f"{RUNTIME}_sum", *labels] == pytest.approx(1000)
    bounds = [key[2][1] for key in samples if key[0] == f"{RUNTIME}_bucket"]
    assert len(bounds) == len(BUCKETS) + 1
    assert (BUCKETS[0], round(BUCKETS[-1] / 6e7)) == (10, 25)  # to minutes


def test_unknown_models_are_one_label(metrics):
    for name in ("x", "y", "../toy"):
        metrics.observe(
            WRONG._replace(model=name, known=False, code=grpc.StatusCode.NOT_FOUND)
        )
    samples = scrape(metrics.serve(0))
    assert counted(samples, UNKNOWN_MODEL, "NOT_FOUND") == 3
    assert sum(key[0] == COUNT for key in samples) == 1


def test_names_keep_their_colons_for_a_scraper_that_prefers_openmetrics(metrics):
    metrics.observe(OK)
    url = f"http://127.0.0.1:{metrics.serve(0)}/monitoring/prometheus/metrics"
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=accept)) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        lines = answer.read().decode().splitlines()
    assert f'{COUNT}{{model_name="toy",status="OK"}} 1.0' in lines


def test_servers_count_for_themselves(metrics):
    metrics.observe(OK)
    other = Metrics()
    assert counted(scrape(other.serve(0)), "toy", "OK") is None
    other.close()


def test_port_is_a_loopback_one_and_closes(metrics):
    port = metrics.serve(0)
    assert metrics._http.server_address[0] == "127.0.0.1"
    metrics.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_port_in_use_is_refused(metrics):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"^127.0.0.1:{port}: Address already in use"):
            metrics.serve(port)
