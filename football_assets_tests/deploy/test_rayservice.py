"""The RayService manifest: what the CRD requires, what Serve's own schema accepts, and that its sizes fit together."""

import re
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml
from ray.serve.config import AutoscalingConfig
from ray.serve.schema import HTTPOptionsSchema, ServeDeploySchema

from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets_tests.builders.proxies import generated
from serve import haproxy, scrape
from serve.deployment import ReplicaConfig, UserConfig

ROOT = Path(__file__).parents[2]
SERVE = ROOT / "serve"
MANIFEST = ROOT / "deploy" / "base" / "kuberay" / "rayservice.yaml"
# Fields of ray.io/v1, from the types of the operator.
SPEC_FIELDS = {"serveConfigV2", "rayClusterConfig", "serveService", "excludeHeadPodFromServeSvc"}
CLUSTER_FIELDS = {
    *("rayVersion", "enableInTreeAutoscaling", "autoscalerOptions", "authOptions"),
    *("headGroupSpec", "workerGroupSpecs", "gcsFaultToleranceOptions"),
}
HEAD_FIELDS = {"serviceType", "rayStartParams", "template"}
WORKER_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
NON_ROOT_USER = 10001
DRAIN_SECONDS = 30  # Ray's default of RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return {document["kind"]: document for document in yaml.safe_load_all(MANIFEST.read_text("utf-8"))}


@pytest.fixture(scope="module")
def cluster(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return documents["RayService"]["spec"]["rayClusterConfig"]


@pytest.fixture(scope="module")
def groups(cluster: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {group["groupName"]: group for group in cluster["workerGroupSpecs"]}


@pytest.fixture(scope="module")
def serve_config(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return yaml.safe_load(documents["RayService"]["spec"]["serveConfigV2"])


@pytest.fixture(scope="module")
def deployments(serve_config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The one deployment of each application, by the application's name."""
    found = {}
    for application in serve_config["applications"]:
        (found[application["name"]],) = application["deployments"]
    return found


def pods(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def container(group: dict[str, Any]) -> dict[str, Any]:
    """The container that Ray runs in: the operator takes the first."""
    first: dict[str, Any] = group["template"]["spec"]["containers"][0]
    return first


def test_the_manifest_has_the_shape_of_a_ray_service(
    documents: dict[str, dict[str, Any]], cluster: dict[str, Any]
) -> None:
    service = documents["RayService"]
    assert service["apiVersion"] == "ray.io/v1"
    assert isinstance(service["spec"]["serveConfigV2"], str), "KubeRay takes the Serve configuration as text"
    assert set(service["spec"]) <= SPEC_FIELDS
    assert set(cluster) <= CLUSTER_FIELDS
    assert set(cluster["headGroupSpec"]) == HEAD_FIELDS
    assert cluster["headGroupSpec"]["serviceType"] == "ClusterIP"
    for group in cluster["workerGroupSpecs"]:
        assert set(group) == WORKER_FIELDS
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        parameters = group["rayStartParams"]
        assert all(isinstance(value, str) for value in parameters.values()), "the CRD takes text only"
        assert container(group)["name"] in {"ray-head", "ray-worker"}


def test_serve_accepts_the_configuration(serve_config: dict[str, Any]) -> None:
    schema = ServeDeploySchema.model_validate(serve_config)
    assert [(app.name, app.route_prefix, app.import_path) for app in schema.applications] == [
        ("football", "/", "serve.app:build"),
        ("football-gpu", "/gpu", "serve.app:build"),
    ]
    # Serve ignores keys that it does not know.
    known = set(type(schema.applications[0].deployments[0]).model_fields)
    for application in serve_config["applications"]:
        assert set(application) <= set(type(schema.applications[0]).model_fields)
        for deployment in application["deployments"]:
            assert deployment["name"] == "Forecaster"
            assert set(deployment) <= known
            assert set(deployment["autoscaling_config"]) <= set(AutoscalingConfig.model_fields)


def test_an_idle_connection_is_closed_by_the_load_balancer_and_not_by_the_pod(
    serve_config: dict[str, Any], tmp_path: Path
) -> None:
    """Google keeps idle connections for 600 s; a request on one that HAProxy closes meanwhile fails with 502."""
    options = serve_config["http_options"]
    assert set(options) <= set(HTTPOptionsSchema.model_fields), "Serve ignores keys that it does not know"
    seconds = options["keep_alive_timeout_s"]
    text = generated(tmp_path, replicas=[8001], keep_alive_timeout_s=seconds)
    written = re.findall(r"timeout http-keep-alive (\d+)s", haproxy.edit(text, ["127.0.0.1:8000"]))
    assert set(written) == {str(seconds)}
    assert seconds > 600


def test_the_application_accepts_its_arguments(
    serve_config: dict[str, Any], deployments: dict[str, dict[str, Any]]
) -> None:
    local = yaml.safe_load((SERVE / "config.yaml").read_text("utf-8"))["applications"][0]
    for application in serve_config["applications"]:
        replica = ReplicaConfig(**application["args"])
        deployment = deployments[application["name"]]
        assert deployment["max_ongoing_requests"] > replica.requests_at_once
        assert deployment["name"] == local["deployments"][0]["name"]
        assert application["import_path"] == local["import_path"]
        UserConfig(**deployment["user_config"])
    assert UserConfig(**deployments["football"]["user_config"]).version == "production"


def test_the_ray_of_the_manifest_is_the_one_installed(cluster: dict[str, Any]) -> None:
    assert cluster["rayVersion"] == ray.__version__


def test_bounds_of_the_autoscaling_fit_together(
    groups: dict[str, dict[str, Any]], deployments: dict[str, dict[str, Any]]
) -> None:
    for deployment in deployments.values():
        scaling = AutoscalingConfig(**deployment["autoscaling_config"])
        assert scaling.min_replicas < scaling.max_replicas
        assert scaling.target_ongoing_requests < deployment["max_ongoing_requests"]
        assert scaling.upscale_delay_s < scaling.downscale_delay_s
    for group in groups.values():
        assert 0 <= group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    # All replicas have a place once every machine of their group runs, and the least number has one at the start.
    for application, name in (("football", "cpu"), ("football-gpu", "gpu")):
        options, replicas = (
            deployments[application][key] for key in ("ray_actor_options", "autoscaling_config")
        )
        limits = container(groups[name])["resources"]["limits"]
        places = int(limits["cpu"]) // options["num_cpus"]
        if options["num_gpus"]:
            places = min(places, int(int(limits["nvidia.com/gpu"]) / options["num_gpus"]))
        assert replicas["max_replicas"] == places * groups[name]["maxReplicas"]
        assert replicas["min_replicas"] <= places * groups[name]["minReplicas"]


def test_the_gpu_group_starts_from_nothing_and_returns_to_it(
    cluster: dict[str, Any], groups: dict[str, dict[str, Any]], deployments: dict[str, dict[str, Any]]
) -> None:
    gpu = groups["gpu"]
    assert cluster["enableInTreeAutoscaling"] is True
    assert (gpu["replicas"], gpu["minReplicas"], gpu["maxReplicas"]) == (0, 0, 4)
    resources = container(gpu)["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == resources["requests"]["nvidia.com/gpu"] == "1"
    pod = gpu["template"]["spec"]
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
    scaling = deployments["football-gpu"]["autoscaling_config"]
    assert scaling["min_replicas"] == 0
    # HAProxy shows a request to Serve for a second: a delay would miss it.
    assert scaling["upscale_delay_s"] == 0
    assert deployments["football-gpu"]["ray_actor_options"]["num_gpus"] == 0.25
    for group in (cluster["headGroupSpec"], groups["cpu"]):
        assert "nvidia.com/gpu" not in container(group)["resources"]["limits"]
    assert deployments["football"]["ray_actor_options"]["num_gpus"] == 0
    assert groups["cpu"]["minReplicas"] >= 1, "the service is up without a GPU"
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0", "no replica runs on the head"


def test_no_container_runs_as_root_or_may_become_root(cluster: dict[str, Any]) -> None:
    for pod in pods(cluster):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == NON_ROOT_USER
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    securities = [container["securityContext"] for pod in pods(cluster) for container in pod["containers"]]
    securities.append(cluster["autoscalerOptions"]["securityContext"])
    for security in securities:
        assert security["runAsNonRoot"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"]["drop"] == ["ALL"]
        assert security["readOnlyRootFilesystem"] is True
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert str(NON_ROOT_USER) in dockerfile, "the user of the image"


def test_the_key_comes_from_a_secret_and_the_home_is_a_volume(cluster: dict[str, Any]) -> None:
    for pod in pods(cluster):
        environment = {entry["name"]: entry for entry in pod["containers"][0]["env"]}
        key = environment["FOOTBALL_API_KEY"]["valueFrom"]["secretKeyRef"]
        assert key == {"name": "football-serve", "key": "api-key"}
        for one in pod["containers"]:
            home = next(entry["value"] for entry in one["env"] if entry["name"] == "FOOTBALL_HOME")
            mounts = {mount["mountPath"]: mount["name"] for mount in one["volumeMounts"]}
            assert home.startswith("/data/")
            assert {"/data", "/tmp"} <= set(mounts)
            assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}


def test_every_ray_container_prepares_haproxy_before_ray_starts(cluster: dict[str, Any]) -> None:
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        (prepare,) = container(group)["command"]
        assert "python -m serve.pod" in prepare
        assert prepare.endswith("|| exit 1"), "the operator's `ray start` would run without it"
        environment = {entry["name"]: entry.get("value") for entry in container(group)["env"]}
        assert environment["FOOTBALL_SERVE_HOST"] == "0.0.0.0"
        assert environment["FOOTBALL_SERVE_PORT"] == "8000"
        assert environment[haproxy.FROM_ZERO] == "football-gpu"
        assert environment.items() >= NO_TELEMETRY.items(), "the init container of the operator has them too"


def test_only_the_autoscaler_of_the_head_has_a_token_of_the_api_server(cluster: dict[str, Any]) -> None:
    head, *workers = pods(cluster)
    assert head["automountServiceAccountToken"] is True
    assert [worker["automountServiceAccountToken"] for worker in workers] == [False, False]


def test_the_head_may_die(cluster: dict[str, Any]) -> None:
    options = cluster["gcsFaultToleranceOptions"]
    assert options["redisAddress"] == "redis:6379"
    assert "secretKeyRef" in options["redisPassword"]["valueFrom"], "not written in the manifest"


def test_workers_are_spread_and_each_has_its_metrics_on_a_port(cluster: dict[str, Any]) -> None:
    for group in cluster["workerGroupSpecs"]:
        template = group["template"]
        labels = template["metadata"]["labels"]
        for spread in template["spec"]["topologySpreadConstraints"]:
            assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
        _, metrics = template["spec"]["containers"]
        assert metrics["command"][:3] == ["python", "-m", "serve.scrape"]
        assert metrics["ports"] == [{"name": "football", "containerPort": scrape.PORT}]


def test_probes_run_what_the_image_has(cluster: dict[str, Any]) -> None:
    for pod in pods(cluster):
        for probe in (pod["containers"][0][name] for name in PROBES):
            if "exec" in probe:
                program, option, script = probe["exec"]["command"]
                assert (program, option) == ("python", "-c")
                compile(script, "probe", "exec")
            else:
                assert probe["httpGet"] == {"path": "/-/healthz", "port": "serve"}
            assert probe["timeoutSeconds"] <= probe["periodSeconds"]
    for worker in cluster["workerGroupSpecs"]:
        ports = {port["name"]: port["containerPort"] for port in container(worker)["ports"]}
        assert ports["serve"] == 8000


def test_a_pod_that_ends_has_time_to_answer_what_it_began(
    cluster: dict[str, Any], deployments: dict[str, dict[str, Any]]
) -> None:
    policies = yaml.safe_load_all((ROOT / "deploy/overlays/gke/gateway.yaml").read_text("utf-8"))
    (check,) = (
        item["spec"]["default"]
        for item in policies
        if (item["kind"], item["metadata"]["name"]) == ("HealthCheckPolicy", "forecasts")
    )
    unnoticed = check["checkIntervalSec"] * check["unhealthyThreshold"] + check["timeoutSec"]
    for worker in cluster["workerGroupSpecs"]:
        grace = worker["template"]["spec"]["terminationGracePeriodSeconds"]
        command = container(worker)["lifecycle"]["preStop"]["exec"]["command"]
        program, seconds = command
        assert program == "sleep", "SIGTERM, which follows, makes Ray drain"
        assert int(seconds) >= unnoticed, "the load balancer sends no more requests when Ray drains"
        assert grace > int(seconds) + DRAIN_SECONDS + max(
            deployment["graceful_shutdown_timeout_s"] for deployment in deployments.values()
        )
