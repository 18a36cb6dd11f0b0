"""The Terraform files of deploy/gcp, as far as they can be checked without Google's provider: see `terraform.py`."""

import ipaddress
import re
from typing import Any

import pytest
import yaml

pytest.importorskip("hcl2")

from football_assets.runtime.home import project_root
from football_assets.storage.log_segments import SEGMENTS
from football_assets.storage.model_files import TRAINING_CHECKPOINTS
from football_assets_tests.deploy.manifests import kubectl, namespace_of, only, render
from football_assets_tests.deploy.terraform import Configuration, problems, read, read_folder

ROOT = project_root()
FOLDER = ROOT / "deploy" / "gcp"
SECRETS = {"database_password"}
# Basic roles, and those of administrators.
TOO_MUCH = re.compile(r"roles/(owner|editor|viewer)$|[aA]dmin$")


@pytest.fixture(scope="module")
def gcp() -> Configuration:
    return read_folder(FOLDER)


def test_arguments_are_the_providers_and_every_name_is_defined_used_and_described(gcp: Configuration) -> None:
    assert len(gcp.resources) > 30
    assert problems(gcp) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'resource "google_storage_bucket" "b" {\n name = "b"\n}',
            "google_storage_bucket.b: location is missing",
        ),
        (
            'resource "google_storage_bucket" "b" {\n name = "b"\n location = "x"\n size = 1\n}',
            "unknown argument size",
        ),
        (
            'resource "google_storage_bucket" "b" {\n name = "b"\n location = "x"\n versioning {\n on = true\n }\n}',
            "google_storage_bucket.b.versioning: unknown argument on",
        ),
        (
            'resource "google_storage_bucket" "b" {\n name = "b"\n location = "x"\n versioning = true\n}',
            "versioning is a block",
        ),
        ('resource "google_storage_buckets" "b" {\n}', "google_storage_buckets: unknown type"),
        ('output "o" {\n description = "d"\n value = var.missing\n}', "var.missing is not defined"),
        (
            'output "o" {\n description = "d"\n value = google_sql_user.u.name\n}',
            "google_sql_user.u is not defined",
        ),
        (
            'data "google_project" "p" {\n}\noutput "o" {\n description = "d"\n value = data.google_project.p.size\n}',
            "data.google_project.p has no attribute size",
        ),
        ('variable "v" {\n description = "d"\n}', "var.v is not used"),
        (
            'variable "v" {\n}\noutput "o" {\n description = "d"\n value = var.v\n}',
            "variable v has no description",
        ),
    ],
)
def test_the_check_finds_what_terraform_would_reject(text: str, problem: str) -> None:
    assert any(problem in found for found in problems(read(text))), problems(read(text))


def test_the_provider_is_pinned_to_the_version_whose_schema_is_checked(gcp: Configuration) -> None:
    terraform = next(block["terraform"][0] for block in gcp.other if "terraform" in block)

    assert terraform["required_providers"][0]["google"]["version"] == "~> 6.50"
    assert "<" in terraform["required_version"]


def test_secrets_have_no_default_and_never_reach_the_state(gcp: Configuration) -> None:
    for name in SECRETS:
        variable = gcp.variables[name]
        assert "default" not in variable
        assert variable["sensitive"] is variable["ephemeral"] is True
    arguments = {argument for body in gcp.resources.values() for argument in body}
    assert "password_wo" in arguments
    assert "password" not in arguments


def test_the_example_sets_every_variable_without_a_default_but_no_secret(gcp: Configuration) -> None:
    example = read((FOLDER / "example.tfvars").read_text()).other[0]
    required = {name for name, variable in gcp.variables.items() if "default" not in variable}

    assert {name for name in example if not name.startswith("__")} == required - SECRETS


def test_what_asks_the_project_waits_for_the_apis_that_terraform_calls(gcp: Configuration) -> None:
    first = {"cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"}
    services = set(re.findall(r"\w+\.googleapis\.com", str(gcp.local_values["services"])))
    waiting = {
        name: body.get("depends_on", [])
        for name, body in gcp.resources.items()
        if name[0] == "google_project_iam_member" or name[0].startswith("data.")
    }

    assert first | {"iamcredentials.googleapis.com"} <= services
    assert {name[0] for name in waiting} >= {"google_project_iam_member", "data.google_project"}
    for name, on in waiting.items():
        assert "google_project_service.used" in str(on), name
    for text in ((FOLDER / "versions.tf").read_text(), (ROOT / "docs" / "how-to" / "gke.md").read_text()):
        (enabled,) = re.findall(r"gcloud services enable ((?:\w+\.googleapis\.com ?)+)", text)
        assert set(enabled.split()) == first
        assert text.index("gcloud services enable") < text.index("terraform init")


def test_rights_are_narrow_and_pods_write_below_their_own_prefix(gcp: Configuration) -> None:
    roles = [body["role"] for body in gcp.resources.values() if "role" in body]
    assert len(roles) >= 6
    assert [role for role in roles if TOO_MUCH.search(role)] == []
    assert gcp.local_values["writes"] == {
        "serve": f"{SEGMENTS.split('/')[0]}/",
        "training": f"{TRAINING_CHECKPOINTS}/",
    }
    writers = gcp.resources["google_storage_bucket_iam_member", "writers"]
    assert "startsWith" in writers["condition"][0]["expression"]
    assert not [name for name, _ in gcp.resources if name == "google_service_account_key"]


def test_the_first_apply_creates_alerts_on_metrics_that_do_not_exist_yet(gcp: Configuration) -> None:
    condition = gcp.resources["google_monitoring_alert_policy", "alerts"]["conditions"][0]
    assert condition["condition_prometheus_query_language"][0]["disable_metric_validation"] is True


def test_a_destroy_drops_no_user_that_owns_tables_and_no_database_with_connections(
    gcp: Configuration,
) -> None:
    """PostgreSQL rejects both. They are deleted with the instance, on which they depend."""
    for name in ("google_sql_user", "google_sql_database"):
        assert gcp.resources[name, "dagster"]["deletion_policy"] == "ABANDON"
        assert "google_sql_database_instance.dagster" in gcp.resources[name, "dagster"]["instance"]


def test_a_host_that_is_added_replaces_no_certificate_that_is_in_use(gcp: Configuration) -> None:
    certificate = gcp.resources["google_certificate_manager_certificate", "hosts"]
    entry = gcp.resources["google_certificate_manager_certificate_map_entry", "hosts"]
    assert certificate["for_each"] == entry["for_each"] == "${var.domains}"
    assert certificate["managed"][0]["domains"] == ["${each.value}"]
    assert "hosts[each.key]" in str(entry["certificates"])


def test_the_driver_of_gpu_nodes_runs_the_cuda_of_the_images(gcp: Configuration) -> None:
    """CUDA 13 needs driver 580, which GKE's default may be older than."""
    (major,) = re.findall(r"^nvidia-cuda-runtime==(\d+)", (ROOT / "constraints-cuda.txt").read_text(), re.M)
    node = gcp.resources["google_container_node_pool", "pools"]["node_config"][0]
    (accelerator,) = (item["guest_accelerator"] for item in node["dynamic"] if "guest_accelerator" in item)
    driver = accelerator["content"][0]["gpu_driver_installation_config"][0]["gpu_driver_version"]
    assert int(major) < 13 or driver == "LATEST"


@pytest.mark.skipif(kubectl() is None, reason="kubectl is not installed")
def test_the_overlay_names_what_terraform_creates(gcp: Configuration) -> None:
    documents = render("gke")
    pods = gcp.local_values["pods"]
    accounts = {
        f"{namespace_of(item)}/{item['metadata']['name']}": annotations["iam.gke.io/gcp-service-account"]
        for item in documents
        if item["kind"] == "ServiceAccount" and (annotations := item["metadata"].get("annotations"))
    }
    assert accounts == {
        pod: f"football-{account}@PROJECT.iam.gserviceaccount.com"
        for pod, account in pods.items()
        if account != "training"  # of deploy/training
    }
    gateway = only(documents, "Gateway", "football")
    (address,) = gateway["spec"]["addresses"]
    assert address == {
        "type": "NamedAddress",
        "value": gcp.resources["google_compute_global_address", "gateway"]["name"],
    }
    certificates = gcp.resources["google_certificate_manager_certificate_map", "football"]["name"]
    assert gateway["metadata"]["annotations"] == {"networking.gke.io/certmap": certificates}
    database = gcp.resources["google_compute_global_address", "database"]
    network = ipaddress.ip_network(f"{database['address']}/{database['prefix_length']}")
    storage = only(documents, "NetworkPolicy", "storage")["spec"]["egress"]
    assert [rule["to"] for rule in storage] == [[{"ipBlock": {"cidr": str(network)}}]]
    host = only(documents, "ConfigMap", "football-dagster")["data"]["DAGSTER_PG_HOST"]
    assert ipaddress.ip_address(host) in network


def test_managed_prometheus_writes_metrics_and_evaluates_rules_as_the_account_of_nodes(
    gcp: Configuration,
) -> None:
    nodes = gcp.resources["google_project_iam_member", "nodes"]
    assert set(re.findall(r"roles/[\w.]+", nodes["for_each"])) == {
        "roles/container.defaultNodeServiceAccount",
        "roles/monitoring.viewer",
    }
    assert nodes["member"] == '${google_service_account.accounts["nodes"].member}'
    cluster = gcp.resources["google_container_cluster", "football"]
    assert "${google_project_iam_member.nodes}" in cluster["depends_on"]


def test_pods_read_and_write_no_more_than_they_do(gcp: Configuration) -> None:
    pods = gcp.local_values["pods"]
    readers = gcp.resources["google_storage_bucket_iam_member", "readers"]
    assert readers["role"] == "roles/storage.objectViewer"
    assert set(re.findall(r'"(\w+)"', readers["for_each"])) == {"metrics"}
    assert "keys(local.writes)" in readers["for_each"]
    assert pods["football-dagster/football-metrics"] == "metrics", "it reads the registry"
    assert {pod for pod, account in pods.items() if account == "dagster"} == {
        "football-dagster/football-code",
        "football-dagster/football-run",
    }


def test_the_bucket_is_private_versioned_and_keeps_what_was_replaced(gcp: Configuration) -> None:
    bucket = gcp.resources["google_storage_bucket", "football"]

    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["versioning"][0]["enabled"] is True
    assert "retention_policy" not in bucket  # it would forbid the conditional writes of pointers
    deleted = [
        rule["condition"][0] for rule in bucket["lifecycle_rule"] if rule["action"][0]["type"] == "Delete"
    ]
    # What is live is deleted below training_checkpoints/ alone.
    assert [rule.get("matches_prefix") for rule in deleted if rule["with_state"] != "ARCHIVED"] == [
        [f"{TRAINING_CHECKPOINTS}/"]
    ]


def test_gpu_nodes_start_from_zero_and_the_training_cluster_fits_the_pools(gcp: Configuration) -> None:
    pools: dict[str, Any] = gcp.local_values["pools"]
    node = gcp.resources["google_container_node_pool", "pools"]["node_config"][0]
    blocks = {name: item[name] for item in node["dynamic"] for name in item}
    taint, accelerator = (blocks[name]["content"][0] for name in ("taint", "guest_accelerator"))
    cluster = yaml.safe_load((ROOT / "deploy" / "training" / "raycluster.yaml").read_text())
    gpu = cluster["spec"]["workerGroupSpecs"][1]["template"]["spec"]
    account = cluster["spec"]["headGroupSpec"]["template"]["spec"]["serviceAccountName"]

    assert {name for name, pool in pools.items() if pool["gpus"] and pool["least"] == 0} == {
        "gpu",
        "gpu-spot",
    }
    assert accelerator["type"] == gpu["nodeSelector"]["cloud.google.com/gke-accelerator"]
    tolerated = {(item["key"], item.get("value")) for item in gpu["tolerations"]}
    assert (taint["key"], taint["value"]) in tolerated
    assert f"football-dagster/{account}" in gcp.local_values["pods"]


def test_alerts_have_the_expressions_of_the_server_and_go_to_a_person(gcp: Configuration) -> None:
    text = (FOLDER / "alerts.tf").read_text()
    rules = yaml.safe_load((ROOT / "serve" / "monitoring" / "alerts.yml").read_text())["groups"]
    known = {rule["alert"] for group in rules for rule in group["rules"]}
    (names,) = re.findall(r"for name in \[([^\]]*)\]", text)
    taken = set(re.findall(r'"(\w+)"', names))

    assert {"FootballErrors", "FootballSlow", "FootballResultsStale"} <= taken <= known
    assert "DagsterRunsFailing" in text
    policy = gcp.resources["google_monitoring_alert_policy", "alerts"]
    assert policy["notification_channels"] == ["${google_monitoring_notification_channel.email.id}"]
    budget = gcp.resources["google_billing_budget", "month"]
    assert [rule["threshold_percent"] for rule in budget["threshold_rules"]] == [0.5, 0.9, 1.0]


def test_the_token_of_github_is_set_before_the_function_that_reads_it_is_created(gcp: Configuration) -> None:
    function = gcp.resources["google_cloudfunctions2_function", "dispatch"]
    variable = function["service_config"][0]["secret_environment_variables"][0]
    (resource,) = set(re.findall(r"google_secret_manager_secret\.(\w+)", variable["secret"]))
    name = gcp.resources["google_secret_manager_secret", resource]["secret_id"]

    for path in (FOLDER / "dispatch.tf", ROOT / "docs" / "contributing" / "releases.md"):
        commands = re.findall(
            r"^(?:#  )? *((?:terraform apply|gcloud secrets).*?)(?: +#.*)?$", path.read_text(), re.M
        )
        assert commands == [
            f"terraform apply -target=google_secret_manager_secret.{resource}",
            f"gcloud secrets versions add {name} --data-file=-",
            "terraform apply",
        ], path


def test_the_function_is_built_as_an_account_of_its_own_that_has_its_roles_by_then(
    gcp: Configuration,
) -> None:
    function = gcp.resources["google_cloudfunctions2_function", "dispatch"]
    roles = gcp.resources["google_project_iam_member", "build"]

    assert function["build_config"][0]["service_account"] == "${google_service_account.build[each.key].id}"
    assert roles["member"] == '${google_service_account.build["dispatch"].member}'
    assert roles["for_each"] == "${local.build_roles}"
    assert set(re.findall(r"roles/[\w.]+", str(gcp.local_values["build_roles"]))) == {
        "roles/artifactregistry.writer",
        "roles/logging.logWriter",
        "roles/storage.objectViewer",
    }
    assert "${google_project_iam_member.build}" in str(function["depends_on"])
