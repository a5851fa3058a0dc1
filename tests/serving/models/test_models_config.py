"""What models.config says, and what is refused in it."""

import re
from pathlib import Path

import pytest

from serving.models import ModelConfig, models_config
from serving.models.version_policy import All, Latest, Specific


@pytest.fixture
def write(tmp_path):
    """Text -> the path of a file that holds it."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "models.config"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def model(name="toy", rest="", base_path="/models/toy", platform="tensorflow"):
    return (
        f'config {{ name: "{name}" base_path: "{base_path}" '
        f'model_platform: "{platform}" {rest} }}'
    )


def listed(*configs: str) -> str:
    return f"model_config_list {{ {' '.join(configs)} }}"


def test_models_are_read_in_order(write):
    labels = 'version_labels { key: "stable" value: 3 }'
    policy = "model_version_policy { specific { versions: 3 versions: 4 } }"
    path = write(
        "# A comment.\n" + listed(model("one", policy + labels), model("another"))
    )
    assert models_config.read(path) == [
        ModelConfig(
            "one", Path("/models/toy"), Specific(frozenset({3, 4})), {"stable": 3}
        ),
        ModelConfig("another", Path("/models/toy"), Latest(1), {}),
    ]


@pytest.mark.parametrize(
    "text, policy",
    [
        ("", Latest(1)),
        ("model_version_policy { }", Latest(1)),
        ("model_version_policy { latest { } }", Latest(1)),
        ("model_version_policy { latest { num_versions: 2 } }", Latest(2)),
        ("model_version_policy { all { } }", All()),
        (
            "model_version_policy { specific { versions: 9 } }",
            Specific(frozenset({9})),
        ),
    ],
)
def test_policy_is_read(write, text, policy):
    (config,) = models_config.read(write(listed(model(rest=text))))
    assert config.policy == policy


def test_relative_base_path_starts_at_the_working_directory(
    write, tmp_path, monkeypatch
):
    path = write(listed(model(base_path="exported/toy")))
    monkeypatch.chdir(tmp_path)
    (config,) = models_config.read(path)
    assert config.base_path == tmp_path / "exported/toy"


@pytest.mark.parametrize("policy", ["", "model_version_policy { all { } }"])
def test_label_may_name_a_version_still_to_come(write, policy):
    text = policy + ' version_labels { key: "canary" value: 12 }'
    (config,) = models_config.read(write(listed(model(rest=text))))
    assert config.labels == {"canary": 12}


REFUSED = {
    "no text proto": ("\n\nserve toy", ':3: Message type "tensorflow.serving'),
    "an unknown field": (
        listed("\nconfig { nam: 1 }"),
        r':2: Message type "tensorflow.serving.ModelConfig" has no field named "nam"',
    ),
    "a wrong value": (
        listed("\n", "\nconfig { name: 1 }"),
        ":3: .*Expected string but found: '1'",
    ),
    "bytes": (b"\xff\xfe", ": not a text file$"),
    "nothing": ("", ": no model in a `model_config_list`$"),
    "no model": (listed(), ": no model in a `model_config_list`$"),
    "a custom config": (
        "custom_model_config { }",
        ": no model in a `model_config_list`$",
    ),
    "a model twice": (
        listed(model("a"), model("b"), model("a")),
        ': model "a": is there twice$',
    ),
    "no name": (listed(model("")), ': model "": no name$'),
    "no base path": (listed(model(base_path="")), ': model "toy": no base_path$'),
    "no platform": (
        listed(model(platform="")),
        ': model "toy": model_platform must be "tensorflow". Received: ""$',
    ),
    "another platform": (
        listed(model(platform="pytorch")),
        ': model "toy": model_platform must be "tensorflow". Received: "pytorch"$',
    ),
    "a label of another version": (
        listed(
            model(
                rest="model_version_policy { specific { versions: 3 } } "
                'version_labels { key: "stable" value: 4 }'
            )
        ),
        ': model "toy": label "stable" is of version 4, which is not served$',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_file_is_refused_in_one_line(write, name):
    text, line = REFUSED[name]
    path = write(text)
    with pytest.raises(ValueError, match=re.escape(str(path)) + line) as refusal:
        models_config.read(path)
    assert "\n" not in str(refusal.value)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        models_config.read(tmp_path / "models.config")
