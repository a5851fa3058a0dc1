"""Python without TensorFlow: a process of its own, where Keras runs on JAX."""

import os
import pathlib
import subprocess
import sys

_ROOT = pathlib.Path(__file__).parents[1]
_BEFORE = """
import sys
for name in ("tensorflow", "tensorflow_text"):
    sys.modules[name] = None  # importing it fails
"""


def run_on_jax(program, *arguments):
    """Returns how a process ended that ran a Python `program` on JAX on the CPU."""
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        # It compiles in a third of the time.
        "XLA_FLAGS": (
            "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
        ),
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _BEFORE + program, *arguments],
        env=environment,
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
