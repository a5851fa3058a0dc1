"""A model on disk, one version of it: what may be in it, and whether it is whole."""

from serving.saved_model import gate as gate
from serving.saved_model import manifest as manifest
