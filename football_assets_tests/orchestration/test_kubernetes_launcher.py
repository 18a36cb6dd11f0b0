"""The Jobs that the launcher makes of runs, with the configuration of `deploy/`."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from dagster import DagsterInstance, DagsterRun

from football_assets.definitions import defs
from football_assets.orchestration.dagster_private import LaunchRunContext
from football_assets.orchestration.partitions import COUNTRIES_TAG, COUNTRY_PARTITIONS, run_tags
from football_assets.orchestration.run_resources import POD_TAG, feature_pod
from football_assets.runtime.home import project_root
from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.dagster_private import (
    JobPythonOrigin,
    ModuleCodePointer,
    RepositoryPythonOrigin,
)

pytest.importorskip("dagster_k8s", reason="the extra kubernetes is not installed")

from football_assets.orchestration.kubernetes_launcher import CountryRunLauncher, countries_of_run

INSTANCE = project_root() / "deploy" / "base" / "dagster" / "dagster.yaml"
CONFIG = yaml.safe_load(INSTANCE.read_text(encoding="utf-8"))["run_launcher"]
IMAGE = "football-assets-pipeline:9"
REGISTERED = ["at", "de", "eng", "es"]
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "test",
    "clusters": [{"name": "test", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "test", "user": {}}],
    "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
}

Launch = Callable[[str, dict[str, str]], tuple[DagsterRun, dict[str, Any]]]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with open_instance(tmp_path) as instance:
        instance.add_dynamic_partitions(COUNTRY_PARTITIONS, REGISTERED)
        yield instance


@pytest.fixture
def launch(instance: DagsterInstance, tmp_path: Path) -> Launch:
    """Launches a run of a job with tags; returns it and the Job that the API server receives."""
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(KUBECONFIG), encoding="utf-8")
    batch = MagicMock()
    launcher = CountryRunLauncher(
        **{**CONFIG["config"], "load_incluster_config": False},
        kubeconfig_file=str(file),
        k8s_client_batch_api=batch,
        k8s_client_core_api=MagicMock(),
    )
    launcher.register_instance(instance)
    pointer = ModuleCodePointer("football_assets.definitions", "defs", None)
    repository = RepositoryPythonOrigin("python", pointer, container_image=IMAGE)

    def launch_run(job: str, tags: dict[str, str]) -> tuple[DagsterRun, dict[str, Any]]:
        definition = defs.resolve_job_def(job)
        run = instance.create_run_for_job(
            definition,
            tags={**definition.run_tags, **tags},
            job_code_origin=JobPythonOrigin(job, repository),
        )
        launcher.launch_run(LaunchRunContext(run, None))
        stored = instance.get_run_by_id(run.run_id)
        assert stored is not None
        made: dict[str, Any] = batch.create_namespaced_job.call_args.kwargs["body"].to_dict()
        return stored, made

    return launch_run


def container(job: dict[str, Any]) -> dict[str, Any]:
    (only,) = job["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


def test_the_configuration_names_the_launcher() -> None:
    assert (CONFIG["module"], CONFIG["class"]) == (CountryRunLauncher.__module__, CountryRunLauncher.__name__)


def test_countries_of_a_run_are_those_of_its_tags(instance: DagsterInstance) -> None:
    def of(tags: dict[str, str]) -> list[str]:
        return countries_of_run(instance, DagsterRun(job_name="a", run_id="1", tags=tags))

    assert of(run_tags(["es", "at"], REGISTERED)) == ["at", "es"]
    without_names = run_tags(["de", "es"], REGISTERED)
    del without_names[COUNTRIES_TAG]
    assert of(without_names) == ["de", "eng", "es"]
    assert of({"dagster/partition": "eng"}) == ["eng"]
    assert of({}) == []
    assert of(run_tags(["at"], ["at"]) | {COUNTRIES_TAG: "at"}) == ["at"]


def test_a_run_of_a_country_has_the_memory_of_its_leagues(launch: Launch) -> None:
    run, job = launch("__ASSET_JOB", {"dagster/partition": "eng"})
    assert json.loads(run.tags[POD_TAG]) == feature_pod(["eng"])[POD_TAG]
    assert container(job)["resources"] == {
        **feature_pod(["eng"])[POD_TAG]["container_config"]["resources"],
        "claims": None,
    }


def test_a_run_that_trains_has_the_pod_of_its_job_and_one_without_tags_that_of_the_configuration(
    launch: Launch,
) -> None:
    _, training = launch("retrain", {})
    assert container(training)["resources"]["limits"] == {"cpu": "4", "memory": "8Gi"}
    _, refresh = launch("refresh_forecasts", run_tags(["at"], REGISTERED))
    assert container(refresh)["resources"]["limits"] == {"cpu": "4", "memory": "8Gi"}
    run, drift = launch("watch_drift", {})
    configured = CONFIG["config"]["run_k8s_config"]["container_config"]["resources"]
    assert container(drift)["resources"]["limits"] == configured["limits"]
    assert POD_TAG not in run.tags


def test_the_pod_of_a_run_has_no_rights_and_the_labels_of_the_network_rules(launch: Launch) -> None:
    _, job = launch("watch_drift", {})
    template = job["spec"]["template"]
    security = container(job)["security_context"]
    assert container(job)["image"] == IMAGE
    assert security["run_as_user"] == template["spec"]["security_context"]["run_as_user"] == 10001
    assert security["read_only_root_filesystem"] is True
    assert security["allow_privilege_escalation"] is False
    assert security["capabilities"]["drop"] == ["ALL"]
    assert template["spec"]["security_context"]["seccomp_profile"]["type"] == "RuntimeDefault"
    assert template["metadata"]["labels"]["football/role"] == "run"
    assert template["spec"]["service_account_name"] == "football-run"
    mounts = {mount["name"]: mount["mount_path"] for mount in container(job)["volume_mounts"]}
    assert set(mounts.values()) >= {"/data", "/tmp"}
    (manifest,) = (item for item in template["spec"]["volumes"] if item["name"] == "ray-cluster")
    assert mounts["ray-cluster"] == "/etc/football"
    assert (manifest["config_map"]["name"], manifest["config_map"]["optional"]) == (
        "football-ray-cluster",
        True,
    )
    sources = [
        item["config_map_ref"]["name"] for item in container(job)["env_from"] if item["config_map_ref"]
    ]
    assert "football-dagster" in sources
    secrets = {
        entry["name"]: entry["value_from"]["secret_key_ref"]
        for entry in container(job)["env"]
        if entry.get("value_from")
    }
    password = secrets["DAGSTER_PG_PASSWORD"]
    assert (password["name"], password["key"]) == ("football-postgres", "postgresql-password")


def test_the_pod_of_a_run_has_the_keys_of_signatures_where_they_exist(launch: Launch) -> None:
    for _, job in (launch("retrain", {}), launch("__ASSET_JOB", {"dagster/partition": "eng"})):
        entries = {entry["name"]: entry.get("value_from") for entry in container(job)["env"]}
        for name in ("FOOTBALL_SIGNING_KEY", "FOOTBALL_VERIFY_KEYS"):
            reference = entries[name]["config_map_key_ref"]
            assert (reference["name"], reference["key"]) == ("football-signing", name)
            assert reference["optional"] is True
        volumes = {item["name"]: item for item in job["spec"]["template"]["spec"]["volumes"]}
        assert volumes["signing-key"]["secret"] == {
            "secret_name": "football-signing-key",
            "optional": True,
            "default_mode": None,
            "items": None,
        }
        assert volumes["verify-keys"]["config_map"]["optional"] is True
        mounts = {mount["name"]: mount for mount in container(job)["volume_mounts"]}
        assert mounts["signing-key"]["read_only"] is True
        assert mounts["verify-keys"]["read_only"] is True
