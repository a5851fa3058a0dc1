"""How much does serving cost, and how does it behave under load?

    python benchmarks/serving.py --saved_model=exported/textvae/1
    python benchmarks/serving.py --saved_model=... --signatures=sample --requests=100000

Starts the embedded server on the SavedModel's folder of versions, and calls it from
this process: each of --clients calls again as soon as it has its answer (closed loop),
then calls come at random at --share of that rate, whether or not earlier ones are
answered (open loop), whose latency counts from when a call was due. Beside it stands
the same session called in process by as many threads. Server and clients share the
machine. Rows a second, milliseconds at the median, 95th and 99th percentile, errors.
"""

import os
import pathlib
import re
import subprocess
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

from serving.engine import Engine

ROOT = pathlib.Path(__file__).resolve().parents[1]
TEXT = "the company said it expects a loss"

FLAGS = flags.FLAGS
flags.DEFINE_string("saved_model", None, "a version's folder", required=True)
flags.DEFINE_list("signatures", ["sample", "interpolate", "encode"], "what is called")
flags.DEFINE_list("clients", ["1", "4", "16", "64", "256"], "calls at a time")
flags.DEFINE_list("rows", ["1", "8", "64"], "of a call")
flags.DEFINE_list("share", ["0.5", "0.8"], "of the closed loop's rate, open loop")
flags.DEFINE_float("seconds", 5.0, "of each measurement")
flags.DEFINE_integer("requests", 0, "so many calls of one row instead, and the memory")


def main(argv):
    del argv
    process, address = start(pathlib.Path(FLAGS.saved_model).parent)
    try:
        engine = Engine(FLAGS.saved_model)
        remote = stub(address)
        if FLAGS.requests:
            soak(remote, process.pid)
            return
        for signature in FLAGS.signatures:
            for rows in map(int, FLAGS.rows):
                compare(engine, remote, signature, rows)
    finally:
        process.terminate()
        process.wait()


def start(base_path):
    """Starts the embedded server; returns its process and its address."""
    command = ["serving/server.py", f"--model_base_path={base_path.resolve()}"]
    command += ["--port=0", "--max_calls_in_flight=512"]
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    return process, re.search(r" on (\S+:\d+)$", process.stdout.readline())[1]


def stub(address):
    channel = grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)])
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(signature, rows, seed=0):
    inputs = {
        "sample": {"seed": np.arange(seed, seed + rows)},
        "encode": {"text": [TEXT] * rows},
        "interpolate": {"start": [TEXT] * rows, "end": [TEXT] * rows},
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
    """Latencies of calls in seconds, how many failed, and calls a second."""

    def __init__(self, latencies, errors, seconds):
        self.latencies = latencies
        self.errors = errors
        self.rate = len(latencies) / seconds


def closed_loop(call, clients) -> Load:
    """Calls from so many threads, each as soon as its last call is answered."""
    latencies, errors = [], []
    call()  # warm
    started = time.monotonic()
    end = started + FLAGS.seconds

    def client():
        while (begun := time.monotonic()) < end:
            try:
                call()
                latencies.append(time.monotonic() - begun)
            except grpc.RpcError as error:
                errors.append(error.code())

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(latencies, errors, time.monotonic() - started)


def open_loop(call, rate) -> Load:
    """Calls that come at random, so many a second, whatever is still unanswered."""
    rng = np.random.default_rng(0)
    gaps = rng.exponential(1.0 / rate, max(1, int(rate * FLAGS.seconds)))
    latencies, errors = [], []

    def one(due):
        try:
            call()
            latencies.append(time.monotonic() - due)
        except grpc.RpcError as error:
            errors.append(error.code())

    started = time.monotonic()
    with futures.ThreadPoolExecutor(256) as pool:
        for due in started + np.cumsum(gaps):
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(one, due)
    return Load(latencies, errors, time.monotonic() - started)


def show(what, load, rows):
    p50, p95, p99 = 1e3 * np.percentile(load.latencies or [np.nan], [50, 95, 99])
    print(
        f"| {what} | {rows * load.rate:.0f} | {p50:.1f} | {p95:.1f} | {p99:.1f} "
        f"| {len(load.errors)} |",
        flush=True,
    )


def soak(remote, pid):
    """Makes calls of one row, 16 at a time; prints errors and the server's memory."""
    messages = [request("sample", 1, seed) for seed in range(1000)]
    errors = []

    def one(number):
        try:
            remote.Predict(messages[number % len(messages)], timeout=600)
        except grpc.RpcError as error:
            errors.append(error.code())

    with futures.ThreadPoolExecutor(16) as pool:
        for done in range(0, FLAGS.requests, FLAGS.requests // 20 or 1):
            upto = min(FLAGS.requests, done + (FLAGS.requests // 20 or 1))
            for _ in pool.map(one, range(done, upto)):
                pass
            print(
                f"{upto:,} calls, {len(errors)} errors, {resident(pid):.0f} MB",
                flush=True,
            )


def resident(pid) -> float:
    """Returns a process's resident memory in MB."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(x for x in lines if x.startswith("VmRSS")).split()[1]) / 1e3


if __name__ == "__main__":
    app.run(main)
