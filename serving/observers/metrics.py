"""Counts calls for Prometheus, under the names that TensorFlow Serving gives them.

Needs the extra `serving`.
"""

import collections
import functools
import http.server
import threading

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import UnknownMetricFamily

HOST = "127.0.0.1"

# Whatever a scraper would like: prometheus_client's OpenMetrics turns the colons of the
# names into underscores.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Clients make names up; those must not make new time series.
UNKNOWN_MODEL = "unknown"

# Microseconds, 10 to 20 minutes: TensorFlow Serving's own.
BUCKETS = [10 * 1.8**power for power in range(33)]


class Metrics:
    """The metrics of one server, and the loopback port that Prometheus asks.

    `:tensorflow:serving:request_count` counts every Predict call by model and status.
    `request_latency` and `runtime_latency` are histograms, in microseconds, of the
    calls that succeed.
    """

    def __init__(self):
        self.registry = CollectorRegistry()  # its own: a process may have two servers
        self._requests = RequestCount()
        self.registry.register(self._requests)
        self._request_latency = self._latency("request", "entrypoint")
        self._runtime_latency = self._latency("runtime", "runtime")
        self._http = None

    def _latency(self, what: str, label: str) -> Histogram:
        return Histogram(
            f":tensorflow:serving:{what}_latency",
            f"Wall time of a {what}, in microseconds.",
            ["model_name", "API", label],
            registry=self.registry,
            buckets=BUCKETS,
        )

    def observe(self, call) -> None:
        """Counts one call, a `serving.service.Call`."""
        name = call.model if call.known else UNKNOWN_MODEL
        self._requests.add(name, call.code.name)
        if call.code.name == "OK":
            request = self._request_latency.labels(name, "Predict", "GRPC")
            request.observe(call.seconds * 1e6)
            runtime = self._runtime_latency.labels(name, "Predict", "TF1")
            runtime.observe(call.runtime_seconds * 1e6)

    def serve(self, port: int) -> int:
        """Answers Prometheus, whatever the path; returns the port.

        Args:
            port: the port on 127.0.0.1; 0 picks a free one.

        Raises:
            OSError: if the port cannot be listened on.
        """
        handler = functools.partial(Handler, self.registry)
        try:
            self._http = http.server.ThreadingHTTPServer((HOST, port), handler)
        except OSError as error:
            raise OSError(f"{HOST}:{port}: {error.strerror}") from None
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self._http.server_port

    def close(self) -> None:
        """Closes the port, if it is open."""
        if self._http:
            self._http.shutdown()
            self._http.server_close()
            self._http = None


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every GET with the metrics of a registry."""

    def __init__(self, registry: CollectorRegistry, *arguments):
        self._registry = registry
        super().__init__(*arguments)

    def do_GET(self):
        body = generate_latest(self._registry)
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Logs nothing: scrapes are no news."""


class RequestCount:
    """A counter without the suffix `_total` that prometheus_client appends."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = collections.Counter()

    def add(self, model_name: str, status: str) -> None:
        with self._lock:
            self._counts[model_name, status] += 1

    def collect(self):
        """The metric as it is now; the registry calls this."""
        family = UnknownMetricFamily(
            ":tensorflow:serving:request_count",
            "Predict calls answered.",
            labels=["model_name", "status"],
        )
        with self._lock:
            counts = dict(self._counts)
        for labels, count in counts.items():
            family.add_metric(labels, count)
        yield family
