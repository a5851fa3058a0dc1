"""One version of a model on disk: what may be in it, whether it is whole, running it.

Nothing here knows of gRPC servers, nor of keras_textvae: `export` uses it too.
"""

from serving.saved_model import gate as gate
from serving.saved_model import manifest as manifest
from serving.saved_model import warm_up as warm_up
from serving.saved_model.engine import DEFAULT_SIGNATURE as DEFAULT_SIGNATURE
from serving.saved_model.engine import Engine as Engine
