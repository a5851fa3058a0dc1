"""Runs the signatures of one SavedModel.

A TensorFlow 1 session, because that is how TensorFlow Serving loads and runs a
SavedModel, and because a session can stop a call at its deadline. Nothing else here
knows about sessions.

Whatever is wrong is raised as one of `tf.errors`, whose codes are those of gRPC, with
the message of TensorFlow Serving where it has one.
"""

import logging
import math
import os
import re
import time
from collections.abc import Iterable

import numpy as np
import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the ops of the tokenizers)

from serving.wire import status, tensors

DEFAULT_SIGNATURE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY

# Seconds. For a call without a deadline gRPC gives centuries; a session overflows.
LONGEST_TIMEOUT = 1e6

# TensorFlow calls its loader deprecated, which is the one that TensorFlow Serving uses,
# and says twice what it restores.
CHATTER = re.compile("loader_impl|Restoring parameters")
logging.getLogger("tensorflow").addFilter(
    lambda record: not CHATTER.search(record.getMessage())
)


class Engine:
    """One loaded SavedModel; its methods may be called from many threads.

    Dropping the last reference unloads the model, after the calls that still run.

    Args:
        directory: the SavedModel's directory.

    Raises:
        ValueError: if `directory` holds no SavedModel that can be loaded.
    """

    def __init__(self, directory: str | os.PathLike):
        config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
        config.gpu_options.allow_growth = True
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        try:
            with graph.as_default():
                meta_graph = tf.compat.v1.saved_model.load(
                    self._session, [tf.saved_model.SERVING], os.fspath(directory)
                )
        except Exception as error:  # the loader has no exception of its own
            self._session.close()
            reason = status.line(str(error))
            raise ValueError(f"{directory}: cannot be loaded: {reason}") from error
        graph.finalize()
        # Names such as `__saved_model_init_op` are the loader's business.
        self.signatures = {
            name: signature
            for name, signature in meta_graph.signature_def.items()
            if not name.startswith("__")
        }

    def run(
        self,
        signature_name: str,
        inputs,
        output_filter=(),
        timeout: float | None = None,
    ) -> dict:
        """Runs one signature.

        Args:
            signature_name: a key of `signatures`.
            inputs: mapping of input name to TensorProto. One that is missing takes the
                signature's default.
            output_filter: names of the outputs wanted; all of them if empty.
            timeout: seconds, or None. The computation is stopped after it.

        Returns:
            dict of output name to TensorProto.

        Raises:
            tf.errors.OpError: if the request is wrong, the time is over, or the model
                fails.
        """
        outputs, _ = self.timed_run(signature_name, inputs, output_filter, timeout)
        return outputs

    def timed_run(
        self,
        signature_name: str,
        inputs,
        output_filter=(),
        timeout: float | None = None,
    ) -> tuple[dict, float]:
        """What `run` returns, and the seconds that the session took of it."""
        signature = self.signatures.get(signature_name)
        if signature is None:
            raise tf.errors.FailedPreconditionError(
                None, None, f'Serving signature key "{signature_name}" not found.'
            )
        feeds = _feeds(signature, inputs)
        fetches = _fetches(signature, output_filter)
        start = time.perf_counter()
        values = self._session.run(fetches, feeds, options=_run_options(timeout))
        seconds = time.perf_counter() - start
        outputs = {
            name: tensors.encode(value, signature.outputs[name].dtype)
            for name, value in values.items()
        }
        return outputs, seconds

    def warm_up(self, requests: Iterable) -> None:
        """Answers requests, in order, so that the first client need not wait.

        Args:
            requests: PredictRequests.

        Raises:
            ValueError: if one of them fails.
        """
        for number, request in enumerate(requests, 1):
            signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            try:
                self.run(signature_name, request.inputs, list(request.output_filter))
            except tf.errors.OpError as error:
                raise ValueError(
                    f"warm-up request {number}: {error.message}"
                ) from error

    def close(self) -> None:
        """Stops the calls that still run; they raise `tf.errors.CancelledError`."""
        self._session.close()


def _run_options(timeout: float | None):
    if timeout is None or timeout > LONGEST_TIMEOUT:
        return None
    if timeout <= 0:
        raise tf.errors.DeadlineExceededError(None, None, "Deadline exceeded")
    # To the session, 0 would mean no deadline.
    return tf.compat.v1.RunOptions(timeout_in_ms=math.ceil(timeout * 1000))


def _feeds(signature, inputs) -> dict[str, np.ndarray]:
    """Checks a request's inputs as TensorFlow Serving does, in its order."""
    fewer = len(inputs) < len(signature.inputs) and not signature.defaults
    if fewer or len(inputs) > len(signature.inputs):
        raise tensors.invalid(
            f"input size does not match signature: {len(inputs)}!="
            f"{len(signature.inputs)} len({_set(inputs)}) != "
            f"len({_set(signature.inputs)}). "
            f"Sent extra: {_set(set(inputs) - set(signature.inputs))}. "
            f"Missing but required: {_set(set(signature.inputs) - set(inputs))}."
        )
    feeds = {}
    for name, info in sorted(signature.inputs.items()):
        source = inputs if name in inputs else signature.defaults
        if name not in source:
            raise tensors.invalid(
                f"Signature input alias: {name}(feed name: {info.name}) not found in "
                "request and no default value provided. Inputs expected to be in the "
                f"request {_set(inputs)}, or default input alias set: "
                f"{_set(signature.defaults)}"
            )
        feeds[info.name] = tensors.decode(name, source[name], info)
    used = set(inputs) & set(signature.inputs)
    if len(used) != len(inputs):
        raise tensors.invalid(
            f"Inputs contains invalid name. Used request inputs: {_set(used)}, "
            f"request input: {_set(inputs)}"
        )
    return feeds


def _fetches(signature, output_filter) -> dict[str, str]:
    for position, name in enumerate(output_filter):
        if name not in signature.outputs:
            raise tensors.invalid(
                f"output tensor alias not found in signature: {name} Outputs expected "
                f"to be in the set {_set(signature.outputs)}."
            )
        if name in output_filter[:position]:
            raise tensors.invalid(f"duplicate output tensor alias: {name}")
    names = output_filter or signature.outputs
    return {name: signature.outputs[name].name for name in names}


def _set(names) -> str:
    return "{" + ",".join(sorted(names)) + "}"
