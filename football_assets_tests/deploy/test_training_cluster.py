"""The manifest of the cluster that trains: from zero machines, on spot machines, with a token, and without telemetry.

KubeRay's schemas are no part of this project: this test knows the fields that the manifest uses.
"""

from typing import Any

import pytest
import ray
import yaml

from football_assets.runtime.home import project_root
from football_assets.runtime.telemetry import NO_TELEMETRY
from football_assets.training.parallel import ray_cluster

FOLDER = project_root() / "deploy" / "training"
CLUSTER_FIELDS = {
    *("rayVersion", "enableInTreeAutoscaling", "autoscalerOptions", "authOptions"),
    *("headGroupSpec", "workerGroupSpecs"),
}
WORKER_FIELDS = {"groupName", "replicas", "minReplicas", "maxReplicas", "rayStartParams", "template"}
SPOT = {"key": "cloud.google.com/gke-spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    (document,) = yaml.safe_load_all((FOLDER / "raycluster.yaml").read_text("utf-8"))
    return document


def pods(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    return [group["template"]["spec"] for group in groups]


def test_every_file_of_the_folder_is_in_its_kustomization() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]

    assert sorted(listed) == sorted(
        path.name for path in FOLDER.glob("*.yaml") if path.stem not in ("kustomization", "vertex")
    )


def test_the_manifest_is_a_ray_cluster_of_this_ray_with_a_token(cluster: dict[str, Any]) -> None:
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert set(cluster["spec"]) == CLUSTER_FIELDS
    assert cluster["spec"]["rayVersion"] == ray.__version__
    assert cluster["spec"]["authOptions"] == {"mode": "token"}
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    client = {"name": "client", "containerPort": ray_cluster.CLIENT_PORT}
    assert client in pods(cluster)[0]["containers"][0]["ports"]


def test_workers_start_from_zero_on_spot_machines_and_the_autoscaler_replaces_them(
    cluster: dict[str, Any],
) -> None:
    assert cluster["spec"]["enableInTreeAutoscaling"] is True
    assert cluster["spec"]["autoscalerOptions"]["version"] == "v2"
    for group in cluster["spec"]["workerGroupSpecs"]:
        assert set(group) == WORKER_FIELDS
        assert group["replicas"] == group["minReplicas"] == 0 < group["maxReplicas"]
        assert SPOT in group["template"]["spec"]["tolerations"]
        assert (
            group["template"]["spec"]["terminationGracePeriodSeconds"] < 30
        )  # of the notice of a spot machine
    assert all(pod["restartPolicy"] == "Never" for pod in pods(cluster))  # as autoscaler v2 requires
    gpu = cluster["spec"]["workerGroupSpecs"][1]["template"]["spec"]
    assert gpu["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in gpu["tolerations"]


def test_pods_are_unprivileged_and_have_the_variables_of_training(cluster: dict[str, Any]) -> None:
    for pod in pods(cluster):
        (container,) = pod["containers"]
        variables = {item["name"]: item.get("value") for item in container["env"]}
        assert NO_TELEMETRY.items() <= variables.items()
        for name in ("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER"):
            assert variables[name] == ray_cluster.ENVIRONMENT[name]
        assert float(variables["RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S"] or 0) >= 600
        assert pod["securityContext"]["runAsUser"] == container["securityContext"]["runAsUser"] == 10001
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            item["name"] for item in pod["volumes"]
        }


def test_the_accounts_of_the_pods_exist_and_dagster_may_do_what_the_resource_does(
    cluster: dict[str, Any],
) -> None:
    documents = list(yaml.safe_load_all((FOLDER / "access.yaml").read_text("utf-8")))
    accounts = {item["metadata"]["name"] for item in documents if item["kind"] == "ServiceAccount"}
    (role,) = [item for item in documents if item["kind"] == "Role"]
    allowed = {(name, verb) for rule in role["rules"] for name in rule["resources"] for verb in rule["verbs"]}

    assert {pod["serviceAccountName"] for pod in pods(cluster)} == accounts
    # `test_kuberay.py` records these requests.
    assert {("rayclusters", verb) for verb in ("create", "get", "delete")} <= allowed
    assert {("rayclusters/status", "get"), ("secrets", "get")} <= allowed
    assert not {rule for rule in allowed if rule[0] == "secrets"} - {("secrets", "get")}
