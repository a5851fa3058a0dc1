"""The path of a request in TensorFlow Serving after its own checks: a TF1 session.

What Python's session checks beyond that, dtypes and shapes, is left out: a request
reaches the graph as it would there, and the graph's guards have to do.
"""

import tensorflow as tf
import tensorflow_text  # noqa: F401  (registers the ops of the tokenizers)


class Session:
    """A SavedModel, loaded as TensorFlow Serving loads it.

    Args:
        directory: str. The version's folder.
    """

    def __init__(self, directory: str):
        self._graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=self._graph)
        with self._graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self._session, ["serve"], directory)
        self._signatures = loaded.signature_def

    def ask(self, request) -> dict:
        """Returns the outputs of a PredictRequest.

        Raises:
            tf.errors.OpError: what TensorFlow Serving would answer.
        """
        signature = self._signatures[request.model_spec.signature_name]
        protos = {**signature.defaults} | {**request.inputs}
        feeds = {
            self._place(signature.inputs[name]): tf.make_ndarray(proto)
            for name, proto in protos.items()
        }
        fetches = [self._place(info) for info in signature.outputs.values()]
        values = self._session._call_tf_sessionrun(None, feeds, fetches, [], None)
        return dict(zip(signature.outputs, values, strict=True))

    def close(self):
        self._session.close()

    def _place(self, info):
        return self._graph.get_tensor_by_name(info.name)._as_tf_output()
