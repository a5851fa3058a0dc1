"""Python without TensorFlow: a process of its own, where Keras runs on JAX."""

import os
import pathlib
import subprocess
import sys

_ROOT = pathlib.Path(__file__).parents[1]
BEFORE = """
import sys
for name in ("tensorflow", "tensorflow_text"):
    sys.modules[name] = None  # importing it fails
"""


# It compiles in a third of the time.
QUICK = "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
ENVIRONMENT = {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICK}


def run_on_jax(program, *arguments, environment=None):
    """Returns how a process ended that ran a Python `program` on JAX on the CPU."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BEFORE + program, *arguments],
        env=os.environ | ENVIRONMENT | (environment or {}),
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
