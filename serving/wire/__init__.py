"""What goes over the wire: tensors, and what a client is told of an exception."""

from serving.wire import status as status
from serving.wire import tensors as tensors
