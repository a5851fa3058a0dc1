"""The messages and the stub of TensorFlow Serving's protocol, without TensorFlow."""

import importlib.util
import sys
import types


def _import_protocol():
    """Imports the protocol's messages without TensorFlow itself.

    All they need is under `tensorflow.core`, but to import anything from there runs
    the whole of TensorFlow: seconds, and half a gigabyte. A bare package takes its
    place meanwhile, unless it is there already.
    """
    bare = "tensorflow" not in sys.modules
    if bare:
        package = types.ModuleType("tensorflow")
        spec = importlib.util.find_spec("tensorflow")
        package.__path__ = list(spec.submodule_search_locations) if spec else []
        sys.modules["tensorflow"] = package
    try:
        from tensorflow_serving.apis import (
            get_model_metadata_pb2,
            predict_pb2,
            prediction_service_pb2_grpc,
        )
    finally:
        # Packages go, so that a later `import tensorflow` is a real one.
        for name, module in list(sys.modules.items()) if bare else ():
            if name.partition(".")[0] == "tensorflow" and hasattr(module, "__path__"):
                del sys.modules[name]
    return get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc


get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc = _import_protocol()
