"""How much does serving cost, and how does it behave under load?

    python benchmarks/serving.py --saved_model=exported/textvae/1
    python benchmarks/serving.py --saved_model=... --signatures=encode --rows=1 \
        --clients=16 --requests=100000

Starts the embedded server on the SavedModel's folder of versions, and calls it from
this process: each of --clients calls again as soon as it has its answer (closed loop),
then calls come at random at --share of that rate, whether or not earlier ones are
answered (open loop), whose latency counts from when a call was due. Beside it stands
the same session called in process by as many threads. Server and clients share the
machine. Rows a second, milliseconds at the median, 95th and 99th percentile, errors.

With --requests, so many calls are made in a closed loop and no others, and the server's
resident memory is told before and after them.
"""

import collections
import itertools
import os
import pathlib
import sys
import threading
import time
from concurrent import futures

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from absl import app, flags
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from serving.saved_model import Engine
from serving.server_process import server_process

TEXT = "the company said it expects a loss"

FLAGS = flags.FLAGS
flags.DEFINE_string("saved_model", None, "a version's folder", required=True)
flags.DEFINE_list("signatures", ["sample", "interpolate", "encode"], "what is called")
flags.DEFINE_list("clients", ["1", "4", "16", "64", "256"], "calls at a time")
flags.DEFINE_list("rows", ["1", "8", "64"], "of a call")
flags.DEFINE_list("share", ["0.5", "0.8"], "of the closed loop's rate, open loop")
flags.DEFINE_float("seconds", 5.0, "of each measurement")
flags.DEFINE_integer("requests", 0, "so many calls instead, and the server's memory", 0)

PARTS = 20  # of a long run, a line of progress after each


def main(argv):
    del argv
    base_path = pathlib.Path(FLAGS.saved_model).resolve().parent
    server = f"--model_base_path={base_path}", "--max_calls_in_flight=512"
    with server_process(*server) as (process, address):
        remote = stub(address)
        engine = None if FLAGS.requests else Engine(FLAGS.saved_model)
        for signature in FLAGS.signatures:
            for rows in map(int, FLAGS.rows):
                if FLAGS.requests:
                    soak(remote, process.pid, signature, rows)
                else:
                    compare(engine, remote, signature, rows)


def stub(address):
    channel = grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)])
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(signature, rows, seed=0):
    texts = [TEXT[seed % len(TEXT) :]] * rows
    inputs = {
        "sample": {"seed": np.arange(seed, seed + rows)},
        "encode": {"text": texts},
        "interpolate": {"start": texts, "end": texts},
    }[signature]
    message = predict_pb2.PredictRequest()
    message.model_spec.name = "textvae"
    message.model_spec.signature_name = signature
    for name, value in inputs.items():
        message.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return message


def compare(engine, remote, signature, rows):
    """Prints a line for each number of clients, in process and served."""
    message = request(signature, rows)

    def inside():
        engine.run(signature, message.inputs)

    def outside():
        remote.Predict(message, timeout=600)

    for count in map(int, FLAGS.clients):
        own = closed_loop(inside, count)
        served = closed_loop(outside, count)
        shown = f"{signature}, {rows} rows, {count} clients"
        show(f"{shown}, in process", own, rows)
        show(f"{shown}, served", served, rows)
    for share in map(float, FLAGS.share):
        rate = share * served.rate
        show(
            f"{signature}, {rows} rows, open {share:.0%}",
            open_loop(outside, rate),
            rows,
        )


class Load:
    """Latencies of calls in seconds, the codes of those that failed, and the time."""

    def __init__(self):
        self.latencies = []
        self.errors = []
        self.seconds = 0.0

    @property
    def rate(self) -> float:
        """Answered calls a second."""
        return len(self.latencies) / self.seconds

    def add(self, call, due):
        """Makes a call, whose latency counts from when it was due."""
        try:
            call()
            self.latencies.append(time.monotonic() - due)
        except grpc.RpcError as error:
            self.errors.append(error.code())


def closed_loop(call, clients) -> Load:
    """Calls for --seconds from so many threads, each as soon as it has its answer."""
    call()  # warm
    load = Load()
    end = time.monotonic() + FLAGS.seconds
    in_time = itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())
    repeat(call, clients, in_time, load)
    return load


def repeat(call, clients, turns, load):
    """Calls once a turn, which so many threads take from one iterator."""

    def client():
        for _ in turns:
            load.add(call, time.monotonic())

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    load.seconds += time.monotonic() - started


def open_loop(call, rate) -> Load:
    """Calls that come at random, so many a second, whatever is still unanswered."""
    rng = np.random.default_rng(0)
    gaps = rng.exponential(1.0 / rate, max(1, int(rate * FLAGS.seconds)))
    load = Load()
    started = time.monotonic()
    with futures.ThreadPoolExecutor(256) as pool:
        for due in started + np.cumsum(gaps):
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(load.add, call, due)
    load.seconds = time.monotonic() - started
    return load


def show(what, load, rows):
    p50, p95, p99 = 1e3 * np.percentile(load.latencies or [np.nan], [50, 95, 99])
    print(
        f"| {what} | {rows * load.rate:.0f} | {p50:.1f} | {p95:.1f} | {p99:.1f} "
        f"| {len(load.errors)} |",
        flush=True,
    )


def soak(remote, pid, signature, rows):
    """Makes --requests calls for each number of clients; prints how it goes."""
    messages = itertools.cycle([request(signature, rows, n) for n in range(1000)])

    def call():
        remote.Predict(next(messages), timeout=600)

    for clients in map(int, FLAGS.clients):
        closed_loop(call, clients)  # the memory of so many calls at a time
        before, load = resident(pid), Load()
        for part in range(PARTS):
            calls = (part + 1) * FLAGS.requests // PARTS
            done = part * FLAGS.requests // PARTS
            repeat(call, clients, iter(range(done, calls)), load)
            left = load.seconds * (PARTS - part - 1) / (part + 1)
            print(
                f"{calls:,} calls, {len(load.errors)} errors, {resident(pid):.0f} MB, "
                f"{left:.0f} s left",
                flush=True,
            )
        show(f"{signature}, {rows} rows, {clients} clients, served", load, rows)
        print(f"{before:.0f} MB before, {resident(pid):.0f} MB after", flush=True)
        for code, count in collections.Counter(load.errors).items():
            print(f"{code.name}: {count}", flush=True)


def resident(pid) -> float:
    """Returns a process's resident memory in MB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmRSS")).split()[1]) / 1e3


if __name__ == "__main__":
    app.run(main)
