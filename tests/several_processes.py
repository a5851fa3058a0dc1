"""Processes that train together on this machine, on JAX without TensorFlow."""

import os
import pathlib
import socket
import subprocess
import sys

from tests.on_jax import BEFORE, ENVIRONMENT

# By these JAX, too, would keep its last words to itself.
SILENT = "GRPC_VERBOSITY", "TF_CPP_MIN_LOG_LEVEL"
ROOT = pathlib.Path(__file__).parents[1]


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def started(program, arguments, counts=None):
    """Starts a Python `program` in as many processes as there are lists of arguments.

    Args:
        program: source.
        arguments: for each process a list.
        counts: how many there are, as each is told; the truth unless given.
    """
    shared = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{free_port()}"}
    counts = counts or [len(arguments)] * len(arguments)
    return [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", BEFORE + program, *own],
            env={name: x for name, x in os.environ.items() if name not in SILENT}
            | ENVIRONMENT
            | shared
            | {"KERAS_DISTRIBUTION_NUM_PROCESSES": f"{counts[index]}"}
            | {"KERAS_DISTRIBUTION_PROCESS_ID": f"{index}"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index, own in enumerate(arguments)
    ]


def ended(processes):
    """Waits for processes; returns for each its code, its output and its last error."""
    results = []
    for process in processes:
        output, errors = process.communicate()
        results.append((process.returncode, output, errors.strip().split("\n")[-1]))
    return results
