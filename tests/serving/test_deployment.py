"""What is deployed elsewhere: it fits the real schemas, and file agrees with file.

None of it meets a TensorFlow Serving, a Docker or a Kubernetes here.
"""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

SCHEMAS = "the schemas of Kubernetes come with the extra `dev`"
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason=SCHEMAS)
yaml = pytest.importorskip("yaml", reason=SCHEMAS)

SERVING = Path(__file__).resolve().parents[2] / "serving"
TENSORFLOW_SERVING = SERVING / "tensorflow_serving"
KUBERNETES = SERVING / "kubernetes"

IMAGE = "tensorflow/serving:2.20.0"
CONFIGURATION = "/etc/tensorflow_serving"
MODELS = "/models"
GRPC_PORT, METRICS_PORT = 8500, 8501
MANIFESTS = [
    f"{name}.yaml"
    for name in "autoscaler deployment disruption_budget network_policy service".split()
]

# The flags of tensorflow_model_server 2.20 that may be used. Not --enable_batching,
# which refuses our scalar inputs: batching is done in the graph.
KNOWN_FLAGS = set(
    "port rest_api_port model_config_file model_config_file_poll_wait_seconds "
    "allow_version_labels_for_unavailable_models monitoring_config_file "
    "enable_grpc_healthcheck_service enable_profiler ssl_config_file "
    "grpc_channel_arguments grpc_max_threads num_load_threads "
    "num_unload_threads".split()
)

# The keys of the Compose specification that compose.yaml may use.
COMPOSE_KEYS = set(
    "build image init restart ports networks volumes read_only cap_drop security_opt "
    "cpus mem_limit pids_limit healthcheck".split()
)


def read_yaml(path: Path) -> dict:
    return yaml.safe_load(path.read_text())


def read_manifest(name: str) -> dict:
    return read_yaml(KUBERNETES / name)


def instructions() -> dict[str, str]:
    """The Dockerfile's instructions, each of which is there once."""
    text = (TENSORFLOW_SERVING / "Dockerfile").read_text().replace("\\\n", "")
    pairs = re.findall(r"^([A-Z]+) (.*)$", text, re.MULTILINE)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def flags_of(arguments: list[str]) -> dict[str, str]:
    pairs = [re.fullmatch(r"--(\w+)=(.+)", argument).groups() for argument in arguments]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


FLAGS = flags_of(json.loads(instructions()["CMD"]))
TEMPLATE = read_manifest("deployment.yaml")["spec"]["template"]
POD = TEMPLATE["spec"]
(CONTAINER,) = POD["containers"]
(SERVICE,) = read_yaml(TENSORFLOW_SERVING / "compose.yaml")["services"].values()


def test_models_config_lists_models_with_labels_of_served_versions():
    text = (TENSORFLOW_SERVING / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    models = {model.name: model for model in config.model_config_list.config}
    assert sorted(models) == ["grammar", "textvae"]
    assert len(models) == len(config.model_config_list.config)
    for name, model in models.items():
        assert model.base_path == f"{MODELS}/{name}"
        assert model.model_platform == "tensorflow"
    textvae = models["textvae"]
    assert textvae.version_labels == {"stable": 1, "canary": 2}
    assert list(textvae.model_version_policy.specific.versions) == [1, 2]
    assert models["grammar"].model_version_policy.latest.num_versions == 1


def test_monitoring_config_is_where_prometheus_is_told():
    # tensorflow-serving-api lacks MonitoringConfig, so this is its text.
    text = (TENSORFLOW_SERVING / "monitoring.config").read_text()
    path = "/monitoring/prometheus/metrics"
    message = f'prometheus_config {{ enable: true path: "{path}" }}'
    assert re.sub(r"#.*", "", text).split() == message.split()
    assert TEMPLATE["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(METRICS_PORT),
        "prometheus.io/path": path,
    }


def test_image_runs_the_binary_itself_without_root():
    image = instructions()
    assert image["FROM"] == IMAGE
    assert json.loads(image["ENTRYPOINT"]) == ["tensorflow_model_server"]
    assert image["EXPOSE"] == str(GRPC_PORT)
    assert int(image["USER"].split(":")[0]) > 0
    assert image["COPY"].split()[-1] == f"{CONFIGURATION}/"


def test_flags_are_known_and_name_files_that_are_there():
    assert FLAGS.keys() <= KNOWN_FLAGS
    assert FLAGS["port"] == str(GRPC_PORT)
    assert FLAGS["rest_api_port"] == str(METRICS_PORT)
    assert FLAGS["enable_profiler"] == "false"
    assert FLAGS["enable_grpc_healthcheck_service"] == "true"
    for flag in ("model_config_file", "monitoring_config_file"):
        folder, _, name = FLAGS[flag].rpartition("/")
        assert folder == CONFIGURATION
        assert name in instructions()["COPY"].split()
        assert (TENSORFLOW_SERVING / name).is_file()


def test_deployment_has_the_flags_of_the_image():
    assert CONTAINER["command"] == json.loads(instructions()["ENTRYPOINT"])
    assert flags_of(CONTAINER["args"]) == FLAGS


def test_compose_service_is_confined():
    assert SERVICE.keys() <= COMPOSE_KEYS
    assert SERVICE["image"].endswith(IMAGE.removeprefix("tensorflow/serving"))
    assert SERVICE["init"] is True
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "mem_limit", "pids_limit"} <= SERVICE.keys()
    mounts = {volume["target"]: volume for volume in SERVICE["volumes"]}
    assert mounts.keys() == {MODELS, CONFIGURATION}
    assert all(mount["read_only"] is True for mount in mounts.values())
    assert mounts[CONFIGURATION]["source"] == "."


def test_compose_publishes_grpc_alone_and_to_this_machine():
    assert SERVICE["ports"] == [f"127.0.0.1:{GRPC_PORT}:{GRPC_PORT}"]
    assert SERVICE["networks"] == ["clients", "metrics"]
    networks = read_yaml(TENSORFLOW_SERVING / "compose.yaml")["networks"]
    assert networks == {"clients": {}, "metrics": {"internal": True}}
    assert SERVICE["healthcheck"]["test"][-1] == f"</dev/tcp/127.0.0.1/{GRPC_PORT}"


@pytest.mark.parametrize("version", ["1.29", "1.34", "1.37"])
@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_fits_the_schema(name, version):
    manifest = read_manifest(name)
    kubernetes_validate.validate(manifest, version, strict=True)
    manifest["spec"]["unheard_of"] = 1
    with pytest.raises(kubernetes_validate.ValidationError, match="unheard_of"):
        kubernetes_validate.validate(manifest, version, strict=True)


def test_kustomization_holds_every_manifest():
    kustomization = read_manifest("kustomization.yaml")
    assert kustomization["resources"][0] == "../tensorflow_serving"
    assert sorted(kustomization["resources"][1:]) == MANIFESTS
    others = {"kserve.yaml", "kustomization.yaml"}
    assert {path.name for path in KUBERNETES.iterdir()} == {*MANIFESTS, *others}


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_kustomize_builds_the_manifests_and_the_configuration():
    command = ["kubectl", "kustomize", KUBERNETES]
    built = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    resources = {resource["kind"]: resource for resource in yaml.safe_load_all(built)}
    assert len(resources) == len(MANIFESTS) + 1
    assert resources["Deployment"] == read_manifest("deployment.yaml")
    config = resources["ConfigMap"]
    assert config["data"] == {
        name: (TENSORFLOW_SERVING / name).read_text()
        for name in ("models.config", "monitoring.config")
    }
    assert POD["volumes"][1]["configMap"]["name"] == config["metadata"]["name"]


def test_every_manifest_is_of_the_same_pods():
    labels = {"app.kubernetes.io/name": "textvae"}
    manifests = {name: read_manifest(name) for name in MANIFESTS}
    specs = {name: manifest["spec"] for name, manifest in manifests.items()}
    for manifest in manifests.values():
        assert manifest["metadata"] == {"name": "textvae", "labels": labels}
    deployment = specs["deployment.yaml"]
    assert deployment["template"]["metadata"]["labels"] == labels
    assert deployment["selector"]["matchLabels"] == labels
    assert specs["service.yaml"]["selector"] == labels
    assert specs["disruption_budget.yaml"]["selector"]["matchLabels"] == labels
    assert specs["network_policy.yaml"]["podSelector"]["matchLabels"] == labels
    assert specs["autoscaler.yaml"]["scaleTargetRef"] == {
        "apiVersion": manifests["deployment.yaml"]["apiVersion"],
        "kind": "Deployment",
        "name": "textvae",
    }
    assert "replicas" not in deployment


def test_ports_agree():
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"grpc": GRPC_PORT, "metrics": METRICS_PORT}
    assert CONTAINER["startupProbe"]["grpc"] == {"port": GRPC_PORT}
    assert CONTAINER["readinessProbe"]["grpc"] == {"port": GRPC_PORT}
    assert CONTAINER["livenessProbe"]["tcpSocket"] == {"port": GRPC_PORT}
    service = read_manifest("service.yaml")["spec"]
    assert service["clusterIP"] == "None"
    (port,) = service["ports"]
    assert (port["port"], port["targetPort"]) == (GRPC_PORT, "grpc")


def test_network_policy_opens_a_port_to_each_label_and_no_way_out():
    policy = read_manifest("network_policy.yaml")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    peers = {}
    for rule in policy["ingress"]:
        (port,) = rule["ports"]
        (peers[port["port"]],) = rule["from"]
    assert peers.keys() == {GRPC_PORT, METRICS_PORT}
    assert peers[GRPC_PORT]["podSelector"]["matchLabels"] == {"textvae-client": "true"}
    assert peers[METRICS_PORT].keys() == {"namespaceSelector", "podSelector"}


def test_pod_is_confined():
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] > 0
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*POD["initContainers"], *POD["containers"]):
        assert container["image"] == IMAGE
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}
        assert all(mount["readOnly"] for mount in container["volumeMounts"])
    places = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert places == {"models": MODELS, "config": CONFIGURATION}
    assert [volume["name"] for volume in POD["volumes"]] == ["models", "config"]
    assert POD["volumes"][0]["persistentVolumeClaim"]["readOnly"] is True


def test_connections_end_before_a_stopping_server_does():
    arguments = FLAGS["grpc_channel_arguments"]
    (age,) = re.findall(r"grpc\.max_connection_age_ms=(\d+)000\b", arguments)
    command, seconds = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    # DNS is cached for 30 seconds; gRPC adds up to 10 % to the age.
    assert 30 + 1.1 * int(age) < int(seconds) < POD["terminationGracePeriodSeconds"]
    assert POD["shareProcessNamespace"] is True


def test_init_container_refuses_changed_and_unlisted_versions(tmp_path):
    (checksums,) = POD["initContainers"]
    *command, script = checksums["command"]
    script = script.replace(MODELS, str(tmp_path))

    def check():
        return subprocess.run([*command, script], capture_output=True, text=True)

    assert check().returncode == 1  # no version at all
    version = tmp_path / "textvae" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"graph")
    digest = hashlib.sha256(b"graph").hexdigest()
    (version / "SHA256SUMS").write_text(f"{digest}  saved_model.pb\n")
    assert check().returncode == 0
    (version / "saved_model.pb").write_bytes(b"another graph")
    assert check().stdout == "saved_model.pb: FAILED\n"
    assert check().returncode == 1
    (version / "SHA256SUMS").unlink()
    assert check().returncode == 1


def test_inference_service_has_the_fields_that_kserve_documents():
    service = read_manifest("kserve.yaml")
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert service["kind"] == "InferenceService"
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"] == {"name": "tensorflow"}
    assert model["runtimeVersion"] == IMAGE.partition(":")[2]
    assert model["protocolVersion"] == "grpc-v1"
    assert model["storageUri"].startswith("pvc://textvae-models/")
    assert model["ports"] == [{"name": "h2c", "containerPort": 9000, "protocol": "TCP"}]
    # KServe's runtime gives these itself, and what is here only comes after.
    assert not flags_of(model["args"]).keys() & {"port", "rest_api_port"}
    assert flags_of(model["args"]).keys() <= KNOWN_FLAGS
