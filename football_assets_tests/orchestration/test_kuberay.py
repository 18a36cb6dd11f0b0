"""A cluster on Kubernetes for a step: what dagster-ray asks of the API, and that the cluster goes whatever happens."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import AssetExecutionContext, AssetsDefinition, asset, materialize

from football_assets.errors import FootballError
from football_assets.orchestration.kuberay import ray_for_step
from football_assets.runtime.home import project_root
from football_assets_tests.builders.kubernetes_server import (
    CLUSTERS,
    TOKEN,
    KubernetesServer,
    run_kubernetes_server,
)

MANIFEST = project_root() / "deploy" / "training" / "raycluster.yaml"
VARIABLES = ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN")


@pytest.fixture
def kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubernetesServer]:
    """The API that a client finds by its configuration."""
    pytest.importorskip("dagster_ray.kuberay")
    from kubernetes.config import kube_config

    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with run_kubernetes_server() as server:
        server.write_kubeconfig(tmp_path / "kubeconfig")
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "kubeconfig"))
        yield server


def step(manifest: Path | None, seen: dict[str, Any], error: Exception | None = None) -> AssetsDefinition:
    """A training that notes the variables of Ray."""

    @asset
    def trained(context: AssetExecutionContext) -> None:
        with ray_for_step(context, manifest):
            seen.update({name: os.environ.get(name) for name in VARIABLES})
            if error is not None:
                raise error

    return trained


def test_a_step_gets_a_cluster_of_the_manifest_its_address_and_its_token_and_the_cluster_is_deleted(
    kubernetes: KubernetesServer,
) -> None:
    seen: dict[str, Any] = {}

    result = materialize([step(MANIFEST, seen)])

    path = CLUSTERS.format(namespace="default")
    ((_, created_at, body),) = [request for request in kubernetes.requests if request[0] == "POST"]
    name = body["metadata"]["name"]
    given = yaml.safe_load(MANIFEST.read_text())
    assert created_at.split("?")[0] == path
    assert body["spec"] == given["spec"]
    assert name != given["metadata"]["name"]
    assert result.run_id[:8] in name
    assert body["metadata"]["labels"]["app.kubernetes.io/name"] == "football-training"
    assert body["metadata"]["labels"]["dagster/run-id"] == result.run_id
    assert seen == {
        "RAY_ADDRESS": f"ray://{name}-head-svc.default.svc.cluster.local:10001",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
    }
    assert kubernetes.requests[-1][:2] == ("DELETE", f"{path}/{name}")
    assert not kubernetes.clusters
    assert not set(VARIABLES) & set(os.environ)


def test_the_cluster_of_a_step_that_fails_is_deleted_too(kubernetes: KubernetesServer) -> None:
    result = materialize([step(MANIFEST, {}, FootballError("diverged"))], raise_on_error=False)

    assert not result.success
    assert [method for method, *_ in kubernetes.requests].count("DELETE") == 1
    assert not kubernetes.clusters


def test_a_cluster_without_authentication_has_no_token_and_its_namespace_is_the_manifests(
    kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    del manifest["spec"]["authOptions"]
    manifest["metadata"]["namespace"] = "training"
    other = {"kind": "ServiceAccount", "metadata": {"name": "football-training"}}
    (tmp_path / "cluster.yaml").write_text(yaml.safe_dump_all([other, manifest]))
    seen: dict[str, Any] = {}

    materialize([step(tmp_path / "cluster.yaml", seen)])

    assert seen["RAY_AUTH_TOKEN"] is None
    assert seen["RAY_ADDRESS"].endswith("-head-svc.training.svc.cluster.local:10001")
    assert kubernetes.requests[0][1].startswith(CLUSTERS.format(namespace="training"))


def test_without_a_manifest_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    seen: dict[str, Any] = {}

    materialize([step(None, seen)])

    assert seen["RAY_ADDRESS"] == "ray://head:10001"


@pytest.mark.parametrize(
    ("text", "message"),
    [("kind: RayService\n", "has no RayCluster: copy"), ("{", "cannot be read"), (None, "cannot be read")],
)
def test_a_manifest_that_is_none_is_told(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "cluster.yaml"
    if text is not None:
        path.write_text(text)

    with pytest.raises(FootballError, match=f"FOOTBALL_RAY_CLUSTER: .*cluster.yaml {message}"):
        materialize([step(path, {})])
