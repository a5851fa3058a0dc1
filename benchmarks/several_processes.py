r"""How much faster do several processes train than one, and what do they exchange?

    python benchmarks/several_processes.py --model=lstm --rows=32
    python benchmarks/several_processes.py --model=hybrid --rows=64 --total

Starts 1, 2, ... --processes processes on JAX over loopback (gloo), each pinned to a
core of its own, which trains on random ids by Keras's `fit`. One line for each number:
milliseconds a step, tokens a second, how many times one process's, and the megabytes
that a step sends, counted by the loopback interface, beside those of the gradients. The
batch grows with the processes, --rows for each; with --total it does not.
"""

import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_enum("model", "lstm", ["lstm", "hybrid"], "of benchmarks/models.py")
flags.DEFINE_integer("rows", 32, "of a batch, of each process unless --total", 1)
flags.DEFINE_bool("total", False, "share the rows among the processes")
flags.DEFINE_integer("length", None, "ids of a row (default: 22 words, 60 characters)")
flags.DEFINE_integer("processes", 2, "most processes", 1)
flags.DEFINE_integer("steps", 10, "steps in a round", 1)
flags.DEFINE_integer("rounds", 5, "rounds that count", 1)

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
LENGTHS = {"lstm": 22, "hybrid": 60}


def main(argv):
    if "KERAS_DISTRIBUTION_NUM_PROCESSES" in os.environ:
        train()
        return
    alone = None
    for count in range(1, FLAGS.processes + 1):
        milliseconds, tokens, exchanged, gradients = measured(argv, count)
        alone = alone or tokens
        print(
            f"{FLAGS.model}, {count} processes: {milliseconds:.0f} ms a step, "
            f"{tokens:,.0f} tokens a second, {tokens / alone:.2f} times one's; "
            f"{exchanged:.1f} MB a step sent, {gradients:.1f} MB of gradients",
            flush=True,
        )


def measured(argv, count) -> list[float]:
    """Returns what process 0 of `count` measures."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    shared = {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": ONE_THREAD,
        "OMP_NUM_THREADS": "1",
        "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}",
        "KERAS_DISTRIBUTION_NUM_PROCESSES": str(count),
    }
    started = [
        subprocess.Popen(
            [
                "taskset",
                "--cpu-list",
                str(index),
                sys.executable,
                __file__,
                *sys.argv[1:],
            ],
            env=os.environ | shared | {"KERAS_DISTRIBUTION_PROCESS_ID": str(index)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for index in range(count)
    ]
    outputs = [process.communicate()[0] for process in started]
    # Gloo prints lines of its own.
    return [float(number) for number in outputs[0].splitlines()[-1].split()]


def train():
    """Trains as one of the processes; the first prints what it measured."""
    import keras

    from benchmarks.models import MODELS
    from keras_textvae.batches import Batches
    from keras_textvae.training import Devices, hosts

    length = FLAGS.length or LENGTHS[FLAGS.model]
    rounds, sent = [], []

    class Drawn(Batches):
        """Random ids without padding."""

        def batch(self, step):
            rng = np.random.default_rng([step, hosts.index()])
            vocabulary = self.vocabulary
            return rng.integers(4, vocabulary, (self.rows, length + 1)).astype("int32")

    class Rounds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started, self.before = time.perf_counter(), loopback_bytes()

        def on_epoch_end(self, epoch, logs=None):
            float(logs["loss"])  # waits for the last step
            rounds.append(time.perf_counter() - self.started)
            sent.append(loopback_bytes() - self.before)

    with hosts.joined():
        keras.utils.set_random_seed(0)
        count = hosts.count()
        total = FLAGS.rows * (1 if FLAGS.total else count)
        devices = Devices(1, total)
        with devices.scope():
            model = MODELS[FLAGS.model](length)
            model.compile(keras.optimizers.Adam(1e-3, global_clipnorm=5.0))
            batches = Drawn(FLAGS.steps)
            batches.rows, batches.vocabulary = total // count, model.vocabulary_size
            model.fit(batches, epochs=FLAGS.rounds + 1, verbose=0, callbacks=[Rounds()])
        weights = model.count_params()
    if hosts.index() == 0:
        seconds = statistics.median(rounds[1:]) / FLAGS.steps
        exchanged = statistics.median(sent[1:]) / FLAGS.steps
        tokens = total * length / seconds
        print(seconds * 1e3, tokens, exchanged / 1e6, weights * 4 / 1e6)


def loopback_bytes() -> int:
    """Returns how many bytes the loopback interface has sent."""
    return int(pathlib.Path("/sys/class/net/lo/statistics/tx_bytes").read_text())


if __name__ == "__main__":
    app.run(main)
