"""The Role of the launcher allows what dagster-k8s asks of the API server."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from dagster import DagsterInstance, DagsterRunStatus

from football_assets_tests.builders.dagster_home import open_instance
from football_assets_tests.builders.dagster_private import create_run_for_test
from football_assets_tests.builders.kubernetes_server import KubernetesServer, run_kubernetes_server
from football_assets_tests.deploy.manifests import DEPLOY, Document, only

pytest.importorskip("dagster_k8s", reason="the extra kubernetes is not installed")

from football_assets.orchestration.kubernetes_launcher import CountryRunLauncher

FOLDER = DEPLOY / "base" / "dagster"
CONFIG = yaml.safe_load((FOLDER / "dagster.yaml").read_text(encoding="utf-8"))["run_launcher"]["config"]
PATH = re.compile(
    r"^(?:/api/v1|/apis/(?P<group>[^/]+)/v1)/namespaces/football-dagster/(?P<resource>\w+)"
    r"(?:/(?P<name>[^/]+)(?:/(?P<part>\w+))?)?$"
)
POD = "dagster-run-a-x7x2p"

Right = tuple[str, str, str]


class JobServer(KubernetesServer):
    """An API server with one Job, whose pod runs."""

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Answer with the Job or its pod."""
        self.requests.append((method, path, body))
        found = PATH.match(urlsplit(path).path)
        assert found, path
        pod = {"metadata": {"name": POD}, "status": {"phase": "Running"}}
        job = {"metadata": {"name": found["name"] or "dagster-run-a"}, "status": {"active": 1}}
        one = pod if found["resource"] == "pods" else job
        if method == "GET" and not found["name"]:
            return 200, {"items": [one] if found["resource"] in ("jobs", "pods") else []}
        return 200, one


def right_of(method: str, path: str) -> Right:
    """Group, resource and verb that a request asks for, as the API server derives them."""
    found = PATH.match(urlsplit(path).path)
    assert found, path
    verbs = {"POST": "create", "DELETE": "delete", "GET": "get" if found["name"] else "list"}
    resource = f"{found['resource']}/{found['part']}" if found["part"] else found["resource"]
    return found["group"] or "", resource, verbs[method]


def rights(role: Document) -> set[Right]:
    return {
        (group, resource, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.fixture
def server() -> Iterator[KubernetesServer]:
    with run_kubernetes_server(JobServer) as running:
        yield running


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with open_instance(tmp_path) as opened:
        yield opened


def test_the_launcher_may_do_all_that_ends_and_watches_a_run(
    server: KubernetesServer, instance: DagsterInstance, tmp_path: Path
) -> None:
    server.write_kubeconfig(tmp_path / "kubeconfig")
    launcher = CountryRunLauncher(
        **{**CONFIG, "load_incluster_config": False}, kubeconfig_file=str(tmp_path / "kubeconfig")
    )
    launcher.register_instance(instance)
    run = create_run_for_test(instance, "retrain", status=DagsterRunStatus.STARTED)

    launcher.check_run_worker_health(run)
    launcher.get_run_worker_debug_info(run)
    assert launcher.terminate(run.run_id) is True

    asked = {right_of(method, path) for method, path, _ in server.requests}
    documents = list(yaml.safe_load_all((FOLDER / "access.yaml").read_text(encoding="utf-8")))
    assert {("batch", "jobs", "delete"), ("", "pods", "delete"), ("batch", "jobs/status", "get")} <= asked
    assert asked <= rights(only(documents, "Role", "football-launcher"))
    deleted = [path.rpartition("/")[2] for method, path, _ in server.requests if method == "DELETE"]
    assert deleted[-1] == POD
