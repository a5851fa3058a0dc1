"""The models that a server serves: their configuration, and their versions in turn."""

from serving.models import models_config as models_config
from serving.models.model_versions import ModelVersions as ModelVersions
from serving.models.models_config import ModelConfig as ModelConfig
from serving.models.served import Models as Models
