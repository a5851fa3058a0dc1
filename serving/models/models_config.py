"""Reads models.config, the file of TensorFlow Serving's `--model_config_file`.

model_config_list {
  config {
    name: "textvae"
    base_path: "/models/textvae"
    model_platform: "tensorflow"
    model_version_policy { specific { versions: 3 versions: 4 } }
    version_labels { key: "stable" value: 3 }
  }
}
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.models.version_policy import All, Latest, Specific, VersionPolicy

PLATFORM = "tensorflow"


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """One model to serve.

    Args:
        name: the name by which clients ask for the model.
        base_path: the directory that holds the version directories.
        policy: which of the versions to serve.
        labels: version by label; clients may ask for the label.
    """

    name: str
    base_path: str | os.PathLike
    policy: VersionPolicy = Latest()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)


def read(path: str | os.PathLike) -> list[ModelConfig]:
    """Reads the models of a file.

    Args:
        path: the file, a ModelServerConfig in protobuf's text format. A base path in
            it that is relative starts at the working directory.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no ModelServerConfig, or asks for what is not served here.
    """
    protos = _parse(path).model_config_list.config
    if not protos:
        raise ValueError(f"{path}: no model in a `model_config_list`")
    names = set()
    for proto in protos:
        fault = "is there twice" if proto.name in names else _fault(proto)
        if fault:
            raise ValueError(f'{path}: model "{proto.name}": {fault}')
        names.add(proto.name)
    return [_model_config(proto) for proto in protos]


def _parse(path):
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(Path(path).read_text("utf-8"), config)
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not a text file") from None
    except text_format.ParseError as error:
        # Its text begins with line and column, and may quote lines of the file.
        _, _, reason = " ".join(str(error).split()).partition(" : ")
        raise ValueError(f"{path}:{error.GetLine()}: {reason}") from None
    return config


def _fault(proto) -> str | None:
    """What is wrong with a model of the file, if anything is."""
    if not proto.name:
        return "no name"
    if not proto.base_path:
        return "no base_path"
    if proto.model_platform != PLATFORM:
        return (
            f'model_platform must be "{PLATFORM}". Received: "{proto.model_platform}"'
        )
    for label, version in sorted(proto.version_labels.items()):
        if not _policy(proto).select([version]):
            return f'label "{label}" is of version {version}, which is not served'
    return None


def _model_config(proto) -> ModelConfig:
    return ModelConfig(
        name=proto.name,
        base_path=Path(proto.base_path).absolute(),
        policy=_policy(proto),
        labels=dict(proto.version_labels),
    )


def _policy(proto) -> VersionPolicy:
    policy = proto.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            return All()
        case "specific":
            return Specific(frozenset(policy.specific.versions))
        case _:  # 0 means 1 to TensorFlow Serving, too
            return Latest(policy.latest.num_versions or 1)
